"""The secrets of connectors: from where documents say they are, and compared with those in use."""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
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


class Vault:
    """Finds the secrets that documents name. `namespace` is where a Secret is whose place names none."""

    def __init__(self, client: Client, secrets: Secrets) -> None:
        self._client = client
        self._secrets = secrets

    def find(self, source: Mapping[str, Any], namespace: str) -> Secret:
        """Return a secret.

        Raises:
            Refused: there is none at that place.
        """
        return resolve(source, self._secrets, lambda where: self._of_cluster(where, namespace))

    def same(self, source: Mapping[str, Any], value: str, namespace: str) -> bool:
        """Return whether a value is the secret at a place; also True where the place cannot be read from here.

        What nobody can compare is not a difference: a plan in a pipeline without secrets shows no change.
        """
        try:
            return self.find(source, namespace) == Secret(value)
        except Refused as error:
            _log.info("%s cannot be compared with what is in use: %s", named(source), error)
            return True

    def mark(self, auth: Mapping[str, Any], namespace: str, held: str = "") -> str:
        """Return the fingerprint of what pods sign in with, so that they start again when that changes.

        While it is the same, or cannot be read, that is the one which is `held`.
        """
        joined = self._joined(auth, namespace)
        return held if joined is None or (held and matches(held, joined)) else fingerprint(joined)

    def marked(self, mark: str, auth: Mapping[str, Any], namespace: str) -> bool:
        """Return whether a fingerprint is that of what `auth` names now; also True where nobody can tell."""
        joined = self._joined(auth, namespace) if mark else None
        return joined is None or matches(mark, joined) is not False

    def _joined(self, auth: Mapping[str, Any], namespace: str) -> Secret | None:
        sources = [source for name in SIGNS_IN if (source := stated(auth.get(name)))]
        try:
            return Secret("\0".join(self.find(source, namespace).reveal() for source in sources)) if sources else None
        except Refused as error:
            _log.info("what pods sign in with cannot be read: %s", error)
            return None

    def _of_cluster(self, where: Mapping[str, Any], namespace: str) -> Secret:
        place, name, key = where.get("namespace") or namespace, where["name"], where["key"]
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
