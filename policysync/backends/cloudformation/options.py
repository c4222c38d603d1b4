"""`options` of a cloudformation target: which account and region, and the way in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.backends.option import Form, check_options

MINUTES = 20
"""How long a stack may take. Source: reference, connectors 4.6."""

_FORMS: Mapping[str, Form] = {
    "account": str,
    "region": str,
    "profile": str,
    "role_arn": str,
    "external_id": str,
    "endpoint_url": str,
    "minutes": range(1, 721),
    "change_sets": bool,
}


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
    check_options(written, _FORMS)
    return Options(**written)
