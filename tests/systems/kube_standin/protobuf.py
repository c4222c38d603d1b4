"""The one message Helm sends as protobuf: a Secret.

Source: Kubernetes, `k8s.io/api/core/v1/generated.proto` and `apimachinery/pkg/runtime/generated.proto`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

CONTENT = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_LENGTH_DELIMITED, _VARINT = 2, 0


def secret(body: bytes) -> dict[str, Any]:
    """Return a Secret, or the options of a delete, as JSON would say it."""
    if not body.startswith(_MAGIC):
        return {}
    whole = dict(_fields(body[len(_MAGIC) :]))
    about = {number: value.decode() for number, value in _fields(whole[1])}
    if about.get(2) != "Secret":
        return {}
    found: dict[str, Any] = {"apiVersion": about[1], "kind": about[2], "metadata": {}, "data": {}}
    for number, value in _fields(whole[2]):
        if number == 1:
            found["metadata"] = _metadata(value)
        elif number == 2:
            key, held = _entry(value)
            found["data"][key.decode()] = base64.b64encode(held).decode()
        elif number == 3:
            found["type"] = value.decode()
    return found


def _metadata(body: bytes) -> dict[str, Any]:
    names = {1: "name", 3: "namespace", 5: "uid", 6: "resourceVersion"}
    said: dict[str, Any] = {"labels": {}}
    for number, value in _fields(body):
        if number in names:
            said[names[number]] = value.decode()
        elif number == 11:
            key, held = _entry(value)
            said["labels"][key.decode()] = held.decode()
    return {name: value for name, value in said.items() if value}


def _entry(body: bytes) -> tuple[bytes, bytes]:
    held = dict(_fields(body))
    return held.get(1, b""), held.get(2, b"")


def _fields(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of every field that has a content; numbers are of no interest here."""
    at = 0
    while at < len(body):
        tag, at = _number(body, at)
        length, at = _number(body, at)
        if tag & 7 == _LENGTH_DELIMITED:
            yield tag >> 3, body[at : at + length]
            at += length
        elif tag & 7 != _VARINT:
            raise ValueError(f"wire type {tag & 7}")


def _number(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
