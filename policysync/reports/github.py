"""Workflow commands, which GitHub shows as annotations on the lines of a pull request."""

from __future__ import annotations

from collections import Counter

from policysync.reports.findings import ERROR, LEVELS, NOTE, WARNING, Mark, Reported
from policysync.reports.view import printable

SHOWN = 10
"""How many annotations of each level GitHub shows of one step. Source: "Workflow commands", annotation limits."""

_COMMANDS = {ERROR: "error", WARNING: "warning", NOTE: "notice"}


def render(view: Reported) -> str:
    """Return one command a finding, worst first; when there are more than GitHub shows, one more that counts them."""
    findings = view.findings()
    marks = list(findings.marks())
    lines = [_command(mark) for mark in marks]
    counts = Counter(mark.level for mark in marks)
    if any(count > SHOWN for count in counts.values()):
        said = ", ".join(f"{counts[level]} of level {_COMMANDS[level]}" for level in LEVELS if counts[level])
        total = f"{said} in all; GitHub shows the first {SHOWN} of each, and the log has every one"
        # First, or it would be the one notice too many.
        lines.insert(0, f"::notice title={_property(f'policysync {findings.command}')}::{_data(total)}")
    return "\n".join([*lines, _plain(findings.summary)])


def _command(mark: Mark) -> str:
    where = mark.where
    properties = {"file": where.file, "title": f"policysync: {mark.code}"}
    if where.line:
        properties |= {"line": str(where.line), "col": str(where.column)}
    stated = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    about = f"{mark.about}: " if mark.about else ""
    return f"::{_COMMANDS[mark.level]} {stated}::{_data(about + mark.message)}"


def _data(text: str) -> str:
    """Return a text as GitHub's own toolkit escapes the message of a command."""
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _plain(text: str) -> str:
    """Return a line that the runner cannot take for a command."""
    return printable(text).replace("::", ": :")
