"""Secrets turn up nowhere: canaries in every sensitive field and credential, looked for in all that is left behind.

Here without the second line that replaces secrets in what leaves the process: masking by field has to be enough.
`make stress` does the same with real processes, more commands, and the second line as well.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from acceptance.canaries import MARK, CommandLines, leaks
from acceptance.echoing import Form
from acceptance.secret_world import A_FEW, SETTINGS, World, a_life, secret_world, told_back


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with secret_world(tmp_path) as world:
        yield world


def test_a_life_with_secrets_leaves_none_behind(world: World) -> None:
    a_life(world, A_FEW)
    assert world.leaks() == []


def test_a_console_that_says_back_what_it_was_sent(world: World) -> None:
    for form in (form for form in get_args(Form) if form):
        told_back(world, form)
    said = b"".join(text for _, text in world.printed)
    assert b"withheld, because it repeats a secret" in said
    assert b"a web page" in said
    assert world.leaks() == []


def test_no_secret_is_an_argument_of_a_process(world: World) -> None:
    world.how = "unfiltered"
    with CommandLines() as lines:
        for stage in ("dev", "nonprod", "prod"):
            assert world.run("plan", "--stage", stage) == 0, world.printed[-1]
    assert any(b"policysync" in line for line in lines.seen)
    assert leaks((("arguments", line) for line in lines.seen), MARK) == []
    assert world.leaks() == []


def test_a_proxy_with_a_password(world: World) -> None:
    port = world.front.url.rpartition(":")[2]
    proxy = f"http://user:{MARK}-proxy%40{MARK}@127.0.0.1:{port}"
    world.repository.environ |= {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": ""}
    world.repository.replace("policysync.yaml", f'"url": "{world.front.url}"', '"url": "https://console.example"')
    world.front.form = "text"
    assert world.run("plan", "--stage", "dev") == 1
    assert world.leaks() == []


@pytest.mark.parametrize("filtered", [True, False], ids=["filtered", "unfiltered"])
def test_a_bug_that_holds_a_secret(filtered: bool) -> None:
    script = (
        "import os, policysync.cli as cli, policysync.commands.kinds as kinds, policysync.secret as secret\n"
        f"secret._known.mask = {'secret._known.mask' if filtered else 'lambda text: text'}\n"
        "def broken(**_):\n"
        "    value = secret.Secret(os.environ['PASSWORD']).reveal()\n"
        "    try:\n"
        "        raise ValueError('first ' + value)\n"
        "    except ValueError as error:\n"
        "        raise RuntimeError(value, {'password': value}) from error\n"
        "kinds.command.callback = broken\n"
        "import sys\n"
        "sys.argv = ['policysync', 'kinds']\n"
        "cli.main()\n"
    )
    environ = {**os.environ, "PASSWORD": SETTINGS.password}
    ran = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, check=False)
    assert ran.returncode == 1
    assert b"RuntimeError" in ran.stderr
    assert b"ValueError" in ran.stderr
    assert b"in broken" in ran.stderr
    assert leaks([("stderr", ran.stderr), ("stdout", ran.stdout)], MARK) == []
