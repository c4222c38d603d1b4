"""Names of the environment variables that stand for the secrets of adopted resources."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from policysync.commands.file_names import slug
from policysync.kinds.load import file_stem
from policysync.state.resource import Address

Path = tuple[str, ...]
_LONGEST = 60


@dataclass
class Supplies:
    """Gives out a name for each secret; no two secrets share one. `taken` are names that stand in git already."""

    taken: set[str] = field(default_factory=set)
    _given: dict[tuple[Address, Path], str] = field(default_factory=dict, init=False)

    def name(self, address: Address, path: Path) -> str:
        """Return the variable for a secret, the same one whenever it is asked for."""
        where = (address, path)
        if where not in self._given:
            first = name = variable(address, path)
            number = 2
            while name in self.taken:
                name = f"{first}_{number}"
                number += 1
            self.taken.add(name)
            self._given[where] = name
        return self._given[where]


def variable(address: Address, path: Path) -> str:
    """Return what the variable for a secret is called where no other one is called so."""
    named = slug(address.name)[:_LONGEST].rstrip("-")
    return "_".join(["AQUA", *(_upper(part) for part in (file_stem(address.kind), named, *path))])


def names_in(texts: Iterable[str]) -> set[str]:
    """Return the variables that some texts refer to."""
    return {name for text in texts for name in _REFERENCE.findall(text)}


_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def _upper(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")
