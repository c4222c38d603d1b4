"""One folder a case: `case.json` says what git, the console and the ledger hold; beside it stand the reports."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import Golden

from policysync.kinds.load import Kinds, load_kinds
from policysync.plan.build import World, build
from policysync.plan.change import Plan
from policysync.reports.text import plan_text
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from policysync.state.wire import from_wire

HERE = Path(__file__).parent
CASES = sorted(file.parent for file in HERE.glob("*/case.json"))
KINDS: Kinds = load_kinds()
RENDER: Mapping[str, Callable[[Plan], str]] = {"txt": plan_text}
SALT = "salt"


def plan_of(case: Path) -> Plan:
    """Return the plan of a case."""
    given = json.loads((case / "case.json").read_text(encoding="utf-8"))
    return build(
        "dev",
        "dev-console",
        World(
            desired=tuple(_desired(document) for document in given.get("desired", ())),
            live=tuple(from_wire(KINDS[found.pop("kind")], found) for found in given.get("live", ())),
            last_applied=dict(_applied(document) for document in given.get("last_applied", ())),
            others=frozenset(map(Address.parse, given.get("others", ()))),
            salt=SALT,
        ),
        KINDS,
        prune=given.get("prune", False),
        revision=given.get("revision", "0123456789abcdef"),
        dirty=given.get("dirty", False),
        notices=given.get("notices", ()),
    )


def _desired(document: dict[str, Any]) -> Resource:
    kind = KINDS[document.pop("kind")]
    spec = desired_spec(kind, _with_secrets(document))
    return Resource(Address(kind.name, kind.name_of(spec)), spec)


def _applied(document: dict[str, Any]) -> tuple[Address, Mapping[str, Any]]:
    resource = _desired(document)
    return resource.address, _digested(resource.spec)


def _with_secrets(value: Any) -> Any:
    """Return a value in which `{"$secret": …}` is a secret that came from `${env:TOKEN}`."""
    if isinstance(value, dict):
        if "$secret" in value:
            return Secret(value["$secret"], "${env:TOKEN}")
        return {name: _with_secrets(below) for name, below in value.items()}
    return value


def _digested(value: Any) -> Any:
    if isinstance(value, Secret):
        return {"$digest": value.digest(SALT)}
    return {name: _digested(below) for name, below in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("ending", RENDER)
def test_report(case: Path, ending: str, golden: Golden) -> None:
    golden.check(case / f"plan.{ending}", RENDER[ending](plan_of(case)))
