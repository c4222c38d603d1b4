"""One mistake is one line: what only follows from something that is told anyway is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from policysync.documents.expand import MISPLACED
from policysync.documents.finding import Finding
from policysync.errors import Problem


def causes(found: Sequence[Finding]) -> Iterator[Finding]:
    """Yield each finding of a schema once, without those that follow from another one.

    A member that is misspelt is not missing as well, and a value of a wrong type breaks every other rule besides.
    """
    meant = {(*finding.path[:-1], finding.meant) for finding in found if finding.meant}
    mistyped = {finding.path for finding in found if finding.code == "type"}
    for finding in dict.fromkeys(found):
        if finding.path not in meant and (finding.path not in mistyped or finding.code == "type"):
            yield finding


def causes_in_files(written: Sequence[Problem], found: Sequence[Problem]) -> Iterator[Problem]:
    """Yield what is wrong with references and secrets as they are written, then with values, without what follows.

    A reference in a misspelt member stands outside a secret one, and what stands in for a broken reference, or for a
    secret in clear text, may break rules of the schema.
    """
    unknown = {(problem.where.file, problem.pointer) for problem in found if problem.code == "unknown-field"}
    first = [problem for problem in written if problem.code != MISPLACED or not _is_inside(problem, unknown)]
    places = {problem.where for problem in first}
    yield from first
    yield from (problem for problem in found if problem.where not in places)


def _is_inside(problem: Problem, members: Set[tuple[str, str]]) -> bool:
    """Whether a problem is about something in, or at, some members, each a file and a pointer."""
    steps = problem.pointer.split("/")
    return any((problem.where.file, "/".join(steps[:length])) in members for length in range(2, len(steps) + 1))
