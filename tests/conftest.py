"""What every test may use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is, and nothing else.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files again instead of comparing them")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what ran against what: a test that needs a real system is never left out in silence."""
    reports = [report for group in ("passed", "failed", "skipped") for report in terminalreporter.stats.get(group, ())]
    against = Counter(
        value for r in reports if r.when == "call" for name, value in r.user_properties if name == "against"
    )
    for said, count in sorted(against.items()):
        terminalreporter.write_line(f"systems: {count} tests against {said}")
    for why in sorted({str(r.longrepr[2]) for r in reports if r.skipped and "on the PATH" in str(r.longrepr)}):
        terminalreporter.write_line(f"systems: NOT run: {why.removeprefix('Skipped: ')}")
    files = ("test_kubernetes.py", "test_declared_policies.py")
    ours = [r for r in reports if any(file in r.nodeid for file in files) and "[memory" not in r.nodeid]
    if not ours:
        return
    ran = [str(value) for report in ours for name, value in report.user_properties if name == "system"]
    left = {report.longrepr[2] for report in ours if report.skipped and "kube-apiserver" in str(report.longrepr)}
    stand_in = sum(1 for report in ours if report.passed and report.when == "call") - len(ran)
    terminalreporter.write_line(f"clusters: {stand_in} tests against the stand-in")
    for said in sorted(ran):
        terminalreporter.write_line(f"clusters: {said}")
    for why in sorted(left):
        terminalreporter.write_line(f"clusters: NOT against a real one: {why}")


class Golden:
    """Texts that were looked at once and must not change unseen."""

    def __init__(self, update: bool) -> None:
        self._update = update

    def check(self, file: Path, text: str) -> None:
        """Compare `text` with the file; with `--update`, write it."""
        if self._update:
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"{file} is missing; write it with --update and look at it"
        assert text == file.read_text(encoding="utf-8")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(request.config.getoption("--update"))
