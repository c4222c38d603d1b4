"""The result of `validate`, for every report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from policysync.documents.validate import Validation
from policysync.errors import Problem
from policysync.reports.findings import ERROR, WARNING, Case, Findings, Mark, moved

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Validated(NamedTuple):
    """A validation, and the folder of the git repository in which the policy root lies; empty for its own top."""

    result: Validation
    folder: str = ""

    @property
    def summary(self) -> str:
        """What was looked at, and how much was found."""
        result = self.result
        warnings = len(result.problems) - result.errors
        found = _count(result.errors, "problem") + (f", {_count(warnings, 'warning')}" if warnings else "")
        looked_at = (
            _count(result.documents, "document"),
            _count(result.resources, "resource"),
            _count(result.stages, "stage"),
        )
        return f"{', '.join(looked_at)}: {found}"

    def by_file(self) -> dict[str, list[Problem]]:
        """Return the problems of every file that was looked at, and of those that could not be."""
        found: dict[str, list[Problem]] = {file: [] for file in self.result.files}
        for problem in self.result.problems:
            found.setdefault(problem.where.file, []).append(problem)
        return dict(sorted(found.items()))

    def findings(self) -> Findings:
        """Return one case a file. It fails when it holds an error."""
        return Findings("validate", self.summary, tuple(self._cases()))

    def _cases(self) -> Iterator[Case]:
        for file, problems in self.by_file().items():
            marks = tuple(_mark(problem, self.folder) for problem in problems)
            ordered = tuple(sorted(marks, key=lambda mark: mark.level != ERROR))
            failed = any(mark.level == ERROR for mark in marks)
            path = f"{self.folder}/{file}" if self.folder else file
            yield Case("policysync validate", file, path, ordered, failed)


def text(view: Validated) -> str:
    """Return one line for each problem. Control characters of a hostile file or file name are spelt out."""
    return "\n".join(_CONTROL.sub(lambda c: f"\\x{ord(c[0]):02x}", str(problem)) for problem in view.result.problems)


def _mark(problem: Problem, folder: str) -> Mark:
    level = WARNING if problem.warning else ERROR
    return Mark(level, problem.code, problem.message, moved(problem.where, folder), problem.pointer)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
