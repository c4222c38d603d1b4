"""JUnit XML, which every CI system reads: one test case for each thing that was looked at."""

from __future__ import annotations

import re
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from policysync.reports.findings import Case, Mark, Reported

# What XML 1.0 cannot hold, escaped or not. Source: XML 1.0, section 2.2, "Char".
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(view: Reported) -> str:
    """Return the findings as test suites. A case fails with the text of everything found there."""
    findings = view.findings()
    root = Element("testsuites", name=f"policysync {findings.command}")
    suites = [(name, list(cases)) for name, cases in groupby(findings.cases, key=lambda case: case.suite)]
    for name, cases in suites:
        suite = SubElement(root, "testsuite", {"name": _legal(name), **_counts(cases)})
        for case in cases:
            _add(suite, case)
    for name, count in _counts(list(findings.cases)).items():
        root.set(name, count)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode")


def _counts(cases: list[Case]) -> dict[str, str]:
    failed = sum(case.failed for case in cases)
    return {"tests": str(len(cases)), "failures": str(failed), "errors": "0", "skipped": "0", "time": "0"}


def _add(suite: Element, case: Case) -> None:
    line = next((mark.where.line for mark in case.marks if mark.where.line), 0)
    test = SubElement(suite, "testcase", name=_legal(case.name), classname=_legal(case.suite), time="0")
    if case.file:
        test.set("file", _legal(case.file))
    if case.file and line:
        test.set("line", str(line))
    if case.failed:
        first = case.marks[0]
        failure = SubElement(test, "failure", message=_legal(first.message), type=_legal(first.code))
        failure.text = _legal("\n".join(map(_line, case.marks)))
    elif case.marks or case.text:
        out = SubElement(test, "system-out")
        out.text = _legal("\n".join([*([case.text] if case.text else []), *map(_line, case.marks)]))


def _line(mark: Mark) -> str:
    about = f" {mark.about}:" if mark.about else ""
    return f"{mark.where}: {mark.level}:{about} {mark.message} [{mark.code}]"


def _legal(text: str) -> str:
    """Return a text in which what XML cannot hold is spelt out."""
    return _ILLEGAL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
