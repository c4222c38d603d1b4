"""YAML text → the same text with members moved and texts quoted alike.

Nothing is written anew: lines are moved whole, with the comments above them, and only single values are replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import yaml

from policysync.documents.emit import emit, emit_inline, needs_quotes
from policysync.documents.scalar import plain

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What is plain everywhere, without asking the emitter.
_SAFE = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*\Z")
_KEEP = re.compile(r"[|>][0-9]?\+")
_COMMENT = re.compile(r"[ \t]*#")


class Order(Protocol):
    """The order of the members of a mapping, and of what is below it."""

    whole: bool
    """Whether empty lines part nothing: without it members are ordered between one empty line and the next."""

    def sorted(self, names: Sequence[str]) -> list[str]:
        """Return names in order."""

    def below(self, name: str) -> Order:
        """Return the order inside a member."""

    def each(self) -> Order:
        """Return the order inside an element."""


def laid_out(text: str, orders: Mapping[int, Any]) -> str:
    """Return YAML with every document in its order. A document with aliases stays as it is."""
    if text and not text.endswith("\n"):
        text += "\n"
    nodes = [node for node in yaml.compose_all(text, Loader=_LOADER) if not _is_nothing(node)]
    out, at = [], 0
    for index, node in enumerate(nodes):
        if index in orders and not _has_aliases(node, set()):
            new, at = _Writing(text).upto(node, orders[index], at)
            out.append(new)
    return "".join([*out, text[at:]])


def _is_nothing(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and plain(node.value) is None


def _has_aliases(node: Any, seen: set[int]) -> bool:
    """Whether anything stands in a document twice."""
    if id(node) in seen:
        return True
    seen.add(id(node))
    return any(_has_aliases(below, seen) for below in _below(node))


def _below(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [below for pair in node.value for below in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _end(node: Any, text: str) -> int:
    """Return where the last character of a value stands. The parser's own marks run on to what follows."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return max((_end(below, text) for below in _below(node)), default=int(node.start_mark.index))
    end = int(node.end_mark.index)
    if getattr(node, "style", None) in ("|", ">") and not _KEEP.match(text, node.start_mark.index):
        return len(text[:end].rstrip())
    return end


class _Writing:
    """One text, written again piece by piece."""

    def __init__(self, text: str) -> None:
        self.text = text

    def upto(self, node: Any, order: Order, start: int, flow: bool = False) -> tuple[str, int]:
        """Return the text from `start` to the end of a node as it is to be, and where it ended before."""
        first = int(node.start_mark.index)
        if isinstance(node, yaml.ScalarNode):
            last = int(node.end_mark.index)
            if node.style in ("|", ">"):
                last = max(_end(node, self.text), first)
            return self.text[start:first] + _quoted(node, self.text[first:last], flow), last
        flow = flow or bool(node.flow_style)
        if isinstance(node, yaml.SequenceNode):
            return self.through([(item, order.each()) for item in node.value], node, start, flow)
        names = [key.value for key, _ in node.value]
        if order.sorted(names) != names:
            moved = self.moved_flow(node, order) if flow else self.moved(node, order)
            if moved is not None:
                first, last, new = moved
                end = int(node.end_mark.index) if flow else last
                return self.text[start:first] + new + self.text[last:end], end
        pieces = [piece for pair in node.value for piece in self.pieces(pair, order)]
        return self.through(pieces, node, start, flow)

    def pieces(self, pair: tuple[Any, Any], order: Order) -> list[tuple[Any, Order]]:
        """Return key and value of a member, each with the order of what is inside."""
        key, value = pair
        return [(key, order), (value, order.below(key.value))]

    def through(self, pieces: Sequence[tuple[Any, Order]], node: Any, start: int, flow: bool) -> tuple[str, int]:
        """Return the text up to the end of a node that holds these pieces."""
        out, at = self.inside(pieces, start, flow)
        end = int(node.end_mark.index) if node.flow_style else at
        return out + self.text[at:end], max(at, end)

    def inside(self, pieces: Sequence[tuple[Any, Order]], start: int, flow: bool) -> tuple[str, int]:
        """Return the text up to the end of the last piece, what stands between them as it is."""
        out, at = [], start
        for node, order in pieces:
            # What is left out has no place of its own.
            if node.end_mark.index > node.start_mark.index >= at:
                new, at = self.upto(node, order, at, flow)
                out.append(new)
        return "".join(out), at

    def moved_flow(self, node: Any, order: Order) -> tuple[int, int, str] | None:
        """Return the span of the members of a mapping in brackets, and how it reads in order."""
        spans = [(key.start_mark.index, max(_end(key, self.text), _end(value, self.text))) for key, value in node.value]
        gaps = [self.text[one[1] : following[0]] for one, following in pairwise(spans)]
        if any("#" in gap for gap in gaps):
            return None
        texts = {}
        for pair, (start, stop) in zip(node.value, spans, strict=True):
            new, at = self.inside(self.pieces(pair, order), start, flow=True)
            texts[pair[0].value] = new + self.text[at:stop]
        wanted = order.sorted(list(texts))
        new = "".join(texts[name] + gap for name, gap in zip(wanted, [*gaps, ""], strict=True))
        return spans[0][0], spans[-1][1], new

    def moved(self, node: Any, order: Order) -> tuple[int, int, str] | None:
        """Return the span of the members of a mapping in block style, and how it reads in order."""
        column = int(node.start_mark.column)
        chunks = self.chunks(node, column)
        if chunks is None:
            return None
        texts = {}
        groups: list[list[str]] = [[]]
        for pair, (gap, start, stop) in zip(node.value, chunks, strict=True):
            new, at = self.inside(self.pieces(pair, order), start, flow=False)
            texts[pair[0].value] = new + self.text[at:stop]
            if gap and not order.whole:
                groups.append([])
            groups[-1].append(pair[0].value)
        wanted = [name for group in groups for name in order.sorted(group)]
        first, *others = wanted
        rest = [gap + " " * column + texts[name] for name, (gap, _, _) in zip(others, chunks[1:], strict=True)]
        new = "".join([texts[first], *rest])
        # The line's end is left to whoever comes after.
        return chunks[0][1], chunks[-1][2] - 1, new[:-1]

    def chunks(self, node: Any, column: int) -> list[tuple[str, int, int]] | None:
        """Return for each member the empty lines before it, which stay, and where it starts and ends with its comments.

        A member starts behind its indentation and ends with its line. None when they cannot be moved.
        """
        found: list[tuple[str, int, int]] = []
        at = self.first(node.value[0][0].start_mark.index, column)
        for key, value in node.value:
            before = self.text[at : key.start_mark.index]
            if not _only_comments(before):
                return None
            gap = _empty_lines(before) if found else ""
            start = at + len(gap)
            start += _indent(self.text[start : key.start_mark.index]) if found else 0
            stop = self.line_end(max(self.after_colon(key), _end(value, self.text)))
            # A comment that stands further right belongs to the value above it.
            while (line := self.line_at(stop)) and _COMMENT.match(line) and _indent(line) > column:
                stop += len(line)
            found.append((gap, start, stop))
            at = stop
        return found

    def first(self, start: int, column: int) -> int:
        """Return where the first member starts with the comments right above it. What heads a file stays there."""
        line = self.text.rfind("\n", 0, start) + 1
        if not column or self.text[line:start].strip():
            return start
        while line:
            above = self.text.rfind("\n", 0, line - 1) + 1
            if not _COMMENT.match(self.text, above, line) or _indent(self.text[above:line]) != column:
                break
            line = above
        return line + column

    def after_colon(self, key: Any) -> int:
        return self.text.index(":", key.end_mark.index) + 1

    def line_end(self, index: int) -> int:
        if index and self.text[index - 1] == "\n":
            return index
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def line_at(self, index: int) -> str:
        return self.text[index : self.line_end(index + 1)] if index < len(self.text) else ""


def _only_comments(text: str) -> bool:
    return all(not line.strip() or _COMMENT.match(line) for line in text.splitlines())


def _empty_lines(before: str) -> str:
    lines = before.splitlines(keepends=True)
    count = next((index for index, line in enumerate(lines) if line.strip() or not line.endswith("\n")), len(lines))
    return "".join(lines[:count])


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _quoted(node: Any, raw: str, flow: bool) -> str:
    """Return a scalar as it is written: without quotes where that is safe for every parser, else in single ones."""
    value: str = node.value
    if not node.style:
        return _unquoted(value) if raw == value and raw else raw
    if node.style not in ("'", '"') or raw[:1] != node.style or "\n" in raw or "\n" in value:
        return raw
    if _SAFE.match(value) and not needs_quotes(value):
        return value
    return emit_inline(value) if flow else emit({"_": value}).removeprefix("_: ").rstrip("\n")


def _unquoted(value: str) -> str:
    """Return a scalar that stands there without quotes."""
    meant = plain(value)
    if isinstance(meant, str):
        return emit_inline(value) if needs_quotes(value) else value
    if isinstance(meant, bool):
        return "true" if meant else "false"
    return "null" if meant is None else value
