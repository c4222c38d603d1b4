"""The command line: finds a command, runs it, and turns how it ended into an exit status.

A command's module is imported when it runs, so nothing heavy is imported here.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import os
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from policysync.commands.logs import start_logging
from policysync.errors import Exit, InvalidInput, PolicySyncError
from policysync.secret import redact, told
from policysync.version import VERSION

INTERRUPTED = 130

_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EMFILE})
"""What no program can help: a disk that is full or may not be written. Anything else that escapes is a bug."""

COMMANDS: Mapping[str, str] = {
    "init": "Create a policy repository that works at once.",
    "validate": "Check policy files offline, without credentials.",
    "format": "Write policy files in one order and one quoting.",
    "plan": "Show what would change in the targets of a stage.",
    "apply": "Make the targets of a stage match git.",
    "promote": "Let a revision into the next stage when its gates agree.",
    "rollback": "Go back to what a stage had before.",
    "drift": "Show what somebody changed by hand.",
    "status": "Show where every stage stands.",
    "history": "Show who applied what, when, and how it ended.",
    "report": "Write one page a person can read about every stage.",
    "adopt": "Take live objects into git as files.",
    "diff": "Compare two stages, revisions or files.",
    "render": "Write connectors as the vendors' artefacts.",
    "check": "Check connectors: before installing, and how they are.",
    "topology": "Show which connector carries which registry.",
    "emulate": "Serve the emulated console on a port.",
    "demo": "Play the whole story on embedded consoles.",
    "kinds": "List the kinds of resources.",
    "schema": "Print the JSON Schema of a kind, for editors.",
    "config": "Check and show policysync.yaml.",
    "github": "Comment, open issues and choose stages from a GitHub workflow.",
    "unlock": "Take away the lock of an apply that died.",
    "completion": "Print the completion script of a shell.",
}
"""Every command with its line in `--help`; a test keeps these equal to the commands' own."""


class LazyGroup(click.Group):
    """A group that imports `policysync.commands.NAME` when NAME runs and knows only its one line before."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [CompletionItem(name, help=line) for name, line in COMMANDS.items() if name.startswith(incomplete)]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"policysync.commands.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=LazyGroup,
    # Stand-ins, so that click knows the names and can suggest one.
    commands={name: click.Command(name, short_help=line) for name, line in COMMANDS.items()},
    context_settings={"auto_envvar_prefix": "POLICYSYNC", "help_option_names": ["-h", "--help"]},
)
@click.version_option(VERSION, message="policysync %(version)s")
@click.option(
    "-C",
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Run as if started in this folder.",
)
@click.option("-v", "--verbose", count=True, help="Log more to stderr; -vv logs every request.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", help="Form of the log lines.")
@click.pass_context
def group(ctx: click.Context, directory: Path | None, verbose: int, log_format: str) -> None:
    """Keep the policies of security consoles in git: validate, plan, apply, promote.

    Exit status: 0 done, or nothing to do; 1 error; 2 changes or drift present; 3 a guard or gate said no;
    4 the plan is stale; 5 partly applied.

    \b
    Example:
      policysync init my-policies
      policysync -C my-policies plan --stage dev
    """
    ctx.color = False if os.environ.get("NO_COLOR") else None
    start_logging(verbose, log_format)
    if directory is not None:
        ctx.with_resource(contextlib.chdir(directory))


def run(args: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status. A failure is told on stderr."""
    try:
        ended = group.main(args, prog_name="policysync", standalone_mode=False)
        sys.stdout.flush()
    except (PolicySyncError, click.ClickException, click.Abort, KeyboardInterrupt, BrokenPipeError) as error:
        return _told(error)
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE:
            raise
        return _told(error)
    return ended if isinstance(ended, int) else Exit.DONE


def main() -> None:
    """Entry point of the program."""
    _show_bugs()
    _open_streams()
    _leave(run())


def _open_streams() -> None:
    """Let what is written to a stream that is closed go nowhere, and no file of ours get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.fstat(number)
                continue
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def fail(error: BaseException) -> NoReturn:
    """End as a command ends that raised this: for what is answered without the command line."""
    if isinstance(error, KeyboardInterrupt):
        # As click does: what the terminal shows for Ctrl-C stands on a line of its own.
        click.echo(err=True)
    _leave(_told(error))


def _told(error: BaseException) -> int:
    """Tell a failure on stderr and return its exit status."""
    if isinstance(error, PolicySyncError):
        _say(error)
        return error.status
    if isinstance(error, click.UsageError):
        # click's own status for bad usage is 2, which here says that changes are present.
        text = io.StringIO()
        error.show(text)
        click.echo(redact(text.getvalue()), err=True, nl=False)
    elif isinstance(error, click.ClickException):
        _complain(error.format_message())
    elif isinstance(error, OSError):
        # Whoever read us has what it wanted, or nothing more can be written there.
        if not isinstance(error, BrokenPipeError):
            with contextlib.suppress(OSError):
                _complain(f"{error.filename or 'the output'}: {error.strerror}")
        # Without this the interpreter complains when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    else:
        _complain("interrupted")
        return INTERRUPTED
    return Exit.ERROR


def _leave(status: int) -> NoReturn:
    if status == INTERRUPTED:
        # Leaving in good order waits for the threads, and whoever interrupts does not want to.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    # What is left is given back with the process; to look through all of it for rings takes a fifth of a plan's time.
    gc.freeze()
    sys.exit(status)


def _say(error: PolicySyncError) -> None:
    if not isinstance(error, InvalidInput):
        _complain(str(error))
        return
    for problem in error.problems:
        click.echo(redact(str(problem)), err=True)
    count = sum(not problem.warning for problem in error.problems)
    _complain(f"{count} problem{'' if count == 1 else 's'}")


def _complain(message: str) -> None:
    colour = False if os.environ.get("NO_COLOR") else None
    mark = click.style("error:", fg="red", bold=True)
    click.echo(f"{mark} {redact(message)}", err=True, color=colour)


def _show_bugs() -> None:
    sys.excepthook = _show_bug
    threading.excepthook = _show_thread_bug


def _show_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    del kind, trace
    sys.stderr.write(redact("".join(_lines(error))))


def _lines(error: BaseException) -> Iterator[str]:
    """Yield a traceback whose exceptions do not say what would give a secret away."""
    if error.__cause__ is not None:
        yield from (*_lines(error.__cause__), "\nwhich led to:\n\n")
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from (*_lines(error.__context__), "\nand while that was looked after:\n\n")
    yield from ("Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__))
    said = "".join(traceback.format_exception_only(error))
    yield said if told(said) == said else f"{type(error).__name__}: {told(said)}\n"


def _show_thread_bug(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        _show_bug(args.exc_type, args.exc_value, args.exc_traceback)
