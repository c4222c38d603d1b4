"""Changing single values in a document's text. Everything else, comments and layout included, stays byte for byte.

The text is not written anew: the characters of a value are replaced by those of another one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from policysync.documents.emit import emit, emit_inline

Path = tuple[str, ...]


class CannotRewrite(ValueError):
    """A value cannot be replaced where it stands; says why."""


def rewritten(text: str, index: int, path: Path, value: Any, *, as_json: bool = False) -> str:
    """Return the text with another value at a path of its document number `index`, counted without empty ones.

    Raises:
        CannotRewrite: nothing stands there, or it stands there through an alias.
    """
    place = _found(_documents(text)[index], path)
    start, end = place.node.start_mark.index, _end(place.node, text)
    new = json.dumps(value, ensure_ascii=False) if as_json else _written(place, value)
    if "\r\n" in text:
        new = new.replace("\n", "\r\n")
    if place.is_block and place.key is not None and not _is_filled(value):
        # What fits on one line goes up to its key: below it, it might stand too far left.
        colon = text.index(":", place.key.end_mark.index) + 1
        return f"{text[:colon]} {new}{text[colon:start].rstrip()}{text[end:]}"
    return text[:start] + new + text[end:]


def inserted(text: str, index: int, path: Path, name: str, value: Any, *, as_json: bool = False) -> str:
    """Return the text with one member more, at the end of the mapping at a path of document number `index`.

    Raises:
        CannotRewrite: no mapping stands there, or it stands there through an alias.
    """
    node = _found(_documents(text)[index], path).node
    if not isinstance(node, yaml.MappingNode):
        raise CannotRewrite("no mapping stands there")
    crlf = "\r\n" in text
    if as_json or node.flow_style:
        at = _end(node.value[-1][1], text) if node.value else int(node.start_mark.index) + 1
        new = _pair(name, value) if as_json else emit_inline({name: value})[1:-1]
        comma = ", " if node.value else ""
        if as_json and node.value and node.start_mark.line != node.end_mark.line:
            comma = ",\n" + " " * int(node.value[0][0].start_mark.column)
        return text[:at] + (comma.replace("\n", "\r\n") if crlf else comma) + new + text[at:]
    # What follows the last value on its line is a remark on it.
    end = _end(node, text)
    line_end = text.find("\n", end)
    block = _indented(emit({name: value}), -1, int(node.start_mark.column))
    if line_end < 0:
        text, line_end = f"{text}\n", len(text)
    block = f"{block}\n".replace("\n", "\r\n") if crlf else f"{block}\n"
    return text[: line_end + 1] + block + text[line_end + 1 :]


def _pair(name: str, value: Any) -> str:
    return f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands. `key` is its own, and None for an element and inside brackets."""

    node: Any
    key: Any = None

    @property
    def is_block(self) -> bool:
        return isinstance(self.node, yaml.CollectionNode) and not self.node.flow_style


def _documents(text: str) -> list[Any]:
    nodes = yaml.compose_all(text, Loader=yaml.SafeLoader)
    return [node for node in nodes if not (isinstance(node, yaml.ScalarNode) and not node.value and not node.style)]


def _found(node: Any, path: Sequence[str]) -> _Place:
    place = _Place(node)
    flow = False
    for step in path:
        flow = flow or bool(getattr(place.node, "flow_style", False))
        pairs = [(key, value) for key, value in _children(place.node) if key == step]
        if not pairs:
            raise CannotRewrite("it does not stand there as it is")
        key_node, node = pairs[0][1]
        if node.start_mark.index < (key_node or place.node).start_mark.index:
            raise CannotRewrite("it stands there through an alias")
        place = _Place(node, None if flow else key_node)
    return place


def _children(node: Any) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Yield the name of each member or element, its key's node (None for an element) and its own."""
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, (key, value)) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(index), (None, value)) for index, value in enumerate(node.value))


def _end(node: Any, text: str) -> int:
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return max((_end(below, text) for below in _below(node)), default=node.start_mark.index)
    end = int(node.end_mark.index)
    if getattr(node, "style", None) in ("|", ">"):
        # The mark stands after the blank lines that follow a block.
        return len(text[:end].rstrip())
    return end


def _below(node: Any) -> Iterator[Any]:
    for each in node.value:
        if isinstance(each, tuple):
            yield from each
        else:
            yield each


def _written(place: _Place, value: Any) -> str:
    """Return a value in the style of what stood there: a block stays a block where it can."""
    node = place.node
    if place.is_block and _is_filled(value):
        here = column = int(node.start_mark.column)
        if isinstance(value, Mapping) and place.key is not None:
            # A list may stand as far left as its key, a mapping may not.
            column = max(here, place.key.start_mark.column + 2)
        block = _indented(emit({"_": value}).split("\n", 1)[1], 2, column)
        return " " * (column - here) + block.lstrip(" ")
    if place.key is not None and isinstance(value, str) and getattr(node, "style", None) == "|":
        return _indented(emit({"_": value}).removeprefix("_: "), 0, place.key.start_mark.column)
    return emit_inline(value)


def _is_filled(value: Any) -> bool:
    return isinstance(value, Mapping | list) and bool(value)


def _indented(block: str, had: int, column: int) -> str:
    """Return a block that was indented by `had` spaces indented by `column`; the first line only with -1 or above 0."""
    lines = block.rstrip("\n").split("\n")
    if had < 0:
        return "\n".join(" " * column + line if line else line for line in lines)
    first = lines[0] if had == 0 else " " * column + lines[0][had:]
    return "\n".join([first, *(" " * column + line[had:] if line else line for line in lines[1:])])
