"""`auth` of a target: its members, with references to secrets resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policysync.backends.means import Secrets
from policysync.errors import Refused
from policysync.secret import Secret


@dataclass(frozen=True, slots=True)
class Auth:
    """The members of one target's `auth`, and what is usual where it states nothing."""

    members: Mapping[str, Any]
    secrets: Secrets
    usual: Mapping[str, str] = field(default_factory=dict)

    def only(self, method: str, names: Sequence[str]) -> None:
        """Refuse a member that the method does not know: misspelt, it would have no effect and nobody would know."""
        unknown = sorted(set(self.members) - {"method", "header", *names})
        if unknown:
            known = ", ".join(("method", "header", *names))
            raise Refused(f"auth.{unknown[0]} is no member of auth with method {method}; known are {known}")

    def text(self, *names: str) -> str:
        """Return the first of these members that is there; it may be a reference or stand there as it is."""
        value = self._first(names)
        return self.secrets(value).reveal() if value.startswith("${") else value

    def secret(self, name: str) -> Secret:
        """Return a member that may not stand in the file."""
        usual = self.usual.get(name)
        if usual and not self.members.get(name):
            return Secret(usual)
        value = self._first((name,))
        if not value.startswith("${"):
            raise Refused(f"auth.{name} stands in the file itself; want a reference such as ${{env:NAME}}")
        return self.secrets(value)

    def _first(self, names: Sequence[str]) -> str:
        value = next((held[name] for held in (self.members, self.usual) for name in names if held.get(name)), None)
        if not isinstance(value, str):
            raise Refused(f"auth.{names[0]} is missing; want a reference such as ${{env:NAME}}")
        return value

    def texts(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a member that is one text or a list of them."""
        value = self.members.get(name, default)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list | tuple) or not all(isinstance(each, str) and each for each in values):
            raise Refused(f"auth.{name} is {value!r}; want a text or a list of texts")
        return tuple(values)

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """Return a member that is a whole number."""
        value = self.members.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Refused(f"auth.{name} is {value!r}; want a whole number from {least} to {most}")
        return value
