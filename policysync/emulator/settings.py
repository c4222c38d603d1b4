"""How one console behaves where real consoles differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Quirks = Literal["off", "mild", "harsh"]
Edition = Literal["both", "self-hosted", "saas"]
EMAIL = "administrator@emulator.example"


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a console.

    Attributes:
        user, password: the one account; it signs in with them or sends them as HTTP Basic. In the SaaS form it
            signs in with `email` or with `user`.
        api_key, api_secret: the key that is there from the start; more are made at `/v2/apikeys`.
        token_life: seconds until a token is refused with 401.
        clock_tolerance: seconds a signed request may be off (reference, policies 2.3: unknown, so a guess).
        authorization_header: where the credential is looked for; announced by `GET /api`.
        edition: "saas" refuses what current SaaS consoles refuse (`x-removed`) and "self-hosted" has no account
            API; "both" serves either sign-in.
        strict: unknown members are refused with 400 instead of being dropped; tokens only act with roles there are.
        quirks: "mild" answers null for sets never set, sets in another order and 7.0 for 7; "harsh" also gives
            pages that are too short, counts that are wrong, null instead of an empty page and 200 with an
            empty object for a missing one; "off" answers plainly.
        success: "varied" takes turns through every success code a call is known to answer.
        answers: the success code of single calls: "Role.create" → 204.
        secrets: what a read gives for a write-only field.
        references: "refuse" does not delete what another object names.
        hidden_for: seconds before a new object can be read; None hides only kinds that are known for it, briefly.
        console_host: the host the account API names as the console; empty is the one the client came to.
        rate: requests a second before 429; None is no limit.
    """

    user: str = "administrator"
    password: str = "emulator"  # noqa: S105  the documented password of a console that guards nothing
    email: str = EMAIL
    api_key: str = "emulator"
    api_secret: str = "emulator"  # noqa: S105  as above
    token_life: float = 8 * 3600.0
    clock_tolerance: float = 300.0
    authorization_header: str = "Authorization"
    edition: Edition = "both"
    strict: bool = False
    quirks: Quirks = "mild"
    success: Literal["canonical", "varied"] = "canonical"
    answers: Mapping[str, int] = field(default_factory=dict)
    secrets: Literal["omit", "blank", "masked", "clear"] = "omit"
    references: Literal["free", "refuse"] = "free"
    hidden_for: float | None = None
    console_host: str = ""
    rate: float | None = None
