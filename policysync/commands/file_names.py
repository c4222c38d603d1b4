"""Names of resources → names of files that every file system takes, and that no two resources share."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

_LONGEST = 80
# Windows keeps these for devices, whatever ending follows.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])\Z")


def slug(name: str) -> str:
    """Return a name for a file: lower-case letters, digits and dashes; a name with none of these gets a digest."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST].rstrip("-")
    if not words:
        return f"name-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return f"{words}-1" if _DEVICES.match(words) else words


class FileNames:
    """Gives out files below a folder. A file that is there, or was given out, is never given again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._given: dict[Path, set[str]] = {}

    def file(self, below: str, name: str) -> Path:
        """Return a file for a resource in the folder `below`."""
        folder = self.folder / below
        if folder not in self._given:
            there = folder.iterdir() if folder.is_dir() else ()
            self._given[folder] = {file.stem.lower() for file in there}
        given = self._given[folder]
        first = stem = slug(name)
        number = 2
        while stem in given:
            stem = f"{first}-{number}"
            number += 1
        given.add(stem)
        return folder / f"{stem}.yaml"
