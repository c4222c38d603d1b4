"""What a quirk may know, and where it may step in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from policysync.emulator.settings import Settings
from policysync.emulator.store import Store, Stored
from policysync.kinds.kind import Kind

_ALL = 1 << 40


@dataclass(frozen=True, slots=True)
class Scene:
    """One write or read of one kind."""

    kind: Kind
    store: Store
    settings: Settings
    now: datetime
    user: str

    @property
    def plain(self) -> bool:
        """Whether the console answers without habits of its own."""
        return self.settings.quirks == "off"

    def bodies(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield every object of a kind, as a list shows it."""
        yield from map(orjson.loads, self.store.page([kind], "", 0, _ALL))


class Quirk:
    """Nothing special. A kind with habits overrides what differs."""

    def missing(self, ident: str, noun: str) -> str:
        """Return the text of a 404."""
        return f"{noun} doesn't exist"

    def instead(self, scene: Scene, body: Mapping[str, Any], stored: Stored) -> bool:
        """Return whether an update was in truth another call, which has then been carried out."""
        return False

    def before(self, scene: Scene, body: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the body as the server reads it, or refuse it."""
        return body

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        """Return the completed object as it is stored; `body` is what came in."""
        return done

    def created(self, scene: Scene, stored: Stored) -> bytes:
        """Return what the answer to a create shows."""
        return stored.body

    def shown(self, scene: Scene, body: bytes, query: Mapping[str, str]) -> bytes:
        """Return what a read shows."""
        return body

    def deleting(self, scene: Scene, stored: Stored) -> None:
        """Refuse to delete an object, or clear up behind it."""
