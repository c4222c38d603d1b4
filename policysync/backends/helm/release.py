"""A Helm release, decoded from the Secret Helm keeps it in.

Source: reference, connectors 1.5; confirmed with Helm 3.17 and 4.2.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from policysync.errors import Refused

GONE = "uninstalled"
"""The status of a release of which Helm kept the history only."""


@dataclass(frozen=True, slots=True)
class Release:
    """One revision of a release.

    Attributes:
        status: Helm's word: deployed, failed, pending-install, …
        chart, version: name and version of the chart.
        defaults: the values that come with the chart.
        config: the values that were given; they hold secrets in clear text.
        manifest: the objects it is made of.
    """

    name: str
    namespace: str
    revision: int
    status: str
    chart: str
    version: str
    defaults: Mapping[str, Any]
    config: Mapping[str, Any] = field(repr=False)
    manifest: tuple[Mapping[str, Any], ...] = field(repr=False)

    @property
    def locked(self) -> bool:
        """Whether another run holds it, or died over it."""
        return self.status.startswith("pending-") or self.status == "uninstalling"

    @property
    def values(self) -> dict[str, Any]:
        """What the chart was rendered with."""
        return laid_over(self.defaults, self.config)

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The annotations of pods among those values."""
        found = self.values.get("podAnnotations")
        return found if isinstance(found, Mapping) else {}


def newest(secrets: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the Secret of the newest revision of one release; None where Helm says that it is gone."""
    found = max(secrets, key=_revision, default=None)
    labels = found["metadata"].get("labels", {}) if found else {}
    return None if found is None or labels.get("status") == GONE else found


def _revision(secret: Mapping[str, Any]) -> int:
    text = str(secret["metadata"].get("labels", {}).get("version", ""))
    return int(text) if text.isdecimal() else 0


def decode(secret: Mapping[str, Any]) -> Release:
    """Return the release that a Secret holds.

    Raises:
        Refused: it holds something else.
    """
    name = secret.get("metadata", {}).get("name", "?")
    try:
        packed = base64.b64decode(base64.b64decode(secret["data"]["release"]))
        said = json.loads(gzip.decompress(packed))
        chart = said["chart"]
        return Release(
            name=said["name"],
            namespace=said["namespace"],
            revision=int(said["version"]),
            status=said["info"]["status"],
            chart=chart["metadata"]["name"],
            version=chart["metadata"]["version"],
            defaults=chart.get("values") or {},
            config=said.get("config") or {},
            # A chart may make nothing at all, and then nothing is kept.
            manifest=tuple(_objects(yaml.load_all(said.get("manifest") or "", Loader=_Loader))),
        )
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
        raise Refused(f"Secret {name} is not a release as Helm writes it: {type(error).__name__}") from error


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads YAML as Helm does: dates are texts, and so is what looks like minutes and seconds."""


_DIGITS = re.compile(r"[-+]?(0b[0-1_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)\Z")
_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, _DIGITS if tag == "tag:yaml.org,2002:int" else pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp"
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _objects(documents: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a manifest; a list stands for what is in it."""
    for each in documents:
        if isinstance(each, Mapping) and isinstance(each.get("items"), list) and "metadata" not in each:
            yield from _objects(each["items"])
        elif isinstance(each, Mapping) and isinstance(each.get("metadata"), Mapping) and each["metadata"].get("name"):
            yield each


def laid_over(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as Helm merges them: mappings merge, null takes away, everything else replaces."""
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(name), Mapping):
            merged[name] = laid_over(merged[name], value)
        else:
            merged[name] = value
    return merged
