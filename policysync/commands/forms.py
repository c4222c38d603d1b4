"""`--format`: in which forms a result is written, and where to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from policysync.errors import PolicySyncError
from policysync.reports.listed import FORMATS, render


class Output(NamedTuple):
    """One form of a result; without a file it goes to stdout."""

    form: str
    file: Path | None = None


def forms_option(command: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the `--format` option of a command of `FORMATS`; it gets `outputs`, one or more."""
    forms = tuple(FORMATS[command])

    def parsed(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Output, ...]:
        outputs = tuple(_output(ctx, param, value, forms) for value in values)
        files = [output.file for output in outputs]
        if files.count(None) > 1:
            raise click.BadParameter("only one form can go to stdout; give the others a file: FORM=FILE", ctx, param)
        if len(set(files)) < len(files):
            raise click.BadParameter("two forms cannot go into one file", ctx, param)
        return outputs

    return click.option(
        "--format",
        "outputs",
        multiple=True,
        default=["text"],
        metavar=f"[{'|'.join(forms)}][=FILE]",
        callback=parsed,
        help="Form of the result, on stdout or in FILE; may be repeated.",
    )


def _output(ctx: click.Context, param: click.Parameter, value: str, forms: Sequence[str]) -> Output:
    form, equals, file = value.partition("=")
    if form not in forms:
        raise click.BadParameter(f"{form!r} is not one of {', '.join(forms)}", ctx, param)
    if equals and not file:
        raise click.BadParameter(f"{value!r} names no file; want {form} or {form}=FILE", ctx, param)
    return Output(form, Path(file) if equals else None)


def write(command: str, outputs: Sequence[Output], view: Any) -> None:
    """Write a result in every form that was asked for.

    Raises:
        PolicySyncError: a file cannot be written.
    """
    for form, file in outputs:
        text = render(command, form)(view)
        if file is None:
            click.echo(text, nl=bool(text))
            continue
        write_file(file, click.unstyle(text) + ("\n" if text else ""))


def write_file(file: Path, text: str) -> None:
    """Write a file somebody asked for.

    Raises:
        PolicySyncError: it cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PolicySyncError(f"{file} cannot be written: {error.strerror}") from error


def wants(outputs: Sequence[Output], *forms: str) -> bool:
    """Whether one of these forms was asked for."""
    return any(output.form in forms for output in outputs)


def folder_in_repository(root: Path) -> str:
    """Return the path of a policy root inside its git repository; empty when it is the top, or there is no git."""
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    return "" if top == root else root.relative_to(top).as_posix()
