"""Secrets: equal, recognised, and never shown."""

from __future__ import annotations

import base64
import copy
import html
import io
import json
import logging
import pickle
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from policysync.commands.logs import RedactingFilter
from policysync.secret import MASK, WITHHELD, Secret, redact, told

VALUE = "hunter2-long-enough"
ODD = "odd-one \"\\/ü%+&<'"


@dataclass(frozen=True)
class Holder:
    token: Secret


def test_a_secret_shows_only_a_mask() -> None:
    secret = Secret(VALUE, "${env:TOKEN}")
    assert [str(secret), repr(secret), f"{secret}", f"{secret!r:>3}"] == [MASK] * 4
    assert VALUE not in repr(Holder(secret))
    assert secret.reveal() == VALUE


def test_secrets_are_equal_when_their_values_are() -> None:
    assert Secret("a", "${env:A}") == Secret("a", "${env:B}")
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a") != "a"
    assert Secret("\udc80") == Secret("\udc80")


def test_a_digest_knows_its_value_and_its_salt() -> None:
    assert Secret("a").digest("s") == Secret("a").digest("s")
    assert len({Secret(v).digest(s) for v in ("a", "b", "\udc80") for s in ("s", "t")}) == 6
    assert len(Secret("a").digest("s")) == 64


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy])
def test_a_secret_is_never_written(write: object) -> None:
    with pytest.raises(TypeError, match="never written"):
        write(Secret("a"))  # type: ignore[operator]  # both take one object


def test_texts_from_outside_are_masked_the_longest_value_first() -> None:
    Secret("swordfish")
    Secret("swordfish-and-more")
    assert redact("x=swordfish-and-more y=swordfish") == f"x={MASK} y={MASK}"


def test_a_value_too_short_to_hide_masks_nothing() -> None:
    Secret("abc")
    assert redact("abc") == "abc"


def test_log_records_are_masked_with_their_arguments_and_tracebacks() -> None:
    Secret("correct-horse")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("tests.secret")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        logger.warning("said %s", "correct-horse")
        raise ValueError("correct-horse is wrong")
    except ValueError:
        logger.exception("failed")
    finally:
        logger.removeHandler(handler)
    assert "correct-horse" not in stream.getvalue()
    assert f"said {MASK}" in stream.getvalue()
    assert f"ValueError: {MASK} is wrong" in stream.getvalue()


FORMS = pytest.mark.parametrize(
    "written",
    [
        json.dumps(ODD),
        json.dumps(ODD, ensure_ascii=False),
        json.dumps(json.dumps({"password": ODD})),
        repr(ODD),
        quote(ODD, safe=""),
        quote(ODD),
        html.escape(ODD, quote=False),
        base64.b64encode(ODD.encode()).decode(),
    ],
    ids=["JSON", "JSON in UTF-8", "JSON in JSON", "a traceback", "a URL", "a path", "a page", "base64"],
)


@FORMS
def test_what_others_say_is_withheld_when_it_repeats_a_secret(written: str) -> None:
    Secret(ODD)
    assert told(f"cannot use {written}") == WITHHELD
    assert told("cannot use it") == "cannot use it"


def test_so_is_a_part_of_a_secret_and_what_is_too_long_to_look_at() -> None:
    value = "a-very-long-secret-0123456789-abcdefghij"
    Secret(value)
    assert told(f"the value {value[:16]}… is not allowed") == WITHHELD
    assert told(f"ends in {value[-24:]}") == WITHHELD
    assert told("x" * 70_000) == WITHHELD


@FORMS
def test_a_secret_is_masked_however_it_is_written(written: str) -> None:
    Secret(ODD)
    assert MASK in redact(written)
    assert "odd-one" not in redact(written)
    assert "b2RkL" not in redact(written)
