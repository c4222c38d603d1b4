"""Places of values in files, looked up only for files that hold a problem: such a file is read once more."""

from __future__ import annotations

from functools import lru_cache

from policysync.documents.parse import places_of
from policysync.documents.places import Places
from policysync.documents.source_file import Source
from policysync.errors import Location


class Placing:
    """Finds places in the files of one source."""

    def __init__(self, source: Source) -> None:
        self._of_file = lru_cache(maxsize=64)(lambda path: places_of(source.read(path), path))

    def document(self, path: str, index: int) -> Places:
        """Return all places of one document; none when the file has changed since it was read."""
        found = self._of_file(path)
        return found[index] if index < len(found) else Places()

    def at(self, start: Location, index: int, pointer: str, key: bool = False) -> Location:
        """Return the place of a value (or of its key) in the document that starts at `start`."""
        places = self.document(start.file, index)
        if not places.values:
            return start
        return Location(start.file, *(places.key(pointer) if key else places.value(pointer)))
