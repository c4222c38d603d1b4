"""Completing a body and storing it: what every write of every kind ends with."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator.exchange import refuse
from policysync.emulator.objects import Reading, complete
from policysync.emulator.quirks.scene import Scene
from policysync.emulator.quirks.table import quirk_of
from policysync.emulator.served import Served, served
from policysync.emulator.settings import Settings
from policysync.emulator.stamps import Stamp, stamp
from policysync.emulator.store import Store, Stored
from policysync.kinds.kind import Kind

_DAY = 86400.0
_PRODUCT = "system"
"""The author of what the product ships."""


class Keeper:
    """Knows how each kind is stored."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self._served: dict[str, Served] = {}

    def served(self, kind: Kind) -> Served:
        if kind.name not in self._served:
            self._served[kind.name] = served(kind, self.settings)
        return self._served[kind.name]

    def scene(self, kind: Kind, user: str = _PRODUCT) -> Scene:
        """Return what quirks may know."""
        return Scene(kind, self.store, self.settings, self.clock.now(), user)

    def put(
        self, kind: Kind, body: dict[str, Any], before: Stored | None, user: str | None = None, raw: bytes = b""
    ) -> Stored:
        """Complete and store one object, inside `Store.writing`. Without a user it is the product's own.

        Raises:
            Answered: the body is refused, or the name is taken.
        """
        one = self.served(kind)
        body = one.request_names(body)
        key = kind.name_of(body)
        self._check(one, body, key)
        replaced = before or self._twin(one, key)
        done = self._completed(one, body, before, user, raw)
        ident = str(done.get(one.id_member) or key) if one.id_member else key if not kind.key else ""
        shown, summary = one.written(done)
        stored = Stored(
            number=replaced.number if replaced else 0,
            kind=kind.name,
            ident=before.ident if before else ident or str(self.store.number()),
            key=key,
            scope=kind.scope,
            body=shown,
            summary=summary,
            expires=self._expiry(done),
        )
        self.store.put(stored)
        return stored

    def _completed(
        self, one: Served, body: dict[str, Any], before: Stored | None, user: str | None, raw: bytes
    ) -> dict[str, Any]:
        if user is None and one.kind.read_only:
            return body
        quirk = quirk_of(one.kind)
        scene = self.scene(one.kind, user or _PRODUCT)
        earlier = orjson.loads(before.body) if before else None
        reading = Reading(
            noun=one.noun,
            raw=raw,
            creating=before is None or user is None,
            trusted=user is None,
            odd=zlib.crc32(one.kind.name_of(body).encode()) % 2 == 1,
            secrets=self.settings.secrets,
            strict=self.settings.strict and user is not None,
        )
        done: dict[str, Any] = complete(one.shape, body, reading)
        if user is not None:
            # A habit reads members of the body: by now each is of its type.
            changed = quirk.before(scene, body, earlier)
            done = complete(one.shape, changed, reading) if changed is not body else done
            body = changed
        how = Stamp(user or _PRODUCT, self.clock.now(), self.store.number)
        stamp(one.shape, done, earlier, how, one.id_member)
        self._embed(one, done, trusted=user is None)
        return quirk.after(scene, done, body, earlier)

    def _check(self, one: Served, body: Mapping[str, Any], key: str) -> None:
        if not key:
            raise refuse(400, f"{one.noun} {' or '.join(one.kind.key)} is required")
        for name, only in one.fixed.items():
            if body.get(name) not in (None, "", only):
                raise refuse(400, f"{name} {body[name]!r} does not match {only!r} of the URL")

    def _twin(self, one: Served, key: str) -> Stored | None:
        """Return the object a new one silently takes the place of. Where names are URLs, a taken name is refused."""
        twin = self.store.named(one.kind.scope, key)
        create = one.kind.api.get("create") or {}
        if twin is None or one.kind.slots or not one.kind.key or one.kind.read_only:
            return twin
        if one.id_member and not one.by_name and not create.get("conflict"):
            return None
        if one.id_member:
            raise refuse(409, f"{one.noun} {key} already exists")
        return twin

    def _embed(self, one: Served, done: dict[str, Any], *, trusted: bool) -> None:
        """Copy scripts into the policies that name them by id (reference, policies 4 and 13).

        Raises:
            Answered: there is no such script: 400 (guess).
        """
        for embedded in one.embedded:
            shape = (one.shape.members or {})[embedded.member].each
            for item in done.get(embedded.member) or ():
                ident = str(item.get(embedded.id_member) or "")
                found = self.store.get(embedded.kinds, ident)
                if found is None and ident and embedded.must_exist and not trusted:
                    raise refuse(400, f"{embedded.member}: {embedded.id_member} {ident} doesn't exist")
                if found is not None and shape is not None and shape.members is not None:
                    copy = orjson.loads(found.body)
                    item.update({name: copy[name] for name in shape.members if copy.get(name) and not item.get(name)})

    def _expiry(self, done: Mapping[str, Any]) -> float | None:
        days = done.get("expiration_days")
        return self.clock.now().timestamp() + days * _DAY if days else None
