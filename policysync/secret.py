"""Values that must never be shown, and how they are compared without showing them.

What is ours is masked by field: a sensitive value is a `Secret`, and that prints as `***`. What others say, such as
the error of a console, is never altered: it is shown as it is, or withheld because it repeats a secret (`told`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator

MASK = "***"
WITHHELD = "(withheld, because it repeats a secret)"

_PIECE = 8
"""Characters of a secret that are recognised by themselves, so that one that was cut off is as well."""

_READ = 65_536
"""Characters of a text that are looked at; more is nothing anybody would show."""


class Secret:
    """A sensitive value. It prints as `***` wherever it ends up; only `reveal` gives it back.

    Two secrets are equal when their values are. `source` is the reference it came from
    (`${env:NAME}`), which is safe to show, or empty.
    """

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str = "") -> None:
        self._value = value
        self.source = source
        _known.remember(value)

    def reveal(self) -> str:
        """Return the value itself, for the request that needs it and for nothing else."""
        return self._value

    def digest(self, salt: str) -> str:
        """Return the salted digest by which a value is recognised later, as 64 hex digits."""
        return hmac.new(salt.encode(), _bytes(self._value), hashlib.sha256).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(_bytes(self._value), _bytes(other._value))

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is never written anywhere")


def _bytes(value: str) -> bytes:
    # Environment variables that are not UTF-8 come with half surrogate pairs in them.
    return value.encode("utf-8", "surrogatepass")


class _Known:
    """Every secret value of this process, so that texts from outside can be masked."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._pieces: set[str] = set()

    def remember(self, value: str) -> None:
        # Masking very short values would garble every text and hide nothing worth hiding.
        if len(value) >= 4 and value not in self._values:
            self._values.add(value)
            self._forms.update(_forms(value))
            self._pattern = None

    def mask(self, text: str) -> str:
        return self._any().sub(MASK, text) if self._values else text

    def are_in(self, text: str) -> bool:
        """Say whether a text holds a secret, or twice as much of one as a piece is long."""
        if not self._values:
            return False
        pattern = self._any()
        starts = range(len(text) - _PIECE + 1)
        return bool(pattern.search(text)) or any(text[at : at + _PIECE] in self._pieces for at in starts)

    def _any(self) -> re.Pattern[str]:
        """Return what finds any secret, the longest first."""
        if self._pattern is None:
            longest_first = sorted(self._forms, key=len, reverse=True)
            self._pattern = re.compile("|".join(re.escape(value) for value in longest_first))
            self._pieces = {form[at : at + _PIECE] for form in self._forms for at in _steps(form)}
        return self._pattern


def _steps(form: str) -> range:
    return range(0, len(form) - _PIECE + 1, _PIECE) if len(form) >= 2 * _PIECE else range(0)


def _forms(value: str) -> Iterator[str]:
    """Yield a value as it stands in plain text, JSON, JSON inside JSON, a traceback, a URL, a web page and base64."""
    yield value
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield repr(value)[1:-1]
    raw = _bytes(value)
    for safe in (_UNRESERVED, _UNRESERVED + b"/"):
        yield "".join(chr(byte) if byte in safe else f"%{byte:02X}" for byte in raw)
    page = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    yield from (page, page.replace('"', "&quot;"), page.replace('"', "&quot;").replace("'", "&#x27;"))
    yield base64.b64encode(raw).decode().rstrip("=")


_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_known = _Known()


def told(text: str) -> str:
    """Return what somebody else said, unless it repeats a secret that this process has seen."""
    return WITHHELD if len(text) > _READ or _known.are_in(text) else text


def redact(text: str) -> str:
    """Return `text` with every secret value this process has seen masked.

    A second line on what leaves the process as a whole, logs and the last word of a run; nothing may depend on it.
    """
    return _known.mask(text)
