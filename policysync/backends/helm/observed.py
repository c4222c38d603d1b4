"""Objects of a cluster → what a document would say, and what somebody changed in them by hand.

Used in two ways. For a Helm release the objects of its manifest are held against those of the cluster. For the other
ways to install there is nothing but the objects.

Source: reference, connectors 1.5, and the names in the data file of the chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from policysync.backends.helm.values import from_environment, own_annotations
from policysync.pointer import join
from policysync.render.aqua_tunnels import from_file

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
_TOKEN = "AQUA_CLOUD_CONNECTOR_TOKEN"  # noqa: S105 - the name of a variable
_CONFIG_KEYS = ("aqua-tunnels-cloud-connector-config", "aqua-cloud-connector-config")
_NOT_OURS = re.compile(r"kube-controller-manager|kube-scheduler|kubelet|helm|policysync|\Aaqua", re.IGNORECASE)
# Said by `parts`, or without meaning there: the server and its controllers write them.
_SAID = re.compile(
    r"/spec/replicas|/spec/template/metadata/(name|namespace|annotations)(/|\Z)|/spec/template/spec/"
    r"(nodeSelector|tolerations|affinity|serviceAccountName|serviceAccount)(/|\Z)"
    r"|/spec/template/spec/containers/0/(image|imagePullPolicy|resources|env)(/|\Z)"
)


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
    if file := next((data[key] for key in _CONFIG_KEYS if key in data), ""):
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
            changed |= _secret_env(changed, value)
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


def _secret_env(spec: Mapping[str, Any], found: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    extra = [
        {"name": name, "secretName": secret, "secretKey": key}
        for name, (secret, key) in found.items()
        if name not in _OWN
    ]
    said: dict[str, Any] = {"extraSecretEnv": extra}
    if _TOKEN in found:
        secret, key = found[_TOKEN]
        said["auth"] = {**spec.get("auth", {}), "tokenFrom": {"kubernetesSecret": {"name": secret, "key": key}}}
    return said


def edited(wanted: Iterable[Object], live: Mapping[Key, Object], declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a spec that objects of a cluster say otherwise than they should."""
    there = [live[key] for key in keyed(wanted) if key in live]
    should, do = parts(wanted, declared), parts(there, declared)
    return {name: value for name, value in do.items() if name in should and value != should[name]}


def foreign(wanted: Iterable[Object], live: Mapping[Key, Object]) -> Iterator[str]:
    """Yield what differs in objects of a cluster and is no field of a document; secrets by their place only."""
    objects = keyed(wanted)
    connector = _connector_of(objects.values())
    for key, thing in objects.items():
        noun = " ".join(key)
        found = live.get(key)
        if found is None:
            yield f"{noun} is gone"
            continue
        for name in sorted({*thing} - {"apiVersion", "kind", "metadata"}):
            if (key[0], name) != ("ConfigMap", "data"):
                yield from (
                    f"{noun} {place}"
                    for place in _differing(thing[name], found.get(name), f"/{name}")
                    if not (thing is connector and _SAID.match(place))
                )
        places = map(join, added(thing, found))
        yield from (f"{noun} {place}" for place in places if not (thing is connector and _SAID.match(place)))


def _differing(wanted: Any, live: Any, at: str) -> Iterator[str]:
    """Yield where a live value lacks what is wanted; what a server adds is not looked at."""
    if isinstance(wanted, Mapping) and isinstance(live, Mapping):
        for name, value in wanted.items():
            yield from _differing(value, live.get(name), f"{at}{join([name])}")
    elif isinstance(wanted, list) and isinstance(live, list) and len(wanted) == len(live):
        for index, pair in enumerate(zip(wanted, live, strict=True)):
            yield from _differing(*pair, f"{at}/{index}")
    elif wanted != live and not (wanted in (None, "", {}, []) and live in (None, "", {}, [])):
        yield at


def added(wanted: Object, live: Object) -> Iterator[tuple[str, ...]]:
    """Yield the paths that somebody other than Helm and the cluster itself wrote, and that are not wanted."""
    for entry in live["metadata"].get("managedFields") or ():
        if entry.get("subresource") == "status" or _NOT_OURS.search(str(entry.get("manager", ""))):
            continue
        for path in _owned(entry.get("fieldsV1") or {}):
            if path[0] in {"spec", "data"} and not _has(wanted, path):
                yield path


def _owned(fields: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of a set of managed fields; an element of a list stands as `*`."""
    below = {name: sub for name, sub in fields.items() if name != "."}
    if not below and path:
        yield path
    for name, sub in below.items():
        step = name.removeprefix("f:") if name.startswith("f:") else "*"
        yield from _owned(sub, (*path, step))


def _has(value: Any, path: tuple[str, ...]) -> bool:
    if not path:
        return True
    if path[0] == "*":
        # Which element it is cannot be told without the list's keys: one that has the rest will do.
        return isinstance(value, list) and any(_has(item, path[1:]) for item in value)
    return isinstance(value, Mapping) and path[0] in value and _has(value[path[0]], path[1:])
