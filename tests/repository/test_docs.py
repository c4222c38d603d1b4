"""Every command the documents show is run, and what they show as its output is what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from zygote import process

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(?P<language>console|sh)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]]*\]\((?P<target>[^)\s#]+)[^)]*\)")
ANYTHING = ("…", "...")


@dataclass
class Command:
    """One command line and the lines shown below it; None where nothing is claimed about them."""

    line: str
    shown: list[str] | None = field(default_factory=list)


def commands(page: str) -> Iterator[Command]:
    for block in BLOCK.finditer(page):
        for command in of_block(block["language"], block["body"]):
            command.line = command.line.split("  #")[0].split(" #")[0].strip()
            if command.line:
                yield command


def of_block(language: str, body: str) -> list[Command]:
    if language == "sh":
        return [Command(line, None) for line in body.splitlines()]
    found: list[Command] = []
    for line in body.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        else:
            assert found, f"output before any command: {line}"
            shown = found[-1].shown
            assert shown is not None
            shown.append(line.rstrip())
    return found


def pattern(shown: list[str]) -> str:
    """Return the expression output has to match: a line of dots is any lines, dots in a line are anything."""
    parts = []
    for line in shown:
        if line.strip() in ANYTHING:
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(map(re.escape, re.split(r"…|\.\.\.", line))) + r"\n")
    return "".join(parts)


class Shell:
    """Runs commands one after another; folder and status carry over, as in the shell of a reader."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "repository"
        self.status = 0
        self._home = home
        kept = ("policies", "policysync.yaml", "schemas", "releases")
        self.folder.mkdir()
        for name in kept:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.folder / name)
            elif (ROOT / name).is_file():
                shutil.copy(ROOT / name, self.folder / name)

    def run(self, line: str) -> str:
        where = self._home / "pwd"
        script = f"cd {str(self.folder)!r}; (exit {self.status}); {line}\nstatus=$?; pwd > {str(where)!r}; exit $status"
        path = f"{process.scripts()}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environ = {"PATH": path, "HOME": str(self._home), "COLUMNS": "120", "LANG": "C.UTF-8"}
        ended = subprocess.run(
            ["bash", "-c", script],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.status = ended.returncode
        self.folder = Path(where.read_text(encoding="utf-8").strip())
        return ended.stdout


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_do_what_it_shows(page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shell: Shell | None = None
    found = list(commands(text))
    for command, following in zip(found, [*found[1:], Command("")], strict=False):
        if command.line.startswith("make "):
            # Running them from here would run this test again.
            assert set(command.line.split()[1:]) <= targets()
            continue
        shell = shell or Shell(tmp_path)
        output = shell.run(command.line)
        assert shell.status == 0 or following.line == "echo $?", f"{command.line}:\n{output}"
        if command.shown is not None:
            assert re.fullmatch(pattern(command.shown), output), f"{command.line} said:\n{output}"


@pytest.mark.parametrize("page", [*PAGES, *sorted((ROOT / "docs").glob("*/*.md"))], ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for link in LINK.finditer(page.read_text(encoding="utf-8")):
        if "://" not in link["target"]:
            assert (page.parent / link["target"]).exists(), link["target"]


def test_decisions_are_numbered_without_gaps() -> None:
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    for number, file in enumerate(files, 1):
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {number}. ")
        for heading in ("## Context", "## Decision", "## Considered", "## What follows"):
            assert f"\n{heading}\n" in text


def test_fragments_are_named_for_the_changelog() -> None:
    for file in (ROOT / "changes").iterdir():
        assert re.fullmatch(r"README\.md|\d+\.(added|changed|fixed|removed|security)\.md", file.name)


def test_workflows_are_pinned_and_start_from_no_rights() -> None:
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    line = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "github-workflows", *map(str, files)]
    subprocess.run(line, check=True, capture_output=True)
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert "\npermissions: {}\n" in text
        assert "timeout-minutes:" in text
        for action in re.findall(r"uses: ([^.\s]\S*.*)", text):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)


def test_output_is_matched_line_by_line() -> None:
    assert re.fullmatch(pattern(["a", "…", "d …"]), "a\nb\nc\nd e\n")
    assert re.fullmatch(pattern(["a", "...", "d"]), "a\nd\n")
    assert not re.fullmatch(pattern(["a"]), "a\nb\n")
    assert not re.fullmatch(pattern(["a.c"]), "abc\n")
