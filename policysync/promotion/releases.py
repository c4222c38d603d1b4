"""A pin as text: the same pin gives the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from policysync.documents.pin import Evidence, Pin

_STRANGE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def pin_text(pin: Pin) -> str:
    """Return what releases/<stage>.yaml says. Texts stand as JSON has them, which is YAML as well."""
    return "\n".join([*_lines(pin), ""])


def _lines(pin: Pin) -> Iterator[str]:
    yield "# Written by `policysync promote`. What this stage follows, and why it was let in."
    yield "version: 1"
    yield f"revision: {_text(pin.revision)}"
    if pin.resources:
        yield "resources:"
        for address, revision in sorted(pin.resources.items()):
            yield f"  {_text(str(address))}: {_text(revision)}"
    if pin.evidence:
        yield "evidence:"
        yield from _evidence(pin.evidence)


def _evidence(evidence: Evidence) -> Iterator[str]:
    said = {"from": evidence.stage, "at": evidence.at, "by": evidence.by, "rollback": evidence.rollback}
    for name, value in said.items():
        if value:
            yield f"  {name}: {_text(value)}"
    if evidence.apply:
        yield f"  apply: [{', '.join(_text(one) for one in evidence.apply)}]"
    if evidence.gates:
        yield "  gates:"
    for judged in evidence.gates:
        yield f"    - gate: {judged.gate}"
        yield f"      passed: {str(judged.passed).lower()}"
        yield f"      said: {_text(judged.said)}"


def _text(value: str) -> str:
    # What a program said may hold anything; YAML has fewer characters than JSON.
    return _STRANGE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
