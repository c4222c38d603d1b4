"""Objects of a cluster → what a document would say, and what somebody changed in them by hand.

Used in two ways. For a Helm release the objects of its manifest are held against those of the cluster. For the other
ways to install there is nothing but the objects.

Source: reference, connectors 1.5, and the names in the data file of the chart.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from policysync.backends.helm.additions import added, shown_at
from policysync.backends.helm.values import from_environment, own_annotations
from policysync.pointer import join
from policysync.render.aqua_objects import MEMBERS
from policysync.render.aqua_tunnels import from_file
from policysync.state.quantity import quantity

Object = Mapping[str, Any]
Key = tuple[str, str]
"""Kind and name."""

_OWN = frozenset(
    {
        "AQUA_SERVER",
        "AQUA_CLOUD_CONNECTOR_CONFIG_FILE_PATH",
        "AQUA_CLOUD_CONNECTOR_HEALTH_PORT",
        "AQUA_CLOUD_CONNECTOR_PASSWORD",
        "AQUA_CLOUD_CONNECTOR_TOKEN",
        "AQUA_CLOUD_CONNECTOR_USERNAME",
        "AQUA_TLS_VERIFY",
    }
)
"""The variables that other fields of a document speak of."""

_NAME = "cloud-connector"
_CONFIG_KEYS = ("aqua-tunnels-cloud-connector-config", "aqua-cloud-connector-config")
_READ_KEYS = frozenset({*_CONFIG_KEYS, "AQUA_SERVER", "AQUA_TLS_VERIFY", "AQUA_CLOUD_CONNECTOR_HEALTH_PORT"})
"""The keys of ConfigMaps that `parts` speaks of."""

# Said by `parts`, or without meaning there: the server and its controllers write them.
_SAID = re.compile(
    r"/spec/replicas|/spec/template/metadata/(name|namespace|annotations)(/|\Z)|/spec/template/spec/"
    r"(nodeSelector|tolerations|affinity|serviceAccountName|serviceAccount)(/|\Z)"
    r"|/spec/template/spec/containers/0/(image|imagePullPolicy|resources|env)(/|\Z)"
)


_AMOUNTS = re.compile(r"/(resources|hard|capacity|limits|requests)/|/sizeLimit\Z")
_LEFT_OUT = frozenset({"hostIPC", "hostNetwork", "hostPID", "minReadySeconds", "paused", "readOnly", "stdin", "tty"})
"""Members that a server leaves out where they are false or 0; of others that would be a difference."""


def keyed(objects: Iterable[Object]) -> dict[Key, Object]:
    """Return objects by kind and name."""
    return {(thing["kind"], thing["metadata"]["name"]): thing for thing in objects}


def parts(objects: Iterable[Object], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a spec that objects speak of. One that is missing says nothing.

    Members are whole: `image` is the text of the container's image, `secretEnv` what comes from Secrets.
    """
    said: dict[str, Any] = {}
    data: dict[str, str] = {}
    objects = tuple(objects)
    deployment = _connector_of(objects)
    for thing in objects:
        if thing["kind"] == "ConfigMap":
            data |= thing.get("data") or {}
        elif thing is deployment:
            said = _of_deployment(thing["spec"], declared)
    data = {**said.pop("own", {}), **data}
    if server := data.get("AQUA_SERVER"):
        host, _, port = server.rpartition(":")
        said["gateway"] = {"host": host.lower(), "port": int(port) if port.isdecimal() else 0}
    if "AQUA_TLS_VERIFY" in data:
        said["tlsVerify"] = data["AQUA_TLS_VERIFY"] == "1"
    if health := data.get("AQUA_CLOUD_CONNECTOR_HEALTH_PORT"):
        said["healthPort"] = int(health) if health.isdecimal() else 0
    file = next((data[key] for key in _CONFIG_KEYS if key in data), None)
    if file is not None:
        said["tunnels"] = _tunnels(file, declared)
    return said


def _connector_of(objects: Iterable[Object]) -> Object | None:
    """Return the Deployment that is the connector, of those a chart may make; the first where none is called so."""
    found = [thing for thing in objects if thing["kind"] == "Deployment"]
    return next((thing for thing in found if thing["metadata"]["name"].endswith(_NAME)), next(iter(found), None))


def _tunnels(text: str, declared: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return from_file(yaml.safe_load(text), declared.get("tunnels") or ())
    except (yaml.YAMLError, AttributeError, TypeError, ValueError):
        # Not a file the connector could read either.
        return []


def _of_deployment(spec: Mapping[str, Any], declared: Mapping[str, Any]) -> dict[str, Any]:
    template = spec["template"]
    pod = template["spec"]
    container = pod["containers"][0]
    variables = {
        each["name"]: str(each.get("value", "")) for each in container.get("env") or () if "valueFrom" not in each
    }
    return {
        "replicas": spec.get("replicas", 1),
        "image": container.get("image", ""),
        "pullPolicy": container.get("imagePullPolicy", "Always"),
        "resources": container.get("resources") or {},
        "serviceAccountName": pod.get("serviceAccountName", ""),
        **{name: pod.get(name) or {} for name in ("nodeSelector", "affinity")},
        "tolerations": pod.get("tolerations") or [],
        "podAnnotations": own_annotations((template.get("metadata") or {}).get("annotations") or {}, declared),
        "own": {name: value for name, value in variables.items() if name in _OWN},
        **from_environment({n: v for n, v in variables.items() if n not in _OWN}, declared),
        "secretEnv": _from_secrets(container),
    }


def _from_secrets(container: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return name and key of the Secret behind each variable that comes from one."""
    found = {}
    for each in container.get("env") or ():
        if secret := (each.get("valueFrom") or {}).get("secretKeyRef"):
            found[each["name"]] = (secret.get("name", ""), secret.get("key", ""))
    return found


def laid_on(spec: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with what objects say in place of its own members."""
    changed = dict(spec)
    for name, value in said.items():
        if name == "image":
            changed["image"] = {**changed.get("image", {}), **_image(value, changed.get("image", {}))}
        elif name == "pullPolicy":
            changed["image"] = {**changed.get("image", {}), "pullPolicy": value}
        elif name == "serviceAccountName":
            changed["serviceAccount"] = {**changed.get("serviceAccount", {}), "name": value}
        elif name == "secretEnv":
            changed["extraSecretEnv"] = _extra_secrets(value)
        else:
            changed[name] = value
    return changed


def _image(reference: str, known: Mapping[str, Any]) -> dict[str, str]:
    """Return registry, repository and tag; registry and repository as far as they are those that are known."""
    known_path = f"{known.get('registry') or ''}/{known.get('repository') or ''}"
    if reference.startswith(f"{known_path}:"):
        return {
            **{name: str(known[name]) for name in ("registry", "repository")},
            "tag": reference[len(known_path) + 1 :],
        }
    path, _, tag = reference.rpartition(":") if ":" in reference.rpartition("/")[2] else (reference, "", "")
    registry = str(known.get("registry") or "")
    if not path.startswith(f"{registry}/"):
        registry = path.rpartition("/")[0]
    return {"registry": registry, "repository": path.removeprefix(f"{registry}/"), "tag": tag}


def _extra_secrets(found: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    return [
        {"name": name, "secretName": secret, "secretKey": key}
        for name, (secret, key) in found.items()
        if name not in _OWN
    ]


def sign_in(objects: Iterable[Object]) -> dict[str, tuple[str, str]]:
    """Return name and key of the Secret that the connector takes each member of its login from."""
    deployment = _connector_of(objects)
    if deployment is None:
        return {}
    found = _from_secrets(deployment["spec"]["template"]["spec"]["containers"][0])
    variables = {member: f"AQUA_CLOUD_CONNECTOR_{key.upper()}" for member, key in MEMBERS}
    return {member: found[variable] for member, variable in variables.items() if variable in found}


def edited(wanted: Iterable[Object], live: Mapping[Key, Object], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a spec that objects of a cluster say otherwise than they should."""
    there = [live[key] for key in keyed(wanted) if key in live]
    should, do = parts(wanted, declared), parts(there, declared)
    return {name: value for name, value in do.items() if name in should and value != should[name]}


def foreign(wanted: Iterable[Object], live: Mapping[Key, Object]) -> Iterator[str]:
    """Yield what differs in objects of a cluster and is no field of a document; secrets by their place only."""
    objects = keyed(wanted)
    connector = _connector_of(objects.values())
    for key, thing in ((key, _stored(thing)) for key, thing in objects.items()):
        noun = " ".join(key)
        found = live.get(key)
        if found is None:
            yield f"{noun} is gone"
            continue
        differing = (place for place in _places(thing, found) if not (thing is connector and _SAID.match(place)))
        yield from (f"{noun} {place}" for place in differing)
        places = (shown_at(path, thing) for path in added(thing, found))
        yield from (f"{noun} {place}" for place in places if not (thing is connector and _SAID.match(place)))


def _places(wanted: Object, live: Object) -> Iterator[str]:
    """Yield where an object of a cluster is not as it should be; of its metadata only what is wanted counts."""
    for name in sorted({*wanted} - {"apiVersion", "kind", "metadata"}):
        should, do = wanted[name], live.get(name)
        if (wanted["kind"], name) == ("ConfigMap", "data") and isinstance(should, Mapping):
            do = do if isinstance(do, Mapping) else {}
            should = {key: value for key, value in should.items() if key not in _READ_KEYS or key not in do}
        yield from _differing(should, do, f"/{name}")
    for name in ("labels", "annotations"):
        should, do = wanted["metadata"].get(name) or {}, live["metadata"].get(name) or {}
        yield from _differing(should, do, f"/metadata/{name}")


def _stored(thing: Object) -> Object:
    """Return an object as a server keeps it: the plain texts of a Secret are among its data."""
    if thing["kind"] != "Secret" or not isinstance(thing.get("stringData"), Mapping):
        return thing
    texts = {key: base64.b64encode(str(text).encode()).decode() for key, text in thing["stringData"].items()}
    kept = {name: value for name, value in thing.items() if name != "stringData"}
    return {**kept, "data": {**(thing.get("data") or {}), **texts}}


def _differing(wanted: Any, live: Any, at: str) -> Iterator[str]:
    """Yield where a live value lacks what is wanted; what a server adds is not looked at."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for name, value in wanted.items():
            yield from _differing(value, live.get(name), f"{at}{join([name])}")
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for index, pair in enumerate(zip(wanted, live, strict=True)):
            yield from _differing(*pair, f"{at}/{index}")
    elif wanted != live and not _same(wanted, live, at):
        yield at


def _same(wanted: Any, live: Any, at: str) -> bool:
    """Return whether a server may have made the one of the other: it leaves empty things out, and has its own units."""
    if live is None and at.rpartition("/")[2] in _LEFT_OUT:
        return not wanted
    if _AMOUNTS.search(at) and isinstance(live, str):
        return quantity(str(wanted)) == quantity(live)
    return wanted in (None, "", {}, []) and live in (None, "", {}, [])
