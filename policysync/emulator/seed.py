"""Filling a console: what every new one has, and what a folder of JSON files says."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from policysync.emulator.estate.estate import FILE, Estate
from policysync.emulator.exchange import Answered
from policysync.emulator.rest import Rest
from policysync.emulator.shipped import builtins_of
from policysync.emulator.store import Store
from policysync.errors import InvalidInput, Location, Problem
from policysync.kinds.kind import Kind
from policysync.kinds.load import kind_name

_DONE = "seeded"
_HERE = Path(__file__).resolve().parent.parent
_SHIPPED = (_HERE.parent / "seeds", _HERE / "seeds")
"""Where seeds are in a checkout, and in an installed wheel."""


def find_seed(name: str) -> Path:
    """Return the folder a seed's name means: one that exists, or one that comes with the product (`demo`)."""
    folder = Path(name)
    shipped = next((place / name.removeprefix("seeds/") for place in _SHIPPED if place.is_dir()), folder)
    return folder if folder.is_dir() or not shipped.is_dir() else shipped


def is_seeded(store: Store) -> bool:
    """Return whether a store has had its shipped objects."""
    return store.fact(_DONE) is not None


def seed_builtins(kinds: Mapping[str, Kind], rest: Rest) -> None:
    """Put the shipped objects into a store that has none yet."""
    with rest.store.writing():
        # Another process may have done it since somebody last looked.
        if is_seeded(rest.store):
            return
        # An enforcer group is given a gateway, which has to be there by then.
        for kind in sorted(kinds.values(), key=lambda kind: not kind.read_only):
            for body in builtins_of(kind):
                rest.put(kind, body, None, None)
        rest.store.remember(_DONE, "1")


def seed_folder(folder: Path, kinds: Mapping[str, Kind], rest: Rest, others: Container[str] = ()) -> None:
    """Store the bodies of `folder/<kind>/*.json`, over what is there under the same name, then `folder/estate.json`.

    Read-only members are taken as they stand, so a console's own answers can be used. `others` are kinds that
    another edition has: their folders are passed over.

    Raises:
        InvalidInput: a folder names no kind, or a file is not a body of its kind; every mistake is listed.
    """
    problems: list[Problem] = []
    with rest.store.writing():
        for kind, file in _files(folder, kinds, others, problems):
            try:
                for body in _bodies(file):
                    before = rest.store.named(kind.scope, kind.name_of(body))
                    rest.put(kind, body, before, None)
            except ValueError as error:
                problems.append(Problem(Location(str(file)), "", str(error), "seed"))
            except Answered as refused:
                message = orjson.loads(refused.response.body)["message"]
                problems.append(Problem(Location(str(file)), "", message, "seed"))
        try:
            if (folder / FILE).is_file():
                Estate(rest.store, rest.clock).load(folder / FILE)
        except ValueError as error:
            problems.append(Problem(Location(str(folder / FILE)), "", str(error), "seed"))
        if problems:
            raise InvalidInput(problems)


def _files(
    folder: Path, kinds: Mapping[str, Kind], others: Container[str], problems: list[Problem]
) -> Iterator[tuple[Kind, Path]]:
    if not folder.is_dir():
        problems.append(Problem(Location(str(folder)), "", "no such folder; want <kind>/*.json below it", "seed"))
        return
    for below in sorted(path for path in folder.iterdir() if path.is_dir()):
        kind = kinds.get(kind_name(below.name))
        if kind is None and kind_name(below.name) in others:
            continue
        if kind is None:
            message = f"{below.name} is no kind; name the folder after one, like image_assurance_policy"
            problems.append(Problem(Location(str(below)), "", message, "seed"))
            continue
        for file in sorted(below.glob("*.json")):
            yield kind, file


def _bodies(file: Path) -> list[dict[str, Any]]:
    """Return the bodies of a file: one object, or a list of them."""
    found = orjson.loads(file.read_bytes())
    bodies = found if isinstance(found, list) else [found]
    if not all(isinstance(body, dict) for body in bodies):
        raise ValueError("want an object, or a list of objects")
    return bodies
