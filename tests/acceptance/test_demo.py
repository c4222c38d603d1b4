"""The demo tells its story to the end, and README shows what it really prints."""

from __future__ import annotations

import re
from pathlib import Path

from acceptance.policy_repository import ROOT, PolicyRepository

REVISION = re.compile(r"revision [0-9a-f]{12}")


def test_the_demo_ends_well_and_readme_shows_its_middle(tmp_path: Path) -> None:
    told = PolicyRepository(tmp_path).run("demo")
    assert told.status == 0, told.out[-2000:] + told.err
    statuses = re.findall(r"^exit status (\d)$", told.out, re.MULTILINE)
    assert statuses == ["0", "1", "2", "0", "0", "2", "2", "0", "0"]
    assert list(tmp_path.iterdir()) == []

    shown = (ROOT / "README.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    real = [REVISION.sub("revision", line) for line in told.out.splitlines()]
    at = 0
    for line in filter(None, REVISION.sub("revision", shown).splitlines()):
        assert line in real[at:], f"the demo does not print {line!r} here"
        at = real.index(line, at) + 1
