from __future__ import annotations

import base64

import pytest
from unit.backends.conftest import jwt

from policysync.backends.token import claims, token_life
from policysync.secret import Secret


@pytest.mark.parametrize(
    ("token", "life"),
    [
        (jwt(exp=1500, iat=500), 1000.0),
        (jwt(exp=1500), 500.0),
        (jwt(exp=900), None),
        (jwt(sub="x"), None),
        (jwt(exp="soon"), None),
        (Secret("opaque"), None),
        (Secret("a.b.c"), None),
        (Secret("a.bnVsbA.c"), None),
        (jwt(exp=10**400, iat=1), None),
        (Secret("a." + base64.urlsafe_b64encode(b"[" * 9000).decode() + ".c"), None),
    ],
)
def test_the_life_of_a_token_is_read_from_it(token: Secret, life: float | None) -> None:
    assert token_life(token, 1000.0) == life


def test_claims_are_a_mapping_or_nothing() -> None:
    assert claims(jwt(a={"b": "ä"})) == {"a": {"b": "ä"}}
    assert claims(Secret("a.WzFd.c")) == {}
    assert claims(Secret("a.ä.c")) == {}
