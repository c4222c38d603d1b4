"""Random faults over whole applies: `make stress-faults`, or `RUNS=200 pytest tests/stress/faults_long.py`.

Each run draws a console that goes wrong in several ways at once, applies to it several times, lets it get well, and
holds the end to git. The seed of a run is its name.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from acceptance.faulty import World, applied_once, copy_of

from policysync.emulator.faults import Fault

RUNS = int(os.environ.get("RUNS", "25"))
WANTED = {"alpha": "after", "beta": "new", "gamma": "new"}
LABELS = "/api/*/settings/labels*"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    with applied_once(tmp_path_factory.mktemp("made")) as world:
        return world


def drawn(chance: random.Random) -> Fault:
    """Return one rule of a console that has a bad day."""
    effects: list[dict[str, object]] = [
        {"drop": "before"},
        {"drop": "after"},
        {"delay": 0.9},
        {"truncate": chance.randrange(40)},
        {"empty": True},
        {"status": chance.choice([401, 403, 404, 408, 409, 413, 425, 429, 500, 502, 503, 504])},
        {"status": chance.choice([500, 502, 504]), "worked": True},
        {"status": 429, "retry_after": chance.choice([0, 1, 3600])},
        {"status": 200, "body": chance.choice(["<html>", "", "{", {}, [], None])},
        {"forget": ("description",)},
    ]
    return Fault(
        chance.choice(["*", "GET", "PUT", "POST"]),
        chance.choice(["*", LABELS]),
        after=chance.randrange(6),
        times=chance.choice([1, 2, 5, None]),
        probability=chance.choice([0.2, 0.5, 1.0]),
        **chance.choice(effects),  # type: ignore[arg-type]  # each fits by its name
    )


@pytest.mark.parametrize("seed", range(RUNS))
def test_whatever_happens_the_next_good_run_converges(seed: int, made: World, tmp_path: Path) -> None:
    chance = random.Random(seed)
    with copy_of(made, tmp_path) as world:
        for _ in range(chance.randint(1, 3)):
            world.fails(*(drawn(chance) for _ in range(chance.randint(1, 4))), seed=seed)
            on_error = chance.choice(["stop", "continue"])
            ran = world.run("apply", "--stage", "dev", "--yes", "--on-error", on_error)
            assert ran.status in (0, 1, 4, 5), ran.err
            assert "Traceback" not in ran.err
            assert len(world.bodies()) == len(world.labels())
            assert world.labels().items() <= {
                ("alpha", "before"),
                ("alpha", ""),
                *WANTED.items(),
                ("beta", ""),
                ("gamma", ""),
            }
        world.well_again()
        ran = world.run("apply", "--stage", "dev", "--yes")
        assert ran.status == 0, ran.err + ran.out
        assert world.labels() == WANTED
        assert len(world.bodies()) == len(WANTED)
        assert world.run("plan", "--stage", "dev", "--detailed-exitcode").status == 0
