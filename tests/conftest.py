"""What every test may use."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_OURS = ("GITHUB_CONTRACT", "POLICYSYNC_FUZZ", "POLICYSYNC_KUBERNETES")
_THEIRS = ("AWS_", "CI_", "GIT_", "GITHUB_", "GITLAB_", "HELM_", "KUBE", "POLICYSYNC_", "RUNNER_", "VAULT_")
_TERMINAL = ("CI", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "XDG_CONFIG_HOME")
# Without these a fork can stand for more of the interpreters that tests start, see `zygote.asking.fits`.
_PYTHON = ("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTHONWARNINGS")


def says_where_it_runs(name: str) -> bool:
    """Return whether a variable tells of the machine, its user, the pipeline or the way to the network."""
    told = name.startswith(_THEIRS) or name in (*_TERMINAL, *_PYTHON) or name.lower().endswith("_proxy")
    return told and name not in _OURS


# Before any test is loaded, because some of them take what they need from here then.
for _name in filter(says_where_it_runs, tuple(os.environ)):
    del os.environ[_name]
os.environ["GIT_CONFIG_GLOBAL"] = str(Path(__file__).with_name("gitconfig"))
os.environ["GIT_CONFIG_NOSYSTEM"] = "1"

# How long an example takes says how busy the machine is, and nothing else. The same ones every time: a run that finds
# something new has to be one that looks for it, with `make fuzz`.
settings.register_profile(
    "patient",
    settings(),
    deadline=None,
    derandomize="POLICYSYNC_FUZZ" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update", action="store_true", help="write the golden files again instead of comparing them")


# Their tests take longest, so nobody should begin with one when all others are done.
_LONG = ("test_promotion_story.py", "test_workflows.py", "test_recovery.py", "test_promotion.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each worker some of the long tests, to begin with: each gets one piece of the list first."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.path.name in _LONG]
    short = [item for item in items if item.path.name not in _LONG]
    size = -(-len(short) // workers)
    items[:] = (item for n in range(workers) for item in (*long[n::workers], *short[n * size : (n + 1) * size]))


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
