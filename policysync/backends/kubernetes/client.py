"""A cluster's API server: requests with credentials, answers as plain JSON, failures as ours.

client.get("/api/v1/namespaces/aqua/secrets/token")          the object; `Missing` when there is none
client.list("/api/v1/namespaces/aqua/pods", labels="app=x")  every item, all pages
client.text("/api/v1/namespaces/aqua/pods/p/log")            what is no JSON: logs, and what a pod itself answers
client.may("create", "secrets", namespace="aqua")            asks RBAC
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from policysync.backends.answer import Answer, decoded
from policysync.backends.http import Http
from policysync.backends.kubernetes.credential import Credential
from policysync.backends.kubernetes.failures import trouble
from policysync.backends.kubernetes.shape import object_of
from policysync.backends.port import Again
from policysync.errors import OutcomeUnknown
from policysync.version import VERSION

MANAGER = "policysync"
"""What the product is called in `metadata.managedFields`."""

JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"

_PAGE = 500
_HEADERS = {"Accept": JSON, "User-Agent": f"policysync/{VERSION}"}
_NAMES_ONLY = {"Accept": f"{JSON};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,{JSON}"}

Body = Mapping[str, Any]


class Client:
    """One cluster. Threads may share it. Every path is percent-encoded by who makes it; see `segment`.

    Reads are repeated while the cluster is `Unavailable`; writes are not, because apply does that.
    Every method raises Refused (`Missing`, `Forbidden`, `Conflict`), Unavailable, and writes OutcomeUnknown.
    """

    def __init__(
        self, http: Http, server: str, credential: Credential, again: Again[Any], *, namespace: str = "default"
    ) -> None:
        """`namespace` is where objects go whose document names none."""
        self.server = server
        self.namespace = namespace
        self._http = http
        self._credential = credential
        self._again = again

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return an object."""
        said: dict[str, Any] = self._again(lambda: object_of(decoded(self._read(path, query)), path))
        return said

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return what is no JSON: a log, or what a pod answers through the proxy of the API server."""
        return str(self._again(lambda: self._read(path, query, {"Accept": "*/*"}).body.decode("utf-8", "replace")))

    def list(
        self, path: str, *, labels: str = "", fields: str = "", names_only: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield every object of a collection, all pages.

        Args:
            labels, fields: selectors as kubectl takes them.
            names_only: metadata is enough.
        """
        found: list[dict[str, Any]] = self._again(lambda: list(self._pages(path, labels, fields, names_only)))
        yield from found

    def _pages(self, path: str, labels: str, fields: str, names_only: bool) -> Iterator[dict[str, Any]]:
        query = {"limit": str(_PAGE), "labelSelector": labels, "fieldSelector": fields}
        while True:
            page = object_of(decoded(self._read(path, query, _NAMES_ONLY if names_only else {})), path)
            # Lists of typed objects leave the kind of each item out.
            kind = {"apiVersion": page.get("apiVersion"), "kind": str(page.get("kind", "")).removesuffix("List")}
            yield from ({**kind, **item} for item in page.get("items") or ())
            query["continue"] = (page.get("metadata") or {}).get("continue") or ""
            if not query["continue"]:
                return

    def _read(self, path: str, query: Mapping[str, str] | None, headers: Mapping[str, str] | None = None) -> Answer:
        return self._send("GET", path, query, headers or {}, b"", writes=False)

    def post(self, path: str, body: Body, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Create an object, and return it as it is now."""
        return self._write("POST", path, body, JSON, query)

    def put(self, path: str, body: Body, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Replace an object, and return it as it is now."""
        return self._write("PUT", path, body, JSON, query)

    def apply(self, path: str, body: Body, *, dry: bool = False) -> dict[str, Any]:
        """Apply an object on the server, never taking a field from another manager, and return it as it is now.

        Raises:
            Conflict: a field belongs to somebody else.
        """
        return self._write("PATCH", path, body, APPLY, {"force": "false", **_written(dry)})

    def merge(self, path: str, body: Body, *, dry: bool = False) -> dict[str, Any]:
        """Lay a body over an object, and return it as it is now."""
        return self._write("PATCH", path, body, MERGE, _written(dry))

    def delete(self, path: str, *, uid: str = "", dry: bool = False) -> dict[str, Any]:
        """Delete an object in the foreground: what it owns goes first.

        Args:
            uid: of the object that is meant; another one of the same name stays.
        """
        body: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Foreground"}
        if uid:
            body["preconditions"] = {"uid": uid}
        if dry:
            body["dryRun"] = ["All"]
        return self._write("DELETE", path, body, JSON, None)

    def may(self, verb: str, resource: str, *, group: str = "", namespace: str = "", name: str = "") -> bool:
        """Return whether these credentials may do something. Asking changes nothing."""
        attributes = {"verb": verb, "resource": resource, "group": group, "namespace": namespace, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        said = self._again(lambda: self.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review))
        status = said.get("status")
        return isinstance(status, Mapping) and bool(status.get("allowed"))

    def fresh(self) -> Client:
        """Return the same cluster over new connections, also where these are closed: for what has to be tidied up."""
        return Client(self._http.fresh(), self.server, self._credential, self._again, namespace=self.namespace)

    def close(self) -> None:
        """Let go of connections, and end what is under way on them."""
        self._http.close()

    def _write(
        self, method: str, path: str, body: Body, content: str, query: Mapping[str, str] | None
    ) -> dict[str, Any]:
        headers = {"Content-Type": content}
        answer = self._send(method, path, query, headers, orjson.dumps(body), writes=True)
        said = decoded(answer)
        if not isinstance(said, dict):
            raise OutcomeUnknown(f"{method} {path}: what came back is no answer of an API server")
        return said

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        body: bytes,
        *,
        writes: bool,
    ) -> Answer:
        asked = urlencode({name: value for name, value in (query or {}).items() if value})
        url = f"{self.server}{path}" + (f"?{asked}" if asked else "")
        answer = self._http.send(method, url, self._with_credential(headers), body, writes=writes)
        if answer.status == 401 and self._credential.renew():
            answer = self._http.send(method, url, self._with_credential(headers), body, writes=writes)
        failed = trouble(answer, writes=writes)
        if failed is not None:
            raise failed
        return answer

    def _with_credential(self, headers: Mapping[str, str]) -> dict[str, str]:
        credential = self._credential.header()
        authorization = {"Authorization": credential.reveal()} if credential else {}
        return {**_HEADERS, **headers, **authorization}


def segment(text: str) -> str:
    """Return a name as it stands in a path."""
    return quote(text, safe="")


def _written(dry: bool) -> dict[str, str]:
    """Return the query of a write: who writes, and how strictly the body is looked at."""
    return {"fieldManager": MANAGER, "fieldValidation": "Strict", **({"dryRun": "All"} if dry else {})}
