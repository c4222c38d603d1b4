"""`policysync emulate`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from policysync.emulator.seed import find_seed
from policysync.emulator.settings import Settings
from policysync.errors import PolicySyncError
from policysync.kinds.load import load_kinds

_CONNECTOR = re.compile(r"[A-Za-z0-9-]+=[0-9]{12}/[a-z0-9-]+")
_SIGNS = re.compile("[=/]")
_TENANTS = {"apono", "connectors", "faults", "host", "port"}
"""What a tenant of Apono takes; it is kept nowhere, and has no kinds."""

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def _answers(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> dict[str, int]:
    """`Role.create=204` → {"Role.create": 204}."""
    answers = {}
    for one in given:
        call, equals, code = one.partition("=")
        if not equals or "." not in call or not code.isdecimal() or not 200 <= int(code) <= 299:
            raise click.BadParameter(f"{one!r} is not KIND.CALL=CODE, like Role.create=204")
        answers[call] = int(code)
    return answers


def _connectors(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> list[Sequence[str]]:
    """`eu-1=111122223333/us-east-1` → (eu-1, 111122223333, us-east-1)."""
    for one in given:
        if not _CONNECTOR.fullmatch(one):
            raise click.BadParameter(f"{one!r} is not ID=ACCOUNT/REGION, like eu-1=111122223333/us-east-1")
    return [_SIGNS.split(one) for one in given]


@click.command(short_help="Serve the emulated console on a port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8085, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--store", type=_FILE, help="Keep the console in this file; without it, in memory.")
@click.option("--seed", help="What to start with: a folder with KIND/*.json and estate.json, or `demo`.")
@click.option(
    "--faults", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of faults to inject."
)
@click.option("--schemas", multiple=True, type=_FOLDER, help="Folder with further kinds; may be repeated.")
@click.option(
    "--edition",
    type=click.Choice(["both", "self-hosted", "saas"]),
    default="both",
    help="Which console; `both` serves either way of signing in.",
)
@click.option("--strict", is_flag=True, help="Refuse unknown members with 400 instead of dropping them.")
@click.option(
    "--quirks",
    type=click.Choice(["off", "mild", "harsh"]),
    default="mild",
    help="How freely answers are spelt: nulls, 7.0 for 7, sets in another order, odd pages.",
)
@click.option(
    "--secrets",
    type=click.Choice(["omit", "blank", "masked", "clear"]),
    default="omit",
    help="What a read gives for a password.",
)
@click.option(
    "--references", type=click.Choice(["free", "refuse"]), default="free", help="Whether what is in use may be deleted."
)
@click.option("--hidden-for", type=click.FloatRange(0), help="Seconds before a new object can be read.")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    callback=_answers,
    metavar="KIND.CALL=CODE",
    help="Success code of one call, like Role.create=204; may be repeated.",
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Requests a second before 429.")
@click.option("--apono", is_flag=True, help="Serve a tenant of Apono, in memory, instead of a console.")
@click.option(
    "--connector",
    "connectors",
    multiple=True,
    callback=_connectors,
    metavar="ID=ACCOUNT/REGION",
    help="A connector that is connected to the tenant, like eu-1=111122223333/us-east-1; may be repeated.",
)
@click.option("--openapi", is_flag=True, help="Print the OpenAPI description of the console and stop.")
def command(
    *,
    host: str,
    port: int,
    store: Path | None,
    seed: str | None,
    faults: Path | None,
    schemas: Sequence[Path],
    openapi: bool,
    apono: bool,
    connectors: Sequence[Sequence[str]],
    **options: Any,
) -> None:
    """Serve the emulated console on a port, or an emulated tenant of Apono.

    Sign in as `administrator` with the password `emulator`, or with the API key and secret `emulator`; the token of the
    tenant is `emulator`.

    \b
    Example:
      policysync emulate --port 8085 --store console.sqlite
      policysync emulate --seed demo --edition saas
      policysync emulate --openapi > openapi.json
      policysync emulate --apono --connector eu-1=111122223333/us-east-1
    """
    broken = _late("policysync.emulator.fault_file").read_faults(faults) if faults else None
    if apono:
        if beyond := _said() - _TENANTS:
            raise click.UsageError(f"--apono takes no --{min(beyond)}")
        _tenant(host, port, connectors, broken)
        return
    if connectors:
        raise click.UsageError("--connector goes with --apono")
    settings = Settings(**options)
    kinds = load_kinds(schemas)
    if openapi:
        console = _late("policysync.emulator.embedded").embedded(None, kinds, settings=settings).console
        click.echo(json.dumps(console.description(), indent=2))
        return
    with _listening(host, port):
        _late("policysync.emulator.serve").serve(
            host,
            port,
            store,
            kinds,
            seed=find_seed(seed) if seed else None,
            faults=broken,
            settings=settings,
            ready=lambda taken: click.echo(f"console at http://{host}:{taken}, user administrator, password emulator"),
        )


def _tenant(host: str, port: int, connectors: Sequence[Sequence[str]], faults: Any) -> None:
    apono = _late("policysync.emulator.apono")
    tenant = apono.Tenant([apono.connector(*each) for each in connectors], faults=faults)
    with _listening(host, port):
        _late("policysync.emulator.serve").attend(
            tenant,
            host,
            port,
            lambda taken: click.echo(f"tenant of Apono at http://{host}:{taken}, token {apono.BEARER}"),
        )


@contextmanager
def _listening(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PolicySyncError(
            f"{host}:{port} cannot be listened on: {error.strerror}; --port 0 takes a free one"
        ) from error


def _said() -> set[str]:
    """Return the options somebody wrote."""
    context = click.get_current_context()
    default = click.core.ParameterSource.DEFAULT
    return {name.replace("_", "-") for name in context.params if context.get_parameter_source(name) is not default}


def _late(module: str) -> Any:
    """Return a module that only some runs need: each costs a part of the start."""
    return import_module(module)
