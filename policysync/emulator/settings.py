"""How one console behaves where real consoles differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Quirks = Literal["off", "mild", "harsh"]


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of a console.

    Attributes:
        user, password: the one account; it signs in with them or sends them as HTTP Basic.
        token_life: seconds until a token is refused with 401.
        authorization_header: where the credential is looked for; announced by `GET /api`.
        edition: "saas" refuses what current SaaS consoles refuse (`x-removed`).
        quirks: "mild" answers null for sets never set, sets in another order and 7.0 for 7; "harsh" also gives
            pages that are too short, counts that are wrong, null instead of an empty page and 200 with an
            empty object for a missing one; "off" answers plainly.
        success: "varied" takes turns through every success code a call is known to answer.
        secrets: what a read gives for a write-only field.
        rate: requests a second before 429; None is no limit.
    """

    user: str = "administrator"
    password: str = "emulator"  # noqa: S105  the documented password of a console that guards nothing
    token_life: float = 8 * 3600.0
    authorization_header: str = "Authorization"
    edition: Literal["self-hosted", "saas"] = "self-hosted"
    quirks: Quirks = "mild"
    success: Literal["canonical", "varied"] = "canonical"
    secrets: Literal["omit", "blank", "masked", "clear"] = "omit"
    rate: float | None = None
