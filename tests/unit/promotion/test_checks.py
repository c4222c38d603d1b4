"""Checks that gates ask for: programs and addresses, as they really end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from policysync.documents.gate_settings import Check
from policysync.promotion.checks import checked
from policysync.secret import Secret

PYTHON = sys.executable


def program(root: Path, code: str, **environ: str) -> tuple[bool, str]:
    found = checked(Check((PYTHON, "-c", code), timeout=timedelta(seconds=20)), root, environ)
    return found.passed, found.said.replace(f"`{PYTHON} -c {code}` ", "")


def test_a_program_runs_in_the_root_without_a_shell(tmp_path: Path) -> None:
    assert program(tmp_path, "import os; assert os.getcwd() == os.environ['R']", R=str(tmp_path)) == (
        True,
        "ended with 0",
    )
    assert program(tmp_path, "import sys; sys.exit('no $(connection)')") == (False, "ended with 1: no $(connection)")


def test_a_program_that_hangs_or_is_not_there(tmp_path: Path) -> None:
    slow = Check((PYTHON, "-c", "import time; time.sleep(60)"), timeout=timedelta(milliseconds=50))
    assert checked(slow, tmp_path, {}).said.endswith("took longer than 0.05 s")
    none = checked(Check(("/nowhere/at-all",)), tmp_path, {})
    assert (none.passed, none.said) == (False, "`/nowhere/at-all` cannot be started: No such file or directory")


def test_what_a_program_says_of_a_secret_is_masked(tmp_path: Path) -> None:
    secret = Secret("check-canary-1", "test")
    passed, said = program(tmp_path, f"import sys; sys.exit('{'check-' + 'canary-1'}')")
    assert not passed
    assert secret.reveal() not in said.split("ended with")[-1]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_has_to_answer_well(url: str, tmp_path: Path) -> None:
    for status, passed in ((200, True), (204, True), (404, False), (503, False)):
        found = checked(Check(url=f"{url}/{status}"), tmp_path, {})
        assert (found.passed, found.said) == (passed, f"{url}/{status} answered {status}")
    gone = checked(Check(url="http://127.0.0.1:9/"), tmp_path, {})
    assert not gone.passed
    assert "cannot be reached" in gone.said
