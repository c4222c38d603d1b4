"""`options` of a cloudformation target: which account and region, and the way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.errors import Refused

MINUTES = 20
"""How long a stack may take. Source: reference, connectors 4.6."""

_TEXTS = ("account", "region", "profile", "role_arn", "external_id", "endpoint_url")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one target.

    Credentials and region come from where every AWS tool finds them; `profile` names one of its profiles, `role_arn`
    a role to assume with them. `account` is who the credentials have to belong to. `minutes` is the longest wait for
    a stack. `change_sets` lets a plan ask CloudFormation what an update would do to each resource.
    """

    account: str = ""
    region: str = ""
    profile: str = ""
    role_arn: str = ""
    external_id: str = ""
    endpoint_url: str = ""
    minutes: int = MINUTES
    change_sets: bool = True


def options_of(written: Mapping[str, Any]) -> Options:
    """Return the options of a target.

    Raises:
        Refused: one is misspelt or of another type.
    """
    known = (*_TEXTS, "minutes", "change_sets")
    if unknown := sorted(str(name) for name in written if name not in known):
        raise Refused(f"unknown option {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for name in _TEXTS:
        if not isinstance(written.get(name, ""), str):
            raise Refused(f"options.{name} is {written[name]!r}; want a text (an account's number stands in quotes)")
    minutes = written.get("minutes", MINUTES)
    if not isinstance(minutes, int) or isinstance(minutes, bool) or not 1 <= minutes <= 720:
        raise Refused(f"options.minutes is {minutes!r}; want a whole number from 1 to 720")
    if not isinstance(written.get("change_sets", True), bool):
        raise Refused(f"options.change_sets is {written['change_sets']!r}; want true or false")
    return Options(**written)
