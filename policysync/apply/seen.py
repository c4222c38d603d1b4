"""Where the ledger stood when it was last read here.

A ref that somebody rewrote, or took away, looks like any other ref. What is remembered in
`.policysync/ledger/<stage>.json` tells it from one that has only grown, and an empty ledger from a lost one.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from policysync.apply.gitstore import GitStore
from policysync.apply.journal import prepare
from policysync.apply.layout import encode


class Seen:
    """The newest commit of a stage's ledger that this folder knows of."""

    def __init__(self, root: Path, stage: str, ref: str) -> None:
        self.ref = ref
        self.stage = stage
        self.file = root / ".policysync" / "ledger" / f"{encode(stage)}.json"

    def tip(self) -> str:
        """Return the commit; empty when none was seen, or nobody can read what was written down."""
        try:
            said = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        tip = said.get("tip") if isinstance(said, dict) else None
        return tip if isinstance(tip, str) and tip.isalnum() else ""

    def remember(self, tip: str) -> None:
        """Write a commit down, where the folder can be written."""
        with suppress(OSError):
            prepare(self.file.parent)
            beside = self.file.with_name(f"{self.file.name}.{token_hex(4)}")
            beside.write_text(json.dumps({"tip": tip}) + "\n", encoding="utf-8")
            beside.replace(self.file)

    def doubt(self, store: GitStore, before: str, tip: str) -> str:
        """Return what is wrong with a ledger that stands at `tip` and was seen at `before`, or nothing.

        `before` has to be read before the ref is: another run may be writing both.
        """
        if not before or before == tip:
            return ""
        if not tip:
            return (
                f"the ledger of {self.stage} is missing: it was at {before[:12]} when it was last read here. Bring it "
                f"back with `git update-ref {self.ref} {before}`, or delete {self.file} to begin a new one"
            )
        if store.contains(tip, before):
            return ""
        return (
            f"the ledger of {self.stage} was rewritten: it is at {tip[:12]}, which does not come after {before[:12]}, "
            f"where it was when it was last read here. Find out who did that and why; when it is right as it is, "
            f"delete {self.file}"
        )
