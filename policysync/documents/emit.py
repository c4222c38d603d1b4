"""Plain data → YAML that every parser reads alike.

A text is quoted when YAML 1.1 or YAML 1.2 would read it as anything else, and also when it only looks like a number:
digests and versions are misread by many tools. What our own parser refuses is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from policysync.documents.scalar import plain

_WIDTH = 1_000_000  # a folded text makes a diff nobody can read
_TEXT = "tag:yaml.org,2002:str"
_NUMBERLIKE = re.compile(r"[-+]?[.0-9][0-9a-fA-F_.:,xXoObBeE+-]*\Z")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "nan", "inf", "infinity"})
# These are line breaks to YAML 1.1, invisible, or refused when they stand unescaped.
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def emit(document: Mapping[str, Any], comments: Iterable[str] = ()) -> str:
    """Return a document as YAML in block style, members in the order they have. `comments` end it, indented by two."""
    text: str = yaml.dump(
        document,
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDTH,
    )
    return text + "".join(f"  # {_one_line(comment)}\n" for comment in comments)


def emit_inline(value: Any) -> str:
    """Return a value as YAML on one line, to stand inside other YAML, within brackets as well."""
    text: str = yaml.dump(
        _Inline(value), Dumper=_InlineDumper, default_flow_style=True, allow_unicode=True, sort_keys=False, width=_WIDTH
    )
    return text.strip()[1:-1]


def needs_quotes(text: str) -> bool:
    """Return whether a text, written without quotes, might be read as something else."""
    return text.lower() in _WORDS or bool(_NUMBERLIKE.match(text)) or not isinstance(plain(text), str)


def _one_line(comment: str) -> str:
    return " ".join(_ESCAPED.sub("?", comment).split())


def _is_block(text: str) -> bool:
    """Return whether a text can stand as it is below a `|`."""
    if "\n" not in text.rstrip("\n") or text[0] in " \t\n" or _ESCAPED.search(text):
        return False
    return not any(line != line.rstrip() for line in text.split("\n"))


class _Dumper(yaml.SafeDumper):
    """PyYAML's own emitter: no aliases, list elements indented below their member."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless and False)

    def analyze_scalar(self, scalar: str) -> Any:
        # PyYAML takes a tab for a special character; inside a block it is an ordinary one.
        analysis = super().analyze_scalar(scalar)
        if "\t" in scalar and _is_block(scalar):
            analysis.allow_block = True
        return analysis


class _InlineDumper(_Dumper):
    """Everything on one line."""


class _Inline(list[Any]):
    """One value in brackets, which keep PyYAML from adding a document end marker."""

    def __init__(self, value: Any) -> None:
        super().__init__([value])


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _ESCAPED.search(text):
        style = '"'
    elif _is_block(text):
        style = "|"
    elif needs_quotes(text):
        style = "'"
    return dumper.represent_scalar(_TEXT, text, style=style)


def _inline_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if "\n" in text or _ESCAPED.search(text) else "'" if needs_quotes(text) else None
    return dumper.represent_scalar(_TEXT, text, style=style)


_Dumper.add_representer(str, _text)
_InlineDumper.add_representer(str, _inline_text)
_InlineDumper.add_representer(_Inline, yaml.SafeDumper.represent_list)
