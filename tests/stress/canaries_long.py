"""Every command on a repository full of secrets, as processes; the test suite has a short version in one process."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from acceptance.canaries import MARK, CommandLines, leaks
from acceptance.echoing import Form
from acceptance.secret_world import READING, How, a_life, secret_world, told_back

HOWS: tuple[How, ...] = ("process", "unfiltered")


@pytest.mark.parametrize("how", HOWS)
def test_a_life_with_secrets_leaves_none_behind(tmp_path: Path, how: How) -> None:
    with secret_world(tmp_path, how) as world, CommandLines() as lines:
        a_life(world, READING)
        assert world.leaks() == []
        assert leaks((("arguments", line) for line in lines.seen), MARK) == []
        print(f"{len(world.printed) // 2} commands, {world.planted()} canaries")  # noqa: T201  # for the record


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("form", [form for form in get_args(Form) if form])
def test_a_console_that_says_back_what_it_was_sent(tmp_path: Path, form: Form, how: How) -> None:
    with secret_world(tmp_path, how) as world:
        told_back(world, form)
        assert world.leaks() == []
