from __future__ import annotations

import importlib
import importlib.metadata
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from policysync.cli import COMMANDS, group
from policysync.version import VERSION

# A stand-in takes the place of `demo`, so that a whole process can be seen ending in every possible way.
STAND_IN = """
import logging, sys, threading, types
import click
from policysync import cli
from policysync.errors import *
from policysync.secret import Secret

@click.command()
@click.option("--name")
def command(name):
    {body}

module = types.ModuleType("policysync.commands.demo")
module.command = command
sys.modules[module.__name__] = module
sys.argv = ["policysync", *{before!r}, "demo"]
cli.main()
"""


def ended(body: str, *before: str, **environ: str) -> subprocess.CompletedProcess[str]:
    script = STAND_IN.format(body=body, before=before)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environ)


def policysync(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "policysync", *words]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("return None", 0),
        ("return 2", 2),
        ("return Exit.CHANGES", 2),
        ("click.get_current_context().exit(2)", 2),
        ("raise PolicySyncError('no')", 1),
        ("raise Blocked('too many deletes')", 3),
        ("raise StalePlan('moved')", 4),
        ("raise PartlyApplied('3 of 4')", 5),
        ("raise Refused('403')", 1),
        ("raise KeyboardInterrupt", 130),
        ("raise ZeroDivisionError", 1),
    ],
)
def test_every_end_has_its_exit_status(body: str, status: int) -> None:
    assert ended(body).returncode == status


def test_a_run_ends_in_good_order() -> None:
    late = "threading.Thread(target=lambda: threading.Event().wait(0.05) or print('thread')).start()"
    run = ended(f"import atexit; atexit.register(print, 'atexit'); {late}; return 2")
    assert (run.returncode, run.stdout.split(), run.stderr) == (2, ["thread", "atexit"], "")


def test_a_failure_is_one_clean_line() -> None:
    run = ended("raise Refused('dev-console: user \\'bob\\' may not write policies')")
    assert run.stderr == "error: dev-console: user 'bob' may not write policies\n"
    assert run.stdout == ""


def test_every_problem_of_the_files_has_its_own_line() -> None:
    first = "Problem(Location('a.yaml', 3, 7), '/spec/enforce', 'want true or false', 'type')"
    second = "Problem(Location('b.yaml', 1, 1), '', 'no such kind', 'kind')"
    run = ended(f"raise InvalidInput([{second}, {first}])")
    assert run.stderr.splitlines() == [
        "a.yaml:3:7: /spec/enforce: want true or false [type]",
        "b.yaml:1:1: no such kind [kind]",
        "error: 2 problems",
    ]


@pytest.mark.parametrize(
    "body",
    [
        "raise Refused('wrong password ' + Secret('hunter2222').reveal())",
        "raise InvalidInput([Problem(Location('a'), '', Secret('hunter2222').reveal())])",
        "raise click.ClickException(Secret('hunter2222').reveal())",
        "raise ZeroDivisionError(Secret('hunter2222').reveal())",
        "raise click.UsageError(Secret('hunter2222').reveal())",
        "logging.error('got %s', Secret('hunter2222').reveal())",
        "threading.Thread(target=int, args=[Secret('hunter2222').reveal()]).start()",
    ],
)
def test_a_secret_is_masked_however_a_run_ends(body: str) -> None:
    run = ended(body)
    assert "hunter2222" not in run.stderr
    assert "***" in run.stderr or "(withheld, because it repeats a secret)" in run.stderr


def test_a_bug_shows_its_traceback() -> None:
    run = ended("raise ZeroDivisionError('here')")
    assert "Traceback" in run.stderr
    assert run.stderr.endswith("ZeroDivisionError: here\n")


def test_an_interrupt_is_no_traceback() -> None:
    assert ended("raise KeyboardInterrupt").stderr.strip() == "error: interrupted"


@pytest.mark.parametrize("words", [["nonsense"], ["kinds", "--nonsense"], ["--nonsense"], ["schema", "Nonsense"], []])
def test_bad_usage_is_1_because_2_says_that_changes_are_present(words: list[str]) -> None:
    run = policysync(*words)
    assert run.returncode == 1
    assert "policysync" in run.stderr


def test_a_reader_that_goes_away_is_no_failure_to_talk_about() -> None:
    line = [sys.executable, "-m", "policysync", "schema"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


def test_log_lines_go_to_stderr_by_the_level_asked_for() -> None:
    body = "logging.getLogger('policysync').info('reading %s', 'Label')"
    assert ended(body).stderr == ""
    assert ended(body, "-v").stderr == "INFO policysync: reading Label\n"
    line = json.loads(ended(body, "-v", "--log-format", "json").stderr)
    assert (line["level"], line["logger"], line["message"]) == ("info", "policysync", "reading Label")


def test_a_traceback_in_the_json_log_is_one_line() -> None:
    body = "logging.error('broke', exc_info=(ValueError, ValueError('x'), None))"
    line = json.loads(ended(body, "--log-format", "json").stderr)
    assert line["traceback"] == "ValueError: x"


def test_options_come_from_the_environment() -> None:
    assert ended("print(name)", POLICYSYNC_DEMO_NAME="from outside").stdout == "from outside\n"
    assert "INFO" in ended("logging.getLogger('policysync.x').info('x')", POLICYSYNC_VERBOSE="1").stderr


def test_a_run_can_start_in_another_folder(tmp_path: Path) -> None:
    body = "import pathlib; print(pathlib.Path.cwd())"
    assert ended(body, "-C", str(tmp_path)).stdout.strip() == str(tmp_path)
    assert ended(body, "-C", str(tmp_path / "missing")).returncode == 1


def test_the_version_is_the_package_s() -> None:
    assert policysync("--version").stdout == f"policysync {VERSION}\n"
    assert policysync("-v", "--version").stdout == f"policysync {VERSION}\n"
    assert importlib.metadata.version("policysync") == VERSION


def imported(*words: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "policysync", *words], capture_output=True, text=True, check=True
    )
    return {line.rsplit("|", 1)[1].strip() for line in run.stderr.splitlines() if "|" in line}


def test_the_version_costs_next_to_nothing() -> None:
    assert not imported("--version") & {"click", "yaml", "json", "logging", "policysync.cli"}


def test_help_imports_no_command() -> None:
    heavy = {"yaml", "git", "httpx", "jsonschema", "jsonschema_rs", "deepdiff", "rich", "starlette", "orjson"}
    modules = imported("--help")
    assert not modules & heavy
    assert not modules & {f"policysync.commands.{name}" for name in COMMANDS}


def test_help_shows_every_command_in_one_line() -> None:
    shown = policysync("--help").stdout
    for name, line in COMMANDS.items():
        assert f"  {name} " in shown
        assert line in shown


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for below, inner in command.commands.items():
            yield from commands(inner, f"{name} {below}")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_the_table_say_the_same(name: str) -> None:
    command = importlib.import_module(f"policysync.commands.{name}").command
    assert command.get_short_help_str(limit=100) == COMMANDS[name]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example(name: str) -> None:
    command = importlib.import_module(f"policysync.commands.{name}").command
    for words, each in commands(command, name):
        assert each.help is not None
        assert "Example" in each.help
        assert f"policysync {words}" in each.help or f" {words}" in each.help


def test_a_near_miss_is_suggested() -> None:
    assert "plan" in policysync("plna").stderr


def test_completion_knows_the_commands_without_importing_them() -> None:
    with click.Context(group) as ctx:
        names = [item.value for item in group.shell_complete(ctx, "co")]
    assert names == ["config", "completion"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    run = policysync("completion", shell)
    assert run.returncode == 0
    assert "_POLICYSYNC_COMPLETE" in run.stdout


def test_what_libraries_log_for_their_makers_is_not_ours_to_show() -> None:
    """They log headers and bodies before anybody here knows what in them is secret."""
    assert ended("logging.getLogger('botocore.parsers').debug('SecretString')", POLICYSYNC_VERBOSE="2").stderr == ""
    assert "careful" in ended("logging.getLogger('botocore').warning('careful')").stderr


@pytest.mark.parametrize(
    ("streams", "status", "told"),
    [
        (">/dev/full", 1, "error: the output: No space left on device\n"),
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
    ],
)
def test_what_cannot_be_written_is_told_and_what_is_closed_is_left_alone(streams: str, status: int, told: str) -> None:
    line = f"{shlex.quote(sys.executable)} -m policysync kinds {streams}"
    run = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (status, told)
