"""The result of `validate` as JSON."""

from __future__ import annotations

import json

from policysync.reports.validated import Validated

FORMAT_VERSION = 1


def render(view: Validated) -> str:
    """Return the result as JSON."""
    result = view.result
    document = {
        "format_version": FORMAT_VERSION,
        "valid": not result.errors,
        "documents": result.documents,
        "resources": result.resources,
        "stages": result.stages,
        "problems": [
            {
                "file": problem.where.file,
                "line": problem.where.line,
                "column": problem.where.column,
                "pointer": problem.pointer,
                "message": problem.message,
                "code": problem.code,
                "severity": "warning" if problem.warning else "error",
            }
            for problem in result.problems
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
