"""Schema files → kinds.

A file is named after its kind (`image_assurance_policy.json` is `ImageAssurancePolicy`), so that a kind is
found without reading all the others. Files in a folder called `common` are shared parts.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import orjson

from policysync.errors import InvalidInput, Location, Problem
from policysync.kinds.annotations import unknown_annotations
from policysync.kinds.field import field_of
from policysync.kinds.kind import Builtin, Expansion, Kind

_HERE = Path(__file__).resolve().parent.parent
_SCHEMA_WORDS = frozenset({"$schema", "$id", "$ref"})


@cache
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
        self._parts = _Parts()
        self._lock = threading.Lock()

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {
            kind_name(file.stem): file
            for folder in self.folders
            for file in sorted(folder.rglob("*.json"))
            if file.parent.name != "common" and file.parent != builtin_schemas()
        }

    def __getitem__(self, name: str) -> Kind:
        # Several threads may ask at once; without the lock one would take another's half-made part for a loop.
        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load_kind(self._files[name], self._parts)
            return self._loaded[name]

    def mentioning(self, text: str, names: Iterable[str]) -> frozenset[str]:
        """Return those of some kinds in whose own file a text stands; none is read as a schema for it."""
        said = text.encode()
        return frozenset(name for name in names if name in self and said in self._files[name].read_bytes())

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


def load_kind(file: Path, parts: _Parts | None = None) -> Kind:
    """Read one schema file. `parts` keeps what several kinds share.

    Raises:
        InvalidInput: the file is not a schema of ours.
    """
    schema = (parts or _Parts()).resolved(_read(file), file)
    # Our own schemas are checked by a test, not at every start.
    unknown = [] if file.is_relative_to(builtin_schemas()) else list(unknown_annotations(schema))
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
    backend = about["backend"]
    choices = {} if isinstance(backend, str) else {said: by for said, by in backend.items() if said != "by"}
    return Kind(
        name=about["name"],
        backends=(backend,) if isinstance(backend, str) else tuple(dict.fromkeys(choices.values())),
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
        parts_of=about.get("parts-of", {}),
        whole=about.get("whole", False),
        read_only=about.get("read-only", False),
        editions=_texts(about.get("edition", ())),
        eventual=about.get("eventual", 0),
        binds=about.get("target", {}),
        namespace=about.get("namespace", ""),
        expands=Expansion(**about["expands"]) if "expands" in about else None,
        manual={action: tuple(steps) for action, steps in about.get("manual", {}).items()},
        chosen_by="" if isinstance(backend, str) else backend["by"],
        choices=choices,
        digest=hashlib.sha256(orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)).hexdigest(),
    )


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _read(file: Path) -> dict[str, Any]:
    try:
        schema = orjson.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InvalidInput([Problem(Location(str(file)), "", f"not a schema: {error}", "schema")]) from error
    if not isinstance(schema, dict):
        raise InvalidInput([Problem(Location(str(file)), "", "not a schema: want an object", "schema")])
    return schema


class _Parts:
    """Parts of schemas with every `$ref` in them replaced by what it names, each made once."""

    def __init__(self) -> None:
        self._made: dict[str, dict[str, Any]] = {}
        self._making: set[str] = set()

    def resolved(self, node: Any, file: Path) -> Any:
        """Return a schema of `file` without any `$ref`; what stands beside a `$ref` wins."""
        if isinstance(node, list):
            return [self.resolved(item, file) for item in node]
        if not isinstance(node, dict):
            return node
        own = {name: self.resolved(value, file) for name, value in node.items() if name != "$ref"}
        return _merge(self._named(node["$ref"], file), own) if "$ref" in node else own

    def _named(self, ref: str, file: Path) -> dict[str, Any]:
        path, _, fragment = ref.partition("#")
        target = Path(os.path.normpath(file.parent / path)) if path else file
        mark = f"{target}#{fragment}"
        if mark in self._making:
            raise InvalidInput([Problem(Location(str(file)), "", f"$ref {ref!r} leads back to itself", "schema")])
        if mark not in self._made:
            self._making.add(mark)
            try:
                part = _read(target)
                for step in filter(None, fragment.split("/")):
                    part = part[step]
                self._made[mark] = self.resolved(part, target)
            finally:
                self._making.remove(mark)
        return self._made[mark]


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
