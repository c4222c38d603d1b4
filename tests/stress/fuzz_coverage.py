"""Bytes led by coverage through what reads them: `make fuzz-coverage`. Needs atheris, which nothing else does."""

from __future__ import annotations

import sys
from typing import Any

import atheris  # type: ignore[import-untyped]  # only its own target installs it

with atheris.instrument_imports(include=["policysync", "yaml", "json"]):
    from http.client import HTTPException

    from policysync.backends import framing
    from policysync.backends.token import token_life
    from policysync.documents.parse import parse, places_of
    from policysync.errors import BackendError, Refused
    from policysync.kinds.load import load_kinds
    from policysync.secret import Secret
    from policysync.state.normalize import desired_spec, live_spec

KINDS = [kind for _, kind in sorted(load_kinds().items())]


def read_document(content: bytes) -> list[Any]:
    """Return the documents of some bytes, after their places were found as well."""
    found: list[Any] = []
    for name in ("x.yaml", "x.json"):
        documents, _ = parse(content, name)
        found += [document.value for document in documents]
        if documents:
            places_of(content, name)
    return found


def read_answer(content: bytes) -> None:
    """Read some bytes as an HTTP answer, in pieces of every size."""
    left = bytearray(content)

    def receive(most: int) -> bytes:
        piece = bytes(left[: max(1, most % 7)])
        del left[: len(piece)]
        return piece

    try:
        framing.answer(framing.Inbox(receive), "GET")
    except (OSError, HTTPException, Refused, BackendError):
        """A named failure."""


def one(content: bytes) -> None:
    """Try everything on one input."""
    read_answer(content)
    token_life(Secret("h." + content.decode("latin-1") + ".s"), 0.0)
    kind = KINDS[content[0] % len(KINDS)] if content else KINDS[0]
    for value in read_document(content):
        if isinstance(value, dict):
            live_spec(kind, value)
            desired_spec(kind, value)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
