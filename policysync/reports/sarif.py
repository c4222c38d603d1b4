"""SARIF 2.1.0, which code scanning reads.

Sources: OASIS, Static Analysis Results Interchange Format 2.1.0 with errata 01; GitHub, "SARIF support for code
scanning".
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any
from urllib.parse import quote

from policysync.reports.findings import ERROR, NOTE, WARNING, Findings, Mark, Reported
from policysync.reports.rules import rule
from policysync.version import VERSION

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "policysync/v1"

_ROOT = "%SRCROOT%"
_LEVELS = {ERROR: "error", WARNING: "warning", NOTE: "note"}


def render(view: Reported) -> str:
    """Return the findings as one run of a tool that is called after its command, so that several can be uploaded."""
    return json.dumps(document(view.findings()), indent=1, ensure_ascii=False)


def document(findings: Findings) -> dict[str, Any]:
    """Return a SARIF log."""
    marks = list(findings.marks())
    codes = sorted({mark.code for mark in marks})
    seen: Counter[str] = Counter()
    results = []
    for mark in marks:
        print_of = _fingerprint(mark)
        seen[print_of] += 1
        results.append(_result(mark, codes.index(mark.code), f"{print_of}:{seen[print_of]}"))
    levels = {mark.code: mark.level for mark in reversed(marks)}
    driver = {
        "name": "policysync",
        "semanticVersion": VERSION,
        "rules": [_rule(code, levels[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "/".join(filter(None, [f"policysync {findings.command}", findings.scope])) + "/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str, level: str) -> dict[str, Any]:
    said = rule(code)
    return {
        "id": code,
        "shortDescription": {"text": said.short},
        "fullDescription": {"text": said.help},
        "help": {"text": said.help},
        "defaultConfiguration": {"level": _LEVELS[level]},
        "properties": {"tags": ["policy-as-code"], "problem.severity": _severity(level)},
    }


def _severity(level: str) -> str:
    """Return what GitHub calls a level. Source: GitHub, `problem.severity`."""
    return "recommendation" if level == NOTE else level


def _result(mark: Mark, index: int, fingerprint: str) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(mark.where.file), "uriBaseId": _ROOT}}
    if mark.where.line:
        physical["region"] = {"startLine": mark.where.line, "startColumn": mark.where.column}
    location: dict[str, Any] = {"physicalLocation": physical}
    if mark.about:
        location["logicalLocations"] = [{"fullyQualifiedName": mark.about}]
    return {
        "ruleId": mark.code,
        "ruleIndex": index,
        "level": _LEVELS[mark.level],
        "message": {"text": mark.message},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: fingerprint},
    }


def _fingerprint(mark: Mark) -> str:
    """Return what stays the same when lines move."""
    parts = (mark.code, mark.where.file, mark.about, "" if mark.about else mark.message)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
