"""Which form a report can take, and who writes it. A module is imported when its form is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

Render = Callable[[Any], str]

_MACHINES = {
    "github": "policysync.reports.github:render",
    "sarif": "policysync.reports.sarif:render",
    "junit": "policysync.reports.junit:render",
}

FORMATS: Mapping[str, Mapping[str, str]] = {
    "validate": {
        "text": "policysync.reports.validated:text",
        "json": "policysync.reports.validated_json:render",
        "markdown": "policysync.reports.validated_markdown:render",
        **_MACHINES,
    },
    "plan": {
        "text": "policysync.reports.planned:text",
        "json": "policysync.reports.planned:as_json",
        "markdown": "policysync.reports.planned_markdown:render",
        "html": "policysync.reports.page:planned",
        **_MACHINES,
    },
    "drift": {
        "text": "policysync.reports.planned:text",
        "json": "policysync.reports.planned:as_json",
        "markdown": "policysync.reports.planned_markdown:render",
        "html": "policysync.reports.page:planned",
        **_MACHINES,
    },
    "apply": {
        "text": "policysync.reports.outcome:text",
        "json": "policysync.reports.outcome:as_json",
        "markdown": "policysync.reports.outcome_markdown:render",
    },
    "status": {
        "text": "policysync.reports.status:text",
        "json": "policysync.reports.status:as_json",
        "markdown": "policysync.reports.status_markdown:render",
    },
    "diff": {
        "text": "policysync.reports.differences:text",
        "json": "policysync.reports.differences:as_json",
        "markdown": "policysync.reports.differences_markdown:render",
    },
    "raw": {
        "text": "policysync.reports.raw:text",
        "json": "policysync.reports.raw:as_json",
        "markdown": "policysync.reports.raw:markdown",
    },
    "history": {
        "text": "policysync.reports.history:history_text",
        "json": "policysync.reports.history:as_json",
        "markdown": "policysync.reports.history_markdown:render",
    },
}
"""Command → form → `module:function`, which takes the command's view and returns the text."""


def render(command: str, form: str) -> Render:
    """Return what writes a form of the report of a command."""
    module, _, function = FORMATS[command][form].partition(":")
    found: Render = getattr(importlib.import_module(module), function)
    return found
