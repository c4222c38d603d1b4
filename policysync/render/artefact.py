"""An artefact: one file a connector expands to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

PLACEHOLDER = "<secret>"
"""What stands in the reviewable form where the effective form holds a secret."""


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file, ready to be read by a person or by the vendor's tool.

    Attributes:
        name: a file name, with an ending; it may hold folders, and never leads out of the folder it is written to.
        text: ends with a newline.
        secret: the text holds a secret. Such an artefact lives in memory or in a file of mode 0600 that is
            removed afterwards, and is never shown; the renderers of `listed` make none.
    """

    name: str
    text: str
    secret: bool = False


class _Plain(yaml.SafeDumper):
    """Writes no aliases: a person reads each value where it stands."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def json_text(value: Any) -> str:
    """Return indented JSON, members in the order given."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def yaml_text(*documents: Mapping[str, Any]) -> str:
    """Return YAML in the order given, one document after another; texts that look like something else are quoted."""
    return yaml.dump_all(documents, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
