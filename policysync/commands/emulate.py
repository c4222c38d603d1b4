"""`policysync emulate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import click

from policysync.emulator.fault_file import read_faults
from policysync.emulator.serve import serve
from policysync.emulator.settings import Settings
from policysync.errors import PolicySyncError
from policysync.kinds.load import load_kinds

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8085, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--store", type=_FILE, help="Keep the console in this file; without it, in memory.")
@click.option("--seed", type=_FOLDER, help="Folder of JSON bodies to start with: KIND/*.json.")
@click.option(
    "--faults", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of faults to inject."
)
@click.option("--schemas", multiple=True, type=_FOLDER, help="Folder with further kinds; may be repeated.")
@click.option("--edition", type=click.Choice(["self-hosted", "saas"]), default="self-hosted", help="Which console.")
@click.option(
    "--quirks",
    type=click.Choice(["off", "mild", "harsh"]),
    default="mild",
    help="How freely answers are spelt: nulls, 7.0 for 7, sets in another order, odd pages.",
)
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Requests a second before 429.")
def command(
    *,
    host: str,
    port: int,
    store: Path | None,
    seed: Path | None,
    faults: Path | None,
    schemas: Sequence[Path],
    edition: Literal["self-hosted", "saas"],
    quirks: Literal["off", "mild", "harsh"],
    rate: float | None,
) -> None:
    """Serve the emulated console on a port.

    Sign in as `administrator` with the password `emulator`.

    \b
    Example:
      policysync emulate --port 8085 --store console.sqlite
      policysync emulate --port 0 --faults faults.yaml
    """
    options: dict[str, Any] = {"edition": edition, "quirks": quirks, "rate": rate}
    try:
        serve(
            host,
            port,
            store,
            load_kinds(schemas),
            seed=seed,
            faults=read_faults(faults) if faults else None,
            settings=Settings(**options),
            ready=lambda taken: click.echo(f"console at http://{host}:{taken}, user administrator, password emulator"),
        )
    except OSError as error:
        raise PolicySyncError(
            f"{host}:{port} cannot be listened on: {error.strerror}; --port 0 takes a free one"
        ) from error
