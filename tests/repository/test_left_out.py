"""The end of a run names every test that was left out, whatever the reason."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
TESTS = """
import pytest

def test_that_runs():
    pass

@pytest.mark.skipif(True, reason="no program")
@pytest.mark.parametrize("one", [1, 2])
def test_marked(one):
    raise AssertionError

def test_that_finds_out():
    pytest.skip("no browser")
"""
MODULE = "import pytest; pytest.importorskip('a_library_that_is_nowhere')"


@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_is_left_out_is_named(workers: str, tmp_path: Path) -> None:
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]")
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_whole.py").write_text(MODULE)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers, str(tmp_path)]
    ended = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [line for line in ended.stdout.splitlines() if line.startswith("NOT ")] == [
        "NOT run: could not import 'a_library_that_is_nowhere': No module named 'a_library_that_is_nowhere'"
        " (1 of test_whole.py)",
        "NOT run: no browser (1 of test_some.py)",
        "NOT run: no program (2 of test_some.py)",
    ]
