"""A secret nobody can read back is recognised, and not shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.backends.cloudformation.fingerprint import seen_as
from policysync.backends.fingerprint import fingerprint, matches
from policysync.errors import PolicySyncError
from policysync.secret import Secret

SOURCE = {"env": "TOKEN", "vault": {}, "kubernetesSecret": {}}


@settings(max_examples=8, deadline=None)
@given(st.text(min_size=1), st.text(min_size=1))
def test_a_fingerprint_is_that_of_its_secret_and_of_no_other(one: str, other: str) -> None:
    made = fingerprint(Secret(one))
    assert matches(made, Secret(one)) is True
    assert matches(made, Secret(other)) is (one == other)
    assert made != fingerprint(Secret(one))


def test_a_fingerprint_fits_into_a_tag_and_shows_nothing() -> None:
    made = fingerprint(Secret("the-token-of-all-tokens"))
    assert len(made) <= 256
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-=._:/@")
    assert "token" not in made


@pytest.mark.parametrize("text", ["", "s1", "s1:", "s1:!:x", "s2:YWJj:x", "managed by hand"])
def test_what_is_no_fingerprint_of_ours_says_nothing(text: str) -> None:
    assert matches(text, Secret("value")) is None


def resolved(value: str) -> Any:
    return lambda reference: Secret(value, reference)


def missing(reference: str) -> Secret:
    raise PolicySyncError(f"{reference} is not set")


def test_a_secret_that_is_the_same_is_kept_where_the_document_says() -> None:
    tag = fingerprint(Secret("value"))
    assert seen_as(SOURCE, tag, resolved("value")) == {"env": "TOKEN"}
    assert seen_as(SOURCE, tag, resolved("other")) == {"env": "TOKEN (another value)"}
    nested = {"vault": {"path": "kv/apono", "key": "token"}}
    assert seen_as(nested, tag, resolved("other")) == {"vault": {"path": "kv/apono", "key": "token (another value)"}}


def test_what_cannot_be_compared_counts_as_unchanged() -> None:
    tag = fingerprint(Secret("value"))
    assert seen_as(SOURCE, tag, missing) == {"env": "TOKEN"}
    assert seen_as(SOURCE, "", resolved("other")) == {"env": "TOKEN"}
    assert seen_as({"kubernetesSecret": {"name": "n", "key": "k"}}, tag, resolved("value")) == {
        "kubernetesSecret": {"name": "n", "key": "k"}
    }
    assert seen_as({}, tag, resolved("value")) == {}
