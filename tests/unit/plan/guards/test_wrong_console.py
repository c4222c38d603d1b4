"""The guard `wrong-console`."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of

from policysync.kinds.kind import Kind
from policysync.plan.guards.wrong_console import wrong_console

DEV, PROD = "https://dev.example.com", "https://prod.example.com"
WAS = f"console was {DEV} when it was last applied"
KNOWN = {("dev", "console"): DEV, ("prod", "prod-eu"): PROD}


@pytest.mark.parametrize(
    ("here", "known", "said"),
    [
        (DEV, KNOWN, None),
        (DEV, {}, None),
        ("", KNOWN, None),
        (
            PROD,
            KNOWN,
            f"{WAS}, and leads to {PROD} now, the console of prod-eu of stage prod",
        ),
        (
            "https://x.example.com",
            KNOWN,
            f"{WAS}, and leads to https://x.example.com now",
        ),
        (PROD, {("prod", "prod-eu"): PROD}, f"console leads to {PROD}, the console of prod-eu of stage prod"),
        (DEV, {("dev", "other"): DEV}, None),
        (PROD, {("dev", "console"): PROD, ("prod", "prod-eu"): PROD}, None),
    ],
    ids=["the same", "no memory", "unknown", "prod's", "another", "never applied", "the same stage", "shared before"],
)
def test_the_address_leads_where_it_did(
    kinds: dict[str, Kind], here: str, known: dict[tuple[str, str], str], said: str | None
) -> None:
    assert wrong_console(case_of(kinds, plan={"identity": here}, consoles=known)) == said
