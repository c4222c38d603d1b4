"""A store whose refs are shared through a git remote, so that runners on different machines see one another.

The remote decides: a commit is kept here only after the remote took it, and the remote takes it only while its
ref is where the commit began (`--force-with-lease`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from policysync.apply.gitstore import GitStore, RefMoved, failed
from policysync.apply.layout import LOCKS, encode
from policysync.errors import PolicySyncError

OURS = "refs/policysync/"
SHARED = ("ledger", "lock")

_WHOLE = 2**31 - 2
"""A depth no history has. git takes one more for "all of every branch", and would fetch those as well."""


class SharedStore(GitStore):
    """Files below a ref that others write too.

    Reading goes on with what is known here when the remote cannot be reached, and `notice` says so; writing fails.
    """

    shared = True

    def __init__(self, root: Path, environ: Mapping[str, str], remote: str) -> None:
        super().__init__(root, {**environ, "GIT_TERMINAL_PROMPT": "0"})
        self.remote = remote
        self._seen = f"{OURS}remotes/{encode(remote)}/"
        self._leases: dict[str, str] = {}
        self._fetched = False

    def refresh(self) -> None:
        """Fetch what others wrote.

        Raises:
            PolicySyncError: the remote cannot be reached, or is not there.
        """
        self._fetch()
        if any(self.is_cut(tip) for tip in GitStore.tips(self, f"{self._seen}ledger/").values()):
            self._fetch(f"--depth={_WHOLE}")
        self.notice = ""

    def tips(self, prefix: str) -> dict[str, str]:
        """Return the commits of all refs below `prefix`, by ref: the remote's, or ours where they are ahead."""
        if not self._fetched:
            self._fetched = True
            try:
                self.refresh()
            except PolicySyncError as error:
                self.notice = f"{self.remote} cannot be reached, so others may have written since: {error}"
        ours = super().tips(prefix)
        length = len(self._seen)
        theirs = {OURS + ref[length:]: tip for ref, tip in super().tips(self._seen + prefix[len(OURS) :]).items()}
        bases = {ref: self._base(ref, ours.get(ref, ""), theirs.get(ref, "")) for ref in {**ours, **theirs}}
        return {ref: tip for ref, tip in bases.items() if tip}

    def delete(self, ref: str, tip: str) -> None:
        """Take a ref away, at the remote first."""
        done = self._push(ref, tip, "")
        if done.returncode:
            self._lost_or_failed(ref, tip, done)
        gone = [f"delete {name}\n" for name in (ref, self._tracking(ref)) if GitStore.tips(self, name)]
        self.ask("update-ref", "--stdin", stdin="".join(gone).encode())

    def fetched(self, ref: str) -> str:
        """Return where a ref stood at the remote when it was last asked; empty where it had none."""
        return GitStore.tips(self, self._tracking(ref)).get(self._tracking(ref), "")

    def _fetch(self, *options: str) -> None:
        refs = [f"+{OURS}{name}/*:{self._seen}{name}/*" for name in SHARED]
        quietly = ("--quiet", "--prune", "--no-tags", "--no-write-fetch-head", *options)
        self.ask("fetch", *quietly, "--", self.remote, *refs)

    def _tracking(self, ref: str) -> str:
        return self._seen + ref[len(OURS) :]

    def _base(self, ref: str, ours: str, theirs: str) -> str:
        """Return the commit to go on from, and note what the remote has to be at when it is written."""
        if ref.startswith(LOCKS):
            # The remote alone says who holds a lock: a run that died leaves its own here, long after it was taken away.
            base = theirs
        elif theirs and (not ours or self.contains(theirs, ours)):
            base = theirs
        elif not theirs or self.contains(ours, theirs):
            base = ours
        else:
            raise PolicySyncError(
                f"{ref} here and at {self.remote} have grown apart; look at both with `git log`, "
                f"then drop the one here with `git update-ref -d {ref}`"
            )
        self._leases[base] = theirs
        return base

    def _swap(self, ref: str, parent: str, written: tuple[str, str]) -> str:
        commit, holding = written
        lease = self._leases.get(parent, "")
        done = self._push(ref, lease, commit)
        if done.returncode:
            self.ask("update-ref", "-d", holding)
            self._lost_or_failed(ref, lease, done)
        taken = f"update {ref} {commit}\nupdate {self._tracking(ref)} {commit}\ndelete {holding}\n"
        self.ask("update-ref", "--stdin", stdin=taken.encode())
        # What follows goes on from here without asking again.
        self._leases[commit] = commit
        return commit

    def _lost_or_failed(self, ref: str, lease: str, done: subprocess.CompletedProcess[bytes]) -> NoReturn:
        self.refresh()
        # The texts of a lost race differ from one git host to the next; what the remote holds now does not lie.
        if self.fetched(ref) != lease:
            raise RefMoved(f"{ref} was written by another run")
        raise PolicySyncError(
            f"{self.remote} can be read and not written, so nothing can be locked or recorded there; `plan` and "
            f"`drift` need no more than that, `apply` does: {failed('push', done)}"
        )

    def _push(self, ref: str, lease: str, commit: str) -> subprocess.CompletedProcess[bytes]:
        held = f"--force-with-lease={ref}:{lease}"
        return self.run("push", "--quiet", "--no-verify", held, "--", self.remote, f"{commit}:{ref}")
