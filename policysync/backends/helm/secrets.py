"""The secrets of connectors: from where documents say they are, and compared with those in use."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from policysync.backends.fingerprint import fingerprint, matches
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Forbidden, Missing
from policysync.backends.means import Secrets
from policysync.backends.secret_source import named, resolve
from policysync.errors import Refused
from policysync.render.aqua_helm import SIGNS_IN, stated
from policysync.secret import Secret

_log = logging.getLogger(__name__)

Held = str | Mapping[str, Any]
"""What a target holds of a secret: the value itself, or name and key of a Secret of the cluster."""


class Vault:
    """Finds the secrets that a document names. `namespace` is where a Secret is whose place names none."""

    def __init__(self, client: Client, secrets: Secrets, namespace: str) -> None:
        self._client = client
        self._secrets = secrets
        self._namespace = namespace

    def find(self, source: Mapping[str, Any]) -> Secret:
        """Return a secret.

        Raises:
            Refused: there is none at that place.
        """
        return resolve(source, self._secrets, self._of_cluster)

    def same(self, source: Mapping[str, Any], value: str) -> bool:
        """Return whether a value is the secret at a place; also True where the place cannot be read from here.

        What nobody can compare is not a difference: a plan in a pipeline without secrets shows no change.
        """
        try:
            return self.find(source) == Secret(value)
        except Refused as error:
            _log.info("%s cannot be compared with what is in use: %s", named(source), error)
            return True

    def mark(self, login: Mapping[str, Any], held: str = "") -> str:
        """Return the fingerprint of a login, by which pods start again when one of its secrets changes.

        While it is the same, or cannot be read, that is the one which is `held`.
        """
        joined = self._joined(self._finder(source) for name in SIGNS_IN if (source := stated(login.get(name))))
        return held if joined is None or (held and matches(held, joined)) else fingerprint(joined)

    def marked(self, mark: str, held: Iterable[Held]) -> bool | None:
        """Return whether a fingerprint is that of what a target holds; None where nobody can tell."""
        joined = self._joined(self._finder_of(each) for each in held) if mark else None
        return None if joined is None else matches(mark, joined)

    def _finder(self, source: Mapping[str, Any]) -> Callable[[], Secret]:
        return lambda: self.find(source)

    def _finder_of(self, held: Held) -> Callable[[], Secret]:
        return (lambda: Secret(held)) if isinstance(held, str) else self._finder({"kubernetesSecret": held})

    def _joined(self, finders: Iterable[Callable[[], Secret]]) -> Secret | None:
        try:
            found = [find().reveal() for find in finders]
        except Refused as error:
            _log.info("what pods sign in with cannot be read: %s", error)
            return None
        return Secret("\0".join(found)) if found else None

    def _of_cluster(self, where: Mapping[str, Any]) -> Secret:
        place, name, key = where.get("namespace") or self._namespace, where["name"], where["key"]
        said = f"Secret {name} of namespace {place}"
        try:
            held = self._client.get(f"/api/v1/namespaces/{segment(place)}/secrets/{segment(name)}")
        except (Missing, Forbidden) as error:
            why = "is not there" if isinstance(error, Missing) else "may not be read with these credentials"
            raise Refused(f"{said} {why}") from error
        data = held.get("data") or {}
        if key not in data:
            raise Refused(f"{said} has no key {key}; it has {', '.join(sorted(data)) or 'none'}")
        return Secret(base64.b64decode(data[key]).decode("utf-8", "replace"))
