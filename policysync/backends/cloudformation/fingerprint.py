"""A secret in a parameter that is never shown: it is recognised by a fingerprint in a tag of the stack."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from policysync.backends.fingerprint import matches
from policysync.backends.means import Secrets
from policysync.backends.secret_source import another, resolve
from policysync.errors import Refused

_log = logging.getLogger(__name__)


def seen_as(source: Mapping[str, Any], tag: str, secrets: Secrets) -> dict[str, Any]:
    """Return where the secret of a live stack is kept, as far as that can be told.

    What cannot be compared counts as unchanged: the source as the document says it.
    """
    said = {place: name for place, name in source.items() if name}
    try:
        same = matches(tag, resolve(said, secrets)) if said and tag else None
    except Refused as error:
        _log.info("a secret is not compared: %s", error)
        same = None
    return another(said) if same is False else said
