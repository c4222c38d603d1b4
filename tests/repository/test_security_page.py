"""The security page names what proves it, and guards by the names and limits they have."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policysync.backends.connect import BACKENDS
from policysync.documents.guard_settings import CHANGES, DELETES
from policysync.documents.project import load_project
from policysync.plan.guards.listed import GUARDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
PROOFS = sorted(set(re.findall(r"tests/[\w/]+\.py", PAGE)))


@pytest.mark.parametrize("proof", PROOFS)
def test_what_proves_it_is_there(proof: str) -> None:
    assert "def test_" in (ROOT / proof).read_text(encoding="utf-8")


def test_every_backend_is_in_a_table() -> None:
    # The console has sections of its own; what only tests use keeps nothing.
    told = set(re.findall(r"^\| `([a-z]+)` \| ", PAGE, re.MULTILINE)) - set(GUARDS)
    assert told == set(BACKENDS) - {"aqua", "memory"}


def test_every_guard_is_in_the_table() -> None:
    _, _, table = PAGE.partition("\n## Guards\n")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", table, re.MULTILINE))
    assert list(rows) == list(GUARDS)
    assert f"{DELETES.percent} %" in rows["too-many-deletes"]
    assert f"{CHANGES.percent} %" in rows["too-many-changes"]
    assert str(DELETES.floor) in rows["too-many-deletes"]
    assert str(CHANGES.floor) in rows["too-many-changes"]


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    found = re.search(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    (tmp_path / "policysync.yaml").write_text(f"version: 1\n{found[1]}")
    project = load_project(tmp_path, {})
    assert project.guard_settings.deletes.kinds["Registry"].floor == 0
    assert project.stage("prod").forbid_allow == ("too-many-deletes", "wrong-console")


def test_only_what_leaves_the_process_is_filtered() -> None:
    """Adapters pass what others say through `told`: shown whole or not at all (decision 12)."""
    using = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "policysync").rglob("*.py")
        if re.search(r"^from policysync\.secret import .*\bredact\b", file.read_text(), re.MULTILINE)
    }
    assert using == {"policysync/cli.py", "policysync/commands/logs.py"}
