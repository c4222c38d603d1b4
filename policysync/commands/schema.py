"""`policysync schema`: our schemas as plain JSON Schemas, so that editors complete and check policy files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from policysync.commands.project import known_kinds
from policysync.documents.overlay import GONE
from policysync.kinds.kind import Kind

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE = r"^\$\{var\.[A-Za-z0-9_.-]+\}$"
_REFERENCE = r"^\$\{[a-z]+:.+\}$"
_PLAIN_WORDS = {
    "x-read-only": "readOnly",
    "x-volatile": "readOnly",
    "x-write-only": "writeOnly",
    "x-removed": "deprecated",
}
_GONE = {"const": True, "description": "Takes the element with this key out of this stage."}
_DATA = frozenset({"default", "const", "enum", "examples", "required"})
_METADATA: Mapping[str, Any] = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "description": "The console's name of the object, exactly."},
        "labels": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Ours only; for --select.",
        },
        "targets": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Narrows the document to some targets of the stage.",
        },
        "protect": {"type": "boolean", "description": "Never delete the object, even when the file goes."},
        "absent": {"type": "boolean", "description": "In an overlay: takes the resource out of this stage."},
    },
}


@click.command(name="schema", short_help="Print the JSON Schema of a kind, for editors.")
@click.argument("kind", required=False)
@click.option("--overlay", is_flag=True, help="For overlays: nothing is required, and null unsets.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write KIND.schema.json for every kind, document.schema.json and overlay.schema.json here.",
)
def command(kind: str | None, overlay: bool, out: Path | None) -> None:
    """Print the schema of a document of KIND as plain JSON Schema 2020-12, or one schema for documents of any kind.

    \b
    Example:
      policysync schema ImageAssurancePolicy
      policysync schema --out .vscode/policysync
    """
    kinds = known_kinds(Path.cwd())
    if kind is not None and kind not in kinds:
        raise click.BadParameter(_unknown(kind, kinds), param_hint="KIND")
    if out is not None:
        chosen = [kinds[kind]] if kind else list(kinds.values())
        click.echo(f"wrote {write_schemas(chosen, out)} schemas to {out}", err=True)
        return
    schema = document_schema(kinds[kind], overlay) if kind else any_document(kinds.values(), overlay)
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False))


def write_schemas(kinds: Iterable[Kind], folder: Path) -> int:
    """Write one file a kind, one that switches on the kind, and the same for overlays. Returns how many files."""
    chosen = sorted(kinds, key=lambda kind: kind.name)
    files = {f"{kind.name}.schema.json": document_schema(kind) for kind in chosen}
    files["document.schema.json"] = any_document(chosen)
    files["overlay.schema.json"] = any_document(chosen, overlay=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in files.items():
        (folder / name).write_text(as_text(schema), encoding="utf-8")
    return len(files)


def as_text(schema: Mapping[str, Any]) -> str:
    """Return a schema as a file for editors: compact, because it is long and nobody reads it."""
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False) + "\n"


def any_document(kinds: Iterable[Kind], overlay: bool = False) -> dict[str, Any]:
    """Return one schema for documents of these kinds: it looks at `kind` and then asks for that kind's."""
    schemas = {kind.name: document_schema(kind, overlay) for kind in sorted(kinds, key=lambda kind: kind.name)}
    return {
        "$schema": _DIALECT,
        "title": "policysync overlay" if overlay else "policysync document",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "properties": {"kind": {"enum": list(schemas), "description": "What the document describes."}},
        "allOf": [
            {
                "if": {"required": ["kind"], "properties": {"kind": {"const": name}}},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in schemas
        ],
        "$defs": {name: {k: v for k, v in schema.items() if k != "$schema"} for name, schema in schemas.items()},
    }


def document_schema(kind: Kind, overlay: bool = False) -> dict[str, Any]:
    """Return the schema of a document of one kind: the envelope, and the kind's own schema as `spec`."""
    spec = plain(kind.schema, overlay)
    # The name stands in `metadata`, so that a spec need not repeat it.
    required = [name for name in spec.pop("required", ()) if (name,) != kind.key]
    version = kind.schema["x-kind"].get("apiVersion")
    if required:
        spec["required"] = required
    return {
        "$schema": _DIALECT,
        "title": kind.title,
        "description": kind.description,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"enum": ["policysync/v1", version]} if version else {"const": "policysync/v1"},
            "kind": {"const": kind.name},
            "metadata": _metadata(namespaced=bool(version)),
            "spec": {name: value for name, value in spec.items() if name not in {"$schema", "title", "description"}},
        },
    }


def _metadata(*, namespaced: bool) -> Mapping[str, Any]:
    if not namespaced:
        return _METADATA
    namespace = {"type": "string", "description": "Namespace of the object, where its kind lives in namespaces."}
    return {**_METADATA, "properties": {**_METADATA["properties"], "namespace": namespace}}


def plain(schema: Mapping[str, Any], overlay: bool = False) -> dict[str, Any]:
    """Return a resolved schema without our annotations, as it holds for what a person writes.

    A value may come from the stage's variables, a sensitive one has to be a reference, and in an overlay nothing is
    required and null unsets. Values that were seen but are not the only ones become examples.
    """
    out: dict[str, Any] = {}
    for name, value in schema.items():
        if name.startswith("x-"):
            continue
        if name == "properties":
            out[name] = {member: _member(sub, overlay) for member, sub in value.items()}
        elif isinstance(value, Mapping) and name not in _DATA:
            out[name] = plain(value, overlay)
        elif isinstance(value, list) and name not in _DATA:
            out[name] = [plain(item, overlay) if isinstance(item, Mapping) else item for item in value]
        else:
            out[name] = value
    out.update({word: True for ours, word in _PLAIN_WORDS.items() if schema.get(ours)})
    if "x-known" in schema:
        out.setdefault("examples", list(schema["x-known"]))
    if overlay:
        out.pop("required", None)
        if "x-key" in schema and "properties" in out.get("items", ()):
            out["items"]["properties"] |= {GONE: _GONE}
    if schema.get("x-sensitive") and schema.get("type") == "string":
        return {
            **{k: v for k, v in out.items() if k not in {"format", "minLength", "maxLength"}},
            "pattern": _REFERENCE,
        }
    return _or_variable(out)


def _member(schema: Any, overlay: bool) -> Any:
    """Return the schema of a member; `false` stands where it cannot be."""
    if not isinstance(schema, Mapping):
        return schema
    found = plain(schema, overlay)
    return _or_null(found) if overlay else found


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    types = schema.get("type")
    if types is not None:
        schema["type"] = [*([types] if isinstance(types, str) else types), "null"]
    for word in {"enum", "const"} & schema.keys():
        value = schema.pop(word)
        schema["enum"] = [*(value if word == "enum" else [value]), None]
    return {"anyOf": [*schema.pop("anyOf"), {"type": "null"}], **schema} if "anyOf" in schema else schema


def _or_variable(schema: dict[str, Any]) -> dict[str, Any]:
    types = schema.get("type")
    listed = {types} if isinstance(types, str) else set(types or ())
    if "enum" in schema:
        closed = {"enum": schema.pop("enum")}
        schema["anyOf"] = [closed, {"type": "string", "pattern": _VARIABLE}]
        schema.pop("type", None)
    elif listed & {"boolean", "integer", "number"} and "string" not in listed:
        # `pattern` speaks of texts only and the bounds of numbers only, so one flat schema says both.
        schema["type"] = [*sorted(listed), "string"]
        schema["pattern"] = _VARIABLE
    return schema


def _unknown(name: str, kinds: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, kinds, 1)
    return f"there is no kind {name!r}" + (f"; did you mean {near[0]}?" if near else "; see `policysync kinds`")
