"""The five calls of every kind: list, get, create, update, delete."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator import paging
from policysync.emulator.bodies import objects_in
from policysync.emulator.exchange import JSON, Request, Response, refuse
from policysync.emulator.objects import Reading, complete
from policysync.emulator.routes import Route
from policysync.emulator.served import Served, served
from policysync.emulator.settings import Settings
from policysync.emulator.stamps import Stamp, stamp
from policysync.emulator.store import Store, Stored
from policysync.kinds.kind import Kind

_DAY = 86400.0
_PRODUCT = "system"
"""The author of what the product ships."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as it is understood. `ident` is the name in the path, decoded."""

    route: Route
    ident: str
    request: Request
    user: str


class Rest:
    """The collections of one console."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self._served: dict[str, Served] = {}
        self._turn = count()
        self._operations: Mapping[str, Callable[[Call], Response]] = {
            "list": self._list,
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
        }

    def answer(self, call: Call) -> Response:
        return self._operations[call.route.operation](call)

    def served(self, kind: Kind) -> Served:
        if kind.name not in self._served:
            self._served[kind.name] = served(kind, self.settings)
        return self._served[kind.name]

    def _list(self, call: Call) -> Response:
        query, api = call.request.query, call.route.api
        names = [kind.name for kind in call.route.kinds]
        self.store.expire(self.clock.now().timestamp())
        page = paging.page_of(query, api)
        total = None if query.get("skip_count") == "true" else self.store.count(names)
        harsh = self.settings.quirks == "harsh"
        if harsh and total is not None:
            total += 1
        start, size = (page.start, page.size) if not harsh else page.shifted
        items = self.store.page(names, page.order, start, size)
        return paging.wrap(items, total, page, api, null=harsh)

    def _get(self, call: Call) -> Response:
        found = self.store.get([kind.name for kind in call.route.kinds], call.ident)
        if found is not None:
            return Response(200, found.body, (JSON,))
        if self.settings.quirks == "harsh":
            return Response(200, orjson.dumps(dict.fromkeys(call.route.kinds[0].key, "")), (JSON,))
        missing = call.route.api.get("missing", [404])
        raise self._missing(call, 404 if 404 in missing else missing[0])

    def _create(self, call: Call) -> Response:
        api = call.route.api
        noun = self.served(call.route.kinds[0]).noun
        made = []
        with self.store.writing():
            bodies = objects_in(call.request.body, api.get("body", "object"), noun)
            if not bodies:
                raise refuse(400, f"no {noun} given")
            for body in bodies:
                kind = self._kind_for(body, call)
                made.append(self.put(kind, body, None, call))
        if api.get("answer") == "array":
            return self._done(api, b"[" + b",".join(stored.body for stored in made) + b"]")
        done = self._done(api, made[0].body)
        # Where an id is only known to the server, an empty answer has to say it (reference, policies 11).
        where = f"{call.request.path}/{made[0].ident}"
        one = self.served(call.route.kinds[0])
        known = done.body or one.by_name or not one.id_member
        return done if known else replace(done, headers=(*done.headers, ("location", where)))

    def _update(self, call: Call) -> Response:
        with self.store.writing():
            before = self._existing(call)
            kind = next(kind for kind in call.route.kinds if kind.name == before.kind)
            one = self.served(kind)
            builtin = kind.builtin(before.key, orjson.loads(before.body))
            if builtin is not None and not builtin.editable:
                raise refuse(403, f"{one.noun} {before.key} is built in and cannot be changed")
            (body,) = objects_in(call.request.body, call.route.api.get("body", "object"), one.noun)
            if one.by_name:
                body[one.id_member] = before.ident
            stored = self.put(kind, body, before, call)
        return self._done(call.route.api, stored.body)

    def _delete(self, call: Call) -> Response:
        form = call.route.api.get("body")
        with self.store.writing():
            gone = self._wrapped(call, form) if form else [self._existing(call)]
            for stored in gone:
                kind = next(kind for kind in call.route.kinds if kind.name == stored.kind)
                if kind.builtin(stored.key, orjson.loads(stored.body)) is not None:
                    raise refuse(400, f"{self.served(kind).noun} {stored.key} is built in and cannot be deleted")
            self.store.delete([stored.number for stored in gone])
        return self._done(call.route.api, gone[0].body)

    def put(self, kind: Kind, body: dict[str, Any], before: Stored | None, call: Call | None) -> Stored:
        """Complete and store one object, inside `Store.writing`. Without a call it is the product's own.

        Raises:
            Answered: the body is refused, or the name is taken.
        """
        one = self.served(kind)
        body = one.request_names(body)
        key = kind.name_of(body)
        self._check(one, body, key)
        replaced = before or self._twin(one, key)
        done = self._completed(one, body, before, call)
        ident = str(done.get(one.id_member) or "") if one.id_member else str(self.store.number())
        shown, summary = one.written(done)
        stored = Stored(
            number=replaced.number if replaced else 0,
            kind=kind.name,
            ident=before.ident if before else ident,
            key=key,
            scope=kind.scope,
            body=shown,
            summary=summary,
            expires=self._expiry(done),
        )
        self.store.put(stored)
        return stored

    def _completed(self, one: Served, body: dict[str, Any], before: Stored | None, call: Call | None) -> dict[str, Any]:
        reading = Reading(
            noun=one.noun,
            raw=call.request.body if call else b"",
            creating=before is None or call is None,
            trusted=call is None,
            odd=zlib.crc32(one.kind.name_of(body).encode()) % 2 == 1,
            secrets=self.settings.secrets,
        )
        done: dict[str, Any] = complete(one.shape, body, reading)
        how = Stamp(call.user if call else _PRODUCT, self.clock.now(), self.store.number)
        stamp(one.shape, done, orjson.loads(before.body) if before else None, how, one.id_member)
        self._embed(one, done)
        return done

    def _check(self, one: Served, body: Mapping[str, Any], key: str) -> None:
        if not key:
            raise refuse(400, f"{one.noun} {' or '.join(one.kind.key)} is required")
        for name, only in one.fixed.items():
            if body.get(name) not in (None, "", only):
                raise refuse(400, f"{name} {body[name]!r} does not match {only!r} of the URL")

    def _twin(self, one: Served, key: str) -> Stored | None:
        """Return the object a new one silently takes the place of. Where names are URLs, a taken name is refused."""
        twin = self.store.named(one.kind.scope, key)
        if twin is None or (one.id_member and not one.by_name and not one.kind.api["create"].get("conflict")):
            return None
        if one.id_member:
            raise refuse(409, f"{one.noun} {key} already exists")
        return twin

    def _embed(self, one: Served, done: dict[str, Any]) -> None:
        """Copy scripts into the policies that name them by id (reference, policies 4 and 13)."""
        for embedded in one.embedded:
            shape = (one.shape.members or {})[embedded.member].each
            for item in done.get(embedded.member) or ():
                found = self.store.get(embedded.kinds, str(item.get(embedded.id_member) or ""))
                if found is not None and shape is not None and shape.members is not None:
                    copy = orjson.loads(found.body)
                    item.update({name: copy[name] for name in shape.members if copy.get(name) and not item.get(name)})

    def _expiry(self, done: dict[str, Any]) -> float | None:
        days = done.get("expiration_days")
        return self.clock.now().timestamp() + days * _DAY if days else None

    def _kind_for(self, body: Mapping[str, Any], call: Call) -> Kind:
        kinds = call.route.kinds
        for kind in kinds:
            where = kind.api.get("list", {}).get("where", {})
            if all(
                body.get(name) in ((value, None, "") if kind is kinds[0] else (value,)) for name, value in where.items()
            ):
                return kind
        names = kinds[0].api["list"]["where"]
        raise refuse(400, f"unsupported {', '.join(f'{name} {body.get(name)!r}' for name in names)}")

    def _existing(self, call: Call) -> Stored:
        found = self.store.get([kind.name for kind in call.route.kinds], call.ident)
        if found is None:
            raise self._missing(call, 404)
        return found

    def _wrapped(self, call: Call, form: Any) -> list[Stored]:
        one = self.served(call.route.kinds[0])
        bodies = objects_in(call.request.body, form, one.noun)
        keys: Iterable[str] = (one.kind.name_of(one.request_names(body)) for body in bodies)
        found = [stored for key in keys if (stored := self.store.named(one.kind.scope, key))]
        if not found:
            raise self._missing(call, 404)
        return found

    def _missing(self, call: Call, status: int) -> Exception:
        return refuse(status, f"{self.served(call.route.kinds[0]).noun} doesn't exist")

    def _done(self, api: Mapping[str, Any], body: bytes) -> Response:
        accepted = api.get("success", [200])
        status = int(api.get("canonical", accepted[0]))
        if self.settings.success == "varied":
            status = int(accepted[next(self._turn) % len(accepted)])
        if status == 204 or api.get("answer", "empty") == "empty":
            return Response(status)
        return Response(status, body, (JSON,))
