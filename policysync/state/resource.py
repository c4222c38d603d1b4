"""A resource: one object of a console, cluster or account, as git or the backend says it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from policysync.errors import Location


class Address(NamedTuple):
    """What a resource is called: its kind and its natural key."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address that `Kind/name` stands for; the name may hold slashes.

        Raises:
            ValueError: there is no slash, or nothing on one side of it.
        """
        kind, _, name = text.partition("/")
        if not kind or not name:
            raise ValueError(f"{text!r} is not Kind/name")
        return cls(kind, name)


class Hindrance(NamedTuple):
    """Why a resource can neither be compared nor changed at the moment.

    `state` is "unreadable" (it is there, or may be, and cannot be read) or "blocked" (what would hold it is missing);
    `reason` is a stable code, `message` a sentence that says what to do.
    """

    state: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}: {self.message}"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource in normal form.

        attribute   desired                        live
        spec        only what git states           everything the schema knows, defaults filled
        id          empty                          the backend's own id, where it differs from the name
        raw         empty                          the body as it came, fields newer than our schema included
        where       the document                   empty

    A live resource with a `hindrance` is there, and its spec says nothing. `rotated` are pointers into a live spec to
    where its target still has the value a secret had before: nobody changed it there.

    `labels`, `targets`, `protect` and `bound` come from git and are empty on a live resource. `bound` are the options
    that the target has to have, as far as its document says so beside the spec.
    Sensitive values are `Secret`s on both sides.
    """

    address: Address
    spec: Mapping[str, Any]
    id: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    protect: bool = False
    where: Location = Location("")
    hindrance: Hindrance | None = None
    bound: Mapping[str, Any] = field(default_factory=dict, compare=False)
    rotated: tuple[str, ...] = ()
