"""A few kinds that are small enough to see through, one for every way a collection can work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def _calls(path: str, item: str = "", **differing: dict[str, Any]) -> dict[str, Any]:
    """Return the five calls of a collection at `path`; `differing` adds to single ones."""
    item = item or f"{path}/{{id}}"
    calls: dict[str, Any] = {
        "list": {"method": "GET", "path": path, "success": [200], "paging": "count"},
        "get": {"method": "GET", "path": item, "success": [200], "missing": [404]},
        "create": {"method": "POST", "path": path, "success": [200, 201, 204], "canonical": 201, "answer": "object"},
        "update": {"method": "PUT", "path": item, "success": [200, 201, 204], "canonical": 204, "answer": "empty"},
        "delete": {"method": "DELETE", "path": item, "success": [200, 204], "canonical": 204, "answer": "empty"},
    }
    for call, more in differing.items():
        calls[call] |= more
    return calls


TEXT = {"type": "string", "default": ""}
SWITCH = {"type": "boolean", "default": False}
NAMES = {"type": ["array", "null"], "items": {"type": "string"}, "default": [], "x-set": True}

DOOR: dict[str, Any] = {
    "x-kind": {
        "name": "Door",
        "backend": "aqua",
        "key": "name",
        "builtins": [{"name": "Front"}, {"name": "Trap", "editable": False}],
    },
    "x-api": {"noun": "door policy", "id": "name", **_calls("/api/v2/doors", create={"conflict": 409})},
    "properties": {
        "name": {"type": "string", "x-immutable": True},
        "id": {"type": "integer", "x-read-only": True},
        "colour": {"type": "string", "default": "grey"},
        "locked": {**SWITCH, "x-initial": True},
        "days": {"type": "integer", "default": 30, "x-server-filled": {"value": 30}},
        "score": {"type": "number", "default": 0},
        "application_scopes": {**NAMES, "default": ["Global"]},
        "keys": NAMES,
        "steps": {"type": "array", "items": {"type": "object", "properties": {"to": TEXT}}, "default": []},
        "range": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "default": [0, 10]},
        "frame": {
            "type": "object",
            "properties": {
                "wood": TEXT,
                "height": {"type": "integer", "default": 0, "x-initial": 2},
                "nails": NAMES,
            },
        },
        "options": {"type": "object", "additionalProperties": {"type": "string"}},
        "newer": {"type": "string", "x-optional": True},
        "author": {"type": "string", "x-read-only": True},
        "created": {"type": "string", "x-read-only": True},
        "lastupdate": {"type": "integer", "x-volatile": True},
        "permission": {"type": "string", "x-volatile": True},
    },
}


def _window(name: str, pane: str, **more: Any) -> dict[str, Any]:
    where = {"where": {"pane": pane}, "omits": "objects"}
    return {
        "x-kind": {"name": name, "backend": "aqua", "key": "name", "scope": "windows"},
        "x-api": {"noun": "window", "id": "name", **_calls("/api/v2/windows", list=where)},
        "properties": {
            "name": {"type": "string"},
            "pane": {"const": pane, "type": "string", "x-immutable": True},
            "shut": SWITCH,
            "blind": {"type": "object", "properties": {"enabled": SWITCH}},
            **more,
        },
    }


TICKET: dict[str, Any] = {
    "x-kind": {"name": "Ticket", "backend": "aqua", "key": "title"},
    "x-api": {"noun": "ticket", "id": "id", **_calls("/api/v2/tickets", list={"paging": "data"})},
    "properties": {"id": {"type": "integer", "x-read-only": True, "x-env-specific": True}, "title": TEXT, "text": TEXT},
}

NOTE: dict[str, Any] = {
    "x-kind": {"name": "Note", "backend": "aqua", "key": ["topic", "image_name"]},
    "x-api": {
        "noun": "note",
        "list": {"method": "GET", "path": "/api/v2/notes", "success": [200], "rename": {"image": "image_name"}},
        "get": None,
        "create": {
            "method": "POST",
            "path": "/api/v2/notes",
            "success": [204],
            "body": {"wrap": "issues", "lift": ["comment"]},
        },
        "update": None,
        "delete": {"method": "DELETE", "path": "/api/v2/notes/multiple", "success": [204], "body": {"wrap": "issues"}},
    },
    "properties": {
        "topic": TEXT,
        "image_name": TEXT,
        "image": {"type": "string", "x-read-only": True},
        "comment": TEXT,
        "expiration_days": {"type": "integer", "default": 0},
        "date": {"type": "string", "x-read-only": True},
    },
}

SCRIPT: dict[str, Any] = {
    "x-kind": {"name": "Script", "backend": "aqua", "key": "name"},
    "x-api": {
        "noun": "script",
        "id": "script_id",
        **_calls(
            "/api/v2/scripts",
            list={"paging": "none", "omits": ["snippet"]},
            create={"body": "array", "answer": "array", "conflict": 409},
        ),
    },
    "properties": {
        "script_id": {"type": "string", "x-read-only": True, "x-env-specific": True},
        "name": TEXT,
        "snippet": TEXT,
    },
}

GADGET: dict[str, Any] = {
    "x-kind": {"name": "Gadget", "backend": "aqua", "key": "name"},
    "x-api": {
        "noun": "gadget",
        "id": "name",
        "base": "supply-chain",
        **_calls("/v2/gadgets", list={"paging": "current_page"}),
    },
    "properties": {
        "name": TEXT,
        "password": {**TEXT, "x-write-only": True, "x-sensitive": True},
        "token": {**TEXT, "x-sensitive": True, "x-server-filled": True},
        "checks": {
            "type": "array",
            "x-key": "name",
            "items": {
                "type": "object",
                "properties": {
                    "name": TEXT,
                    "script_id": {**TEXT, "x-env-specific": "name", "x-ref": "Script"},
                    "snippet": TEXT,
                },
            },
        },
    },
}

SMALL = {
    "door": DOOR,
    "glass_window": _window("GlassWindow", "glass"),
    "paper_window": _window(
        "PaperWindow",
        "paper",
        fire={**SWITCH, "x-removed": "refused"},
        oil={"type": "object", "properties": {"enabled": SWITCH}, "x-removed": "refused"},
    ),
    "ticket": TICKET,
    "note": NOTE,
    "script": SCRIPT,
    "gadget": GADGET,
}


def write_small_kinds(folder: Path) -> Path:
    """Write the schema files into `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, schema in SMALL.items():
        whole = {"type": "object", "additionalProperties": False, **schema}
        (folder / f"{stem}.json").write_text(json.dumps(whole), encoding="utf-8")
    return folder
