"""The calls about images: reading, allowing, scanning, registering and forgetting them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policysync.emulator.bodies import objects_in
from policysync.emulator.estate.estate import Estate
from policysync.emulator.estate.making import record_of
from policysync.emulator.estate.narrowing import images, paged
from policysync.emulator.estate.records import Record
from policysync.emulator.exchange import Response, answer, refuse
from policysync.emulator.rest import Call

_SUMMARY_LACKS = ("metadata", "history", "assurance_results", "policy_failures")
_VERDICTS = ("whitelisted", "blacklisted", "permission", "permission_author", "permission_comment")


class Images:
    """The image calls of one console."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._records = estate.records

    def views(self) -> dict[tuple[str, str], Callable[[Call], Response]]:
        """Return the calls by method and path; `{}` stands for a name, `{+}` for one that may hold slashes."""
        one = "/api/v2/images/{}/{+}/{}"
        parts: dict[str, str] = {
            "vulnerabilities": "findings",
            "sensitive": "sensitive",
            "malware": "malware",
            "history_layers": "layers",
            "scan_history": "scans",
        }
        return {
            ("GET", "/api/v2/images"): self._list,
            **{("GET", f"{one}/{path}"): self._part(member) for path, member in parts.items()},
            ("GET", one): lambda call: answer(200, self._found(call)["image"]),
            ("DELETE", one): self._forget,
            ("POST", "/api/v1/images"): self._register,
            ("POST", "/api/v2/images"): self._register,
            ("POST", "/api/v1/images/rescan"): self._rescan,
            ("POST", "/api/v1/images/allow"): lambda call: self._permit(call, allow=True),
            ("POST", "/api/v1/images/disallow"): lambda call: self._permit(call, allow=False),
            ("POST", "/api/v2/images/actions/delete"): self._forget_many,
            ("GET", "/api/v2/image_assurance/image_permissions"): self._permissions,
            ("GET", "/api/v1/scanner/registry/{}/image/{+}/status"): self._status,
            ("GET", "/api/v1/scanner/registry/{}/image/{+}/scan_result"): self._result,
            ("POST", "/api/v1/scanner/registry/{}/image/{+}/scan"): self._scan,
        }

    def _list(self, call: Call) -> Response:
        """Answer `GET /api/v2/images`: without what only a single image tells."""
        rows = [_summary(record["image"]) for record in self._narrowed(call)]
        return paged(rows, call.request.query)

    def _narrowed(self, call: Call) -> Iterator[Record]:
        query = call.request.query
        tests, within = images(query, self._estate.clock.now()), self._estate.within(query.get("scope", ""))
        fixable = query.get("fix_availability")
        for record in self._estate.all():
            if fixable and not any(bool(f["fix_version"]) == (fixable == "true") for f in record["findings"]):
                continue
            if within(record) and all(test(record["image"]) for test in tests):
                yield record

    def _found(self, call: Call) -> Record:
        registry, repository, tag = call.parts
        return self._estate.find(registry, repository, tag)

    def _part(self, member: str) -> Callable[[Call], Response]:
        return lambda call: paged(self._found(call)[member], call.request.query)

    def _forget(self, call: Call) -> Response:
        with self._estate.store.writing():
            self._records.delete(self._found(call))
        return Response(204)

    def _forget_many(self, call: Call) -> Response:
        (body,) = objects_in(call.request.body, "object", "images")
        wanted = body.get("uids") or ()
        if not isinstance(wanted, list):
            raise refuse(400, "uids must be an array of numbers")
        with self._estate.store.writing():
            for record in list(self._records.all()):
                if record["image"]["image_uid"] in wanted:
                    self._records.delete(record)
        return Response(204)

    def _register(self, call: Call) -> Response:
        """Source: reference, policies 14.1: `{images: [{registry, repository, tag}]}`; a single one stands alone."""
        (body,) = objects_in(call.request.body, "object", "images")
        now = self._estate.clock.now()
        with self._estate.store.writing():
            for few in _named(body if "images" in body else {"images": [body]}):
                if self._estate.store.named("Registry", few["registry"]) is None:
                    raise refuse(404, f"registry {few['registry']} doesn't exist")
                if self._records.get(few["registry"], few["repository"], few["tag"]) is None:
                    self._records.put(self._estate.judged(record_of(few, {}, now)))
        return answer(201, {})

    def _rescan(self, call: Call) -> Response:
        for record in self._meant(call):
            with self._estate.store.writing():
                self._records.put(self._estate.rescanned(record))
        return answer(201, {})

    def _permit(self, call: Call, *, allow: bool) -> Response:
        (body,) = objects_in(call.request.body, "object", "images")
        verdict = (allow, not allow, "allow" if allow else "block", call.user, str(body.get("comment") or ""))
        for record in self._meant(call):
            image = {**record["image"], **dict(zip(_VERDICTS, verdict, strict=True))}
            with self._estate.store.writing():
                self._records.put(self._estate.judged({**record, "image": image}))
        return answer(201, {})

    def _meant(self, call: Call) -> list[Record]:
        (body,) = objects_in(call.request.body, "object", "images")
        return [self._estate.find(few["registry"], few["repository"], few["tag"]) for few in _named(body)]

    def _permissions(self, call: Call) -> Response:
        rows = [
            {name: record["image"][name] for name in ("registry", "repository", "tag", "name", *_VERDICTS)}
            for record in self._estate.all()
            if record["image"]["permission"]
        ]
        return paged(rows, call.request.query)

    def _ci(self, call: Call) -> Record:
        registry, name = call.parts
        return self._estate.find(registry, *_split(name))

    def _status(self, call: Call) -> Response:
        status = {"finished": "Scanned", "failed": "Fail"}.get(self._ci(call)["image"]["scan_status"], "Pending")
        return answer(200, {"status": status})

    def _result(self, call: Call) -> Response:
        record = self._ci(call)
        return answer(200, {**record["image"], "cves": record["findings"]})

    def _scan(self, call: Call) -> Response:
        with self._estate.store.writing():
            self._records.put(self._estate.rescanned(self._ci(call)))
        return answer(201, {"status": "Sent To Scan"})


def _summary(image: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in image.items() if name not in _SUMMARY_LACKS}


def _named(body: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    listed = body.get("images")
    if not isinstance(listed, list) or not listed:
        raise refuse(400, "no image given")
    for few in listed:
        named = {n: few.get(n) for n in ("registry", "repository", "tag")} if isinstance(few, dict) else {}
        if named and isinstance(few.get("image"), str):
            named["repository"], named["tag"] = _split(few["image"])
        if not all(isinstance(value, str) and value for value in named.values()) or not named:
            raise refuse(400, "an image needs registry, repository and tag")
        yield {name: str(value) for name, value in named.items()}


def _split(name: str) -> tuple[str, str]:
    """`library/nginx:1.25` → its repository and its tag, which is `latest` when it has none."""
    repository, _, tag = name.rpartition(":")
    return (repository, tag) if repository and "/" not in tag else (name, "latest")
