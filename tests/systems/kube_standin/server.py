"""The cluster over HTTP on loopback, with a kubeconfig that leads to it."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

from systems.kube_standin.cluster import Cluster, Failure, Object, Sort
from systems.kube_standin.fields import merged

Decoder = Callable[[bytes], Object]


TOKEN = "stand-in-token"


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class StandIn:
    """One API server. `asked` is every request so far; `logs` and `answers` are what pods say.

    Attributes:
        decoders: further content types of bodies, such as Helm's protobuf.
        meddle: called before each request; it may raise `Failure`, or return "drop" to do the work and say nothing.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.cluster = Cluster()
        self.token = TOKEN
        self.asked: list[Asked] = []
        self.logs: dict[tuple[str, str], str] = {}
        self.answers: dict[tuple[str, str], tuple[int, str]] = {}
        self.decoders: dict[str, Decoder] = {}
        self.meddle: Callable[[Asked], str | None] = lambda _asked: None
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def start(self) -> StandIn:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def install(self, *definitions: Mapping[str, Any]) -> None:
        """Install definitions of kinds."""
        sort = self.cluster.sort("apiextensions.k8s.io", "customresourcedefinitions")
        for each in definitions:
            self.cluster.write(sort, "", each["metadata"]["name"], dict(each), "kubectl-create")

    def kubeconfig(self, path: Path, context: str = "stand-in", *, ca: str = "", user: Any = None) -> Path:
        """Write a kubeconfig that leads here."""
        cluster = {"server": self.url, **({"certificate-authority-data": ca} if ca else {})}
        said = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": user or {"token": self.token}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
        path.write_text(yaml.safe_dump(said), encoding="utf-8")
        return path

    def edit(self, plural: str, name: str, patch: Object, manager: str, *, namespace: str = "") -> None:
        """Change an object as somebody else does, with an ordinary patch. `plural` may end in a dot and the group."""
        plural, _, group = plural.partition(".")
        sort = self.cluster.sort(group, plural)
        held = self.cluster.get(sort, namespace, name)
        self.cluster.write(sort, namespace, name, _patched(held, patch), manager)

    def answer(self, asked: Asked) -> tuple[int, str, bytes]:
        """Return status, content type and body."""
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            raise Failure(401, "Unauthorized", "Unauthorized")
        parts = [unquote(part) for part in asked.path.strip("/").split("/")]
        if parts == ["version"]:
            return _json({"major": "1", "minor": "32", "gitVersion": "v1.32.0-stand-in"})
        if parts == ["openapi", "v2"]:
            # Nothing at all is a description as well, of an API of which nothing is known.
            return 200, "application/octet-stream", b""
        if parts[0] not in ("api", "apis"):
            raise Failure(404, "NotFound", "not found")
        said = self._discovery(parts)
        return _json(said) if said is not None else self._object(asked, parts)

    def _discovery(self, parts: list[str]) -> Object | None:
        sorts = list(self.cluster.sorts)
        groups = {(s.group, s.version): None for s in sorts if s.group}
        if parts == ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        if parts == ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g, [v]) for g, v in groups]}
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2] if len(parts) > 2 else "")
        if len(parts) != (2 if parts[0] == "api" else len(parts[:3])):
            return None
        held = [s for s in sorts if s.group == group and (not version or s.version == version)]
        if not held:
            raise Failure(404, "NotFound", "the server could not find the requested resource")
        if not version:
            return _group(group, sorted({s.version for s in held}))
        return {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": held[0].api_version,
            "resources": [
                {
                    "name": s.plural,
                    "singularName": s.kind.lower(),
                    "namespaced": s.namespaced,
                    "kind": s.kind,
                    "verbs": _VERBS,
                }
                for s in held
            ],
        }

    def _object(self, asked: Asked, parts: list[str]) -> tuple[int, str, bytes]:
        group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces":
            namespace, rest = rest[1], rest[2:]
        sort = self.cluster.sort(group, rest[0])
        if sort.plural == "selfsubjectaccessreviews":
            return self._review(asked)
        if sort.plural == "pods" and len(rest) > 2:
            return self._pod(namespace, rest[1], rest[2:])
        name = rest[1] if len(rest) > 1 else ""
        if len(rest) > 2 and rest[2] != "status":
            raise Failure(404, "NotFound", "the server could not find the requested resource")
        verb = {"GET": "get" if name else "list", "POST": "create", "PUT": "update"}.get(
            asked.method, asked.method.lower()
        )
        self.cluster.allow(verb, sort)
        if verb == "list":
            return _json(self._list(sort, namespace, asked))
        if verb == "get":
            return _json(self.cluster.get(sort, namespace, name))
        return self._write(asked, sort, namespace, name)

    def _write(self, asked: Asked, sort: Sort, namespace: str, name: str) -> tuple[int, str, bytes]:
        content = asked.headers.get("content-type", "application/json").partition(";")[0]
        usual_decoder: Decoder = _plain_yaml if content.endswith("yaml") else json.loads
        decode = self.decoders.get(content, usual_decoder)
        body: Object = decode(asked.body) if asked.body else {}
        dry = asked.query.get("dryRun") == "All" or "All" in (body.get("dryRun") or ())
        usual = asked.headers.get("user-agent", "unknown").partition("/")[0]
        manager = asked.query.get("fieldManager", usual)
        how: Any = {"strict": asked.query.get("fieldValidation") == "Strict", "dry": dry}
        if asked.method == "DELETE":
            uid = (body.get("preconditions") or {}).get("uid", "")
            return _json(self.cluster.delete(sort, namespace, name, uid, dry=dry))
        if asked.method == "POST":
            name = body["metadata"]["name"]
            if (sort.group, sort.plural, namespace, name) in self.cluster.objects:
                raise Failure(409, "AlreadyExists", f'{sort.plural} "{name}" already exists')
            return _json(self.cluster.write(sort, namespace, name, body, manager, **how), 201)
        if content == "application/apply-patch+yaml":
            force = asked.query.get("force") == "true"
            return _json(self.cluster.apply(sort, namespace, name, body, manager, force=force, **how))
        held = self.cluster.get(sort, namespace, name)
        after = body if asked.method == "PUT" else _patched(held, body, by_name="strategic" in content)
        return _json(self.cluster.write(sort, namespace, name, after, manager, **how))

    def _list(self, sort: Sort, namespace: str, asked: Asked) -> Object:
        items = [held for held in self.cluster.list(sort, namespace) if _selected(held, asked.query)]
        start, limit = int(asked.query.get("continue") or 0), int(asked.query.get("limit") or 0)
        page = items[start : start + limit] if limit else items[start:]
        more = str(start + limit) if limit and start + limit < len(items) else ""
        kind = f"{sort.kind}List"
        if "PartialObjectMetadataList" in asked.headers.get("accept", ""):
            page, kind = [{"metadata": held["metadata"]} for held in page], "PartialObjectMetadataList"
        return {"kind": kind, "apiVersion": sort.api_version, "metadata": {"continue": more}, "items": page}

    def _review(self, asked: Asked) -> tuple[int, str, bytes]:
        body = json.loads(asked.body)
        about = body["spec"]["resourceAttributes"]
        allowed = (about["verb"], about["resource"]) not in self.cluster.forbidden
        return _json({**body, "status": {"allowed": allowed}}, 201)

    def _pod(self, namespace: str, name: str, rest: list[str]) -> tuple[int, str, bytes]:
        if rest[0] == "log":
            return 200, "text/plain", self.logs.get((namespace, name), "").encode()
        status, said = self.answers.get((namespace, "/".join([name, *rest])), (404, "no such answer"))
        return status, "text/plain", said.encode()


_VERBS = ["create", "delete", "get", "list", "patch", "update"]


def _group(name: str, versions: list[str]) -> Object:
    said = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": said, "preferredVersion": said[0]}


def _json(said: Any, status: int = 200) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(said).encode()


def _patched(held: Any, patch: Any, *, by_name: bool = False) -> Any:
    """Lay a merge patch over an object; `by_name` matches elements of lists by their names, as a strategic one does."""
    if (
        by_name
        and isinstance(held, list)
        and isinstance(patch, list)
        and all("name" in p for p in patch if isinstance(p, dict))
    ):
        named = {item["name"]: item for item in held if isinstance(item, dict) and "name" in item}
        if len(named) == len(held) and all(isinstance(p, dict) for p in patch):
            kept = {**named, **{p["name"]: _patched(named.get(p["name"], {}), p, by_name=True) for p in patch}}
            gone = {p["name"] for p in patch if p.get("$patch") == "delete"}
            return [item for name, item in kept.items() if name not in gone]
    if not isinstance(patch, dict):
        return patch
    result = dict(held) if isinstance(held, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif not name.startswith("$"):
            result[name] = _patched(result.get(name), value, by_name=by_name)
    return merged({}, result)


def _selected(held: Object, query: Mapping[str, str]) -> bool:
    labels = held["metadata"].get("labels") or {}
    wanted = re.split(r",(?![^(]*\))", query.get("labelSelector", "").replace("==", "="))
    named = [
        part.split("=", 1)[1] for part in query.get("fieldSelector", "").split(",") if part.startswith("metadata.name=")
    ]
    return all(_selects(labels, term) for term in wanted if term) and all(
        held["metadata"]["name"] == name for name in named
    )


def _selects(labels: Mapping[str, str], term: str) -> bool:
    if listed := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term):
        return (labels.get(listed[1]) in listed[3].split(",")) == (listed[2] == "in")
    name, equals, value = term.partition("=")
    if equals:
        return labels.get(name) == value
    return name[1:] not in labels if name.startswith("!") else name in labels


def _handler(server: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # An answer is one small packet; waiting for more would cost 40 ms each.
        disable_nagle_algorithm = True
        wbufsize = -1

        def _serve(self) -> None:
            url = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked = Asked(self.command, url.path, query, headers, body)
            server.asked.append(asked)
            try:
                how = server.meddle(asked)
                status, content, said = server.answer(asked)
            except Failure as failure:
                how, (status, content, said) = None, _json(failure.status, failure.code)
            if how == "drop":
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", content)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815  the standard library's names

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def running(**settings: Any) -> Iterator[StandIn]:
    """Yield a server, for a fixture."""
    server = StandIn(**settings).start()
    try:
        yield server
    finally:
        server.stop()


def _plain_yaml(body: bytes) -> Object:
    said: Object = yaml.safe_load(body)
    return said
