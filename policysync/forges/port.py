"""What policysync wants of the place where people review, whoever runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, order=True, slots=True)
class Approval:
    """One person's yes.

    `revision` is the commit that was looked at, in full. `at` is in UTC.
    """

    at: datetime
    who: str
    revision: str


class Forge(Protocol):
    """A git host's side of reviewing. Everything can be done twice: the second time finds what the first one made.

    All of them raise:
        Refused: it will never work so, for example for want of a right; the message names the right.
        Unavailable: the host is busy or gone, and waiting for it did not help.
    """

    def comment(self, number: int, marker: str, text: str) -> str:
        """Make the one comment of `marker` on a pull request say `text`, and return its address.

        A comment somebody else wrote is never taken for ours, whatever it says.
        """

    def issue(self, marker: str, title: str, text: str | None, labels: Sequence[str] = ()) -> str | None:
        """Make the one open issue of `marker` say `text`, or close it when `text` is None.

        Returns its address; None when there was nothing to close.
        """

    def pull_request(self, branch: str, base: str, title: str, body: str) -> str:
        """Open the pull request from `branch` into `base`, or update the one that is open; return its address."""

    def approvals(self, path: str, revision: str) -> tuple[Approval, ...]:
        """Return who approved the pull requests into the default branch that brought `revision`, oldest first.

        Only owners of `path` count, as CODEOWNERS named them before the pull request, never its author, and of each
        only the last word, said about the last commit. Without an owner of `path` nobody's word counts.
        """
