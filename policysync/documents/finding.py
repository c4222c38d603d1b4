"""What is wrong with one resource, before anybody has looked up where it stands."""

from __future__ import annotations

from typing import NamedTuple

NAME, DOCUMENT = "/metadata/name", ""
"""Pointers outside the spec: of a name, and of the whole document."""
Path = tuple[str, ...]
"""Steps inside a spec: member names, and the positions of list elements as text."""


# A named tuple, like most that passes between these modules: making a dataclass takes ten times as long at import,
# and one-file validate has to start quickly.
class Finding(NamedTuple):
    """One thing that is wrong (or, as a warning, unwise) at a path inside a spec.

    `at_key` says that the member's name is what is wrong, not its value. `envelope` is the pointer of what stands
    outside the spec, in its place. `meant` is the member of the same mapping that a misspelt one was probably to be,
    where nobody states that.
    """

    path: Path
    message: str
    code: str
    warning: bool = False
    at_key: bool = False
    envelope: str | None = None
    meant: str = ""
