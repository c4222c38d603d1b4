"""What the ledger holds at one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policysync.apply.gitstore import blob_id

Files = dict[str, bytes | None]
"""What a commit changes, by path; None takes a file away."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What the ledger holds at one commit: blobs by path. Empty where there is no ledger yet."""

    commit: str = ""
    blobs: Mapping[str, str] = field(default_factory=dict)

    def below(self, folder: str) -> list[str]:
        """Return every path below a folder."""
        return [path for path in self.blobs if path.startswith(folder)]

    def different(self, files: Files) -> Files:
        """Return those files that are not so already."""
        return {path: content for path, content in files.items() if not self._has(path, content)}

    def _has(self, path: str, content: bytes | None) -> bool:
        blob = self.blobs.get(path)
        if content is None or blob is None:
            return content is None and blob is None
        return blob == blob_id(content, like=blob)
