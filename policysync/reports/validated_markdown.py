"""The result of `validate` as markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policysync.errors import Problem
from policysync.reports.markdown import LIMIT, Limits, block, fit, folded, html, showing
from policysync.reports.validated import Validated


def render(view: Validated, limit: int = LIMIT) -> str:
    """Return the problems file by file, errors first."""
    bad = {file: problems for file, problems in view.by_file().items() if problems}
    files = sorted(bad.items(), key=lambda pair: all(problem.warning for problem in pair[1]))
    longest = max(map(len, bad.values()), default=0)

    def draw(limits: Limits) -> str:
        shown = files[: limits.parts]
        mark = "❌" if view.result.errors else "✅"
        pieces = ["## policysync validate", f"{mark} **{view.summary}**", *_left_out(files, shown, limits.edits)]
        pieces += [_file(file, problems, limits.edits) for file, problems in shown]
        return "\n\n".join(pieces) + "\n"

    return fit(draw, Limits(longest, 0, 0, 0, len(files)), limit)


def _left_out(
    files: Sequence[tuple[str, list[Problem]]], shown: Sequence[tuple[str, list[Problem]]], most: int
) -> Iterator[str]:
    seen = sum(min(len(problems), most) for _, problems in shown)
    total = sum(len(problems) for _, problems in files)
    said = [showing(len(shown), len(files), "files"), showing(seen, total, "problems")]
    if any(said):
        text = ", ".join(filter(None, said))
        yield f"> {text[0].upper()}{text[1:]}. The text of `policysync validate` has all of them."


def _file(file: str, problems: list[Problem], most: int) -> str:
    ordered = sorted(problems, key=lambda problem: problem.warning)
    errors = sum(not problem.warning for problem in problems)
    warnings = len(problems) - errors
    counts = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((errors, "problem"), (warnings, "warning"))
        if count
    ]
    lines = [str(problem) for problem in ordered[:most]]
    return folded(f"{html(file)}: {', '.join(counts)}", [block(lines)] if lines else [], opened=bool(errors))
