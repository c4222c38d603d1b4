"""Who holds a lock, and how that is written down."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

_FOR_EVER = "9999-12-31T23:59:59+00:00"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, since when and until when. Times are ISO 8601, in UTC; `link` is the pipeline run's page."""

    by: str
    host: str
    pid: int
    since: str
    until: str
    link: str = ""

    @property
    def gave_it_back(self) -> bool:
        """Whether the lock ended when it began, which is how one is given back where no ref may be deleted."""
        return self.until == self.since

    def ended(self, now: datetime) -> bool:
        """Return whether the time is over."""
        return datetime.fromisoformat(self.until) <= now

    def __str__(self) -> str:
        return f"{self.by} on {self.host} since {self.since}{f' ({self.link})' if self.link else ''}"


def dump(holder: Holder) -> bytes:
    """Return what a lock says."""
    return json.dumps(asdict(holder), indent=1).encode()


def load(text: bytes) -> Holder:
    """Return who a lock says holds it; a lock nobody can read is held by somebody, for ever."""
    try:
        said = json.loads(text)
        link = said.get("link", "")
        holder = Holder(said["by"], said["host"], int(said["pid"]), said["since"], said["until"], link)
        if datetime.fromisoformat(holder.until).tzinfo is not None and all(
            isinstance(v, str) for v in (holder.by, link)
        ):
            return holder
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        pass
    return Holder(
        "somebody who wrote it in a form not known here", "a machine not known", 0, "a time not known", _FOR_EVER
    )
