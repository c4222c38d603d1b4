"""What every test may use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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
    """Say what ran against what: a test that was left out is never left out in silence."""
    reports = [report for group in ("passed", "failed") for report in terminalreporter.stats.get(group, ())]
    against = Counter(
        value for r in reports if r.when == "call" for name, value in r.user_properties if name == "against"
    )
    for said, count in sorted(against.items()):
        terminalreporter.write_line(f"systems: {count} tests against {said}")
    for said in _of_clusters(reports):
        terminalreporter.write_line(f"clusters: {said}")
    for said in _left_out(terminalreporter.stats.get("skipped", ())):
        terminalreporter.write_line(f"NOT run: {said}")


def _of_clusters(reports: Sequence[pytest.TestReport]) -> Iterator[str]:
    files = ("test_kubernetes.py", "test_declared_policies.py")
    ours = [r for r in reports if any(file in r.nodeid for file in files) and "[memory" not in r.nodeid]
    ran = [str(value) for report in ours for name, value in report.user_properties if name == "system"]
    if ours:
        yield f"{sum(report.passed and report.when == 'call' for report in ours) - len(ran)} tests against the stand-in"
    yield from sorted(ran)


def _left_out(reports: Sequence[pytest.TestReport]) -> Iterator[str]:
    """Yield each reason there is for leaving tests out, with the files they stand in and how many they are."""
    found: dict[str, Counter[str]] = {}
    for report in reports:
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        found.setdefault(why.removeprefix("Skipped: "), Counter())[report.nodeid.partition("::")[0]] += 1
    for why, files in sorted(found.items()):
        yield f"{why} ({', '.join(f'{count} of {file}' for file, count in sorted(files.items()))})"


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
