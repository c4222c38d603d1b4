"""Schema files → kinds.

A file is named after its kind (`image_assurance_policy.json` is `ImageAssurancePolicy`), so that a kind is
found without reading all the others. Files in a folder called `common` are shared parts.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from policysync.errors import InvalidInput, Location, Problem
from policysync.kinds.annotations import unknown_annotations
from policysync.kinds.field import field_of
from policysync.kinds.kind import Builtin, Kind

_HERE = Path(__file__).resolve().parent.parent
_SCHEMA_WORDS = frozenset({"$schema", "$id", "$ref"})


def builtin_schemas() -> Path:
    """Return the folder of the schemas that come with the product, from a checkout or an installed wheel."""
    checkout = _HERE.parent / "schemas"
    return checkout if checkout.is_dir() else _HERE / "schemas"


class Kinds(Mapping[str, Kind]):
    """The kinds of some folders of schemas, each read when it is first asked for.

    A kind in a later folder replaces one of the same name in an earlier folder.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)
        self._loaded: dict[str, Kind] = {}

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {
            kind_name(file.stem): file
            for folder in self.folders
            for file in sorted(folder.rglob("*.json"))
            if file.parent.name != "common" and file.parent != builtin_schemas()
        }

    def __getitem__(self, name: str) -> Kind:
        if name not in self._loaded:
            self._loaded[name] = load_kind(self._files[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def load_kinds(folders: Iterable[Path] = ()) -> Kinds:
    """Return the product's kinds and those of further folders."""
    return Kinds((builtin_schemas(), *folders))


def kind_name(stem: str) -> str:
    """Return the kind a file name stands for: `label` → `Label`, `host_runtime_policy` → `HostRuntimePolicy`."""
    return "".join(part[:1].upper() + part[1:] for part in stem.split("_"))


def file_stem(name: str) -> str:
    """Return the file name of a kind, without its ending; the inverse of `kind_name`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def load_kind(file: Path) -> Kind:
    """Read one schema file.

    Raises:
        InvalidInput: the file is not a schema of ours.
    """
    schema = _resolve(_read(file), file, (file,))
    unknown = list(unknown_annotations(schema))
    if unknown:
        raise InvalidInput(
            Problem(
                Location(str(file)),
                pointer,
                "unknown annotation; see schemas/annotations.json",
                "unknown-annotation",
            )
            for pointer in unknown
        )
    about = schema.get("x-kind", {})
    if about.get("name") != kind_name(file.stem):
        message = f"x-kind says {about.get('name')!r}, want {kind_name(file.stem)!r} after the file's name"
        raise InvalidInput([Problem(Location(str(file)), "/x-kind/name", message, "kind-name")])
    return _kind(about, schema, file)


def _kind(about: Mapping[str, Any], schema: dict[str, Any], file: Path) -> Kind:
    return Kind(
        name=about["name"],
        backend=about["backend"],
        key=_texts(about["key"]),
        scope=about.get("scope", about["name"]),
        builtins=tuple(
            Builtin(b.get("name", ""), b.get("match"), b.get("editable", True), b.get("confidence", "sure"))
            for b in about.get("builtins", ())
        ),
        exclude=about.get("exclude", {}),
        title=schema.get("title", about["name"]),
        description=schema.get("description", ""),
        root=field_of(schema, about["name"]),
        api=schema.get("x-api", {}),
        schema=schema,
        file=str(file),
        singleton=about.get("singleton", False),
        slots=tuple(about.get("slots", ())),
        read_only=about.get("read-only", False),
        editions=_texts(about.get("edition", ())),
        eventual=about.get("eventual", 0),
        digest=hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest(),
    )


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _read(file: Path) -> dict[str, Any]:
    try:
        schema = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput([Problem(Location(str(file)), "", f"not a schema: {error}", "schema")]) from error
    if not isinstance(schema, dict):
        raise InvalidInput([Problem(Location(str(file)), "", "not a schema: want an object", "schema")])
    return schema


def _resolve(node: Any, file: Path, seen: tuple[Path | str, ...]) -> Any:
    """Return a schema with every `$ref` replaced by what it names; what stands beside a `$ref` wins."""
    if isinstance(node, list):
        return [_resolve(item, file, seen) for item in node]
    if not isinstance(node, dict):
        return node
    own = {name: _resolve(value, file, seen) for name, value in node.items() if name != "$ref"}
    if "$ref" not in node:
        return own
    path, _, fragment = node["$ref"].partition("#")
    target = (file.parent / path).resolve() if path else file
    mark = f"{target}#{fragment}"
    if mark in seen:
        raise InvalidInput([Problem(Location(str(file)), "", f"$ref {node['$ref']!r} leads back to itself", "schema")])
    shared = _read(target)
    for part in filter(None, fragment.split("/")):
        shared = shared[part]
    return _merge(_resolve(shared, target, (*seen, mark)), own)


def _merge(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = {name: value for name, value in shared.items() if name not in _SCHEMA_WORDS and name != "$defs"}
    for name, value in own.items():
        if name == "properties" and name in merged:
            merged[name] = {
                member: _merge(merged[name].get(member, {}), sub) for member, sub in {**merged[name], **value}.items()
            }
        elif name == "unevaluatedProperties":
            merged["additionalProperties"] = value
        else:
            merged[name] = value
    return merged
