"""The expressions of GitHub's workflow files, as far as ours use them.

Source: GitHub's page "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<number>\d+)|(?P<sign>&&|\|\||[=!]=|[!().,[\]]))"
)
_INSIDE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def filled(value: Any, context: Mapping[str, Any]) -> Any:
    """Return a value of a workflow file with its expressions worked out."""
    if isinstance(value, Mapping):
        return {name: filled(each, context) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, context) for each in value]
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\$\{\{((?:(?!\}\}).)*)\}\}", value.strip(), re.DOTALL):
        return Expression(whole[1], context).value()
    return _INSIDE.sub(lambda found: shown(Expression(found[1], context).value()), value)


def holds(condition: Any, context: Mapping[str, Any], failed: bool) -> bool:
    """Say whether a job or step with this `if` runs, `failed` being what happened before it."""
    text = "success()" if condition is None else str(condition).strip()
    inside = re.fullmatch(r"\$\{\{(.*)\}\}", text, re.DOTALL)
    text = inside[1] if inside else text
    if not re.search(r"\b(?:success|failure|always|cancelled)\(\)", text):
        text = f"success() && ({text})"
    return bool(Expression(text, {**context, "failed": failed}).value())


def shown(value: Any) -> str:
    """Return a value as it is put into a text."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


class Expression:
    """One expression; reading it works it out."""

    def __init__(self, text: str, context: Mapping[str, Any]) -> None:
        found = [match for match in _TOKEN.finditer(text) if match[0].strip()]
        assert "".join(match[0].strip() for match in found) == re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", text), text
        self.tokens = [(match.lastgroup or "", match[0].strip()) for match in found]
        self.context = context

    def value(self) -> Any:
        result = self._either()
        assert not self.tokens, f"left over: {self.tokens}"
        return result

    def _take(self, *signs: str) -> str | None:
        return self.tokens.pop(0)[1] if self.tokens and self.tokens[0][1] in signs else None

    def _either(self) -> Any:
        left = self._both()
        while self._take("||"):
            right = self._both()
            left = left or right
        return left

    def _both(self) -> Any:
        left = self._equal()
        while self._take("&&"):
            right = self._equal()
            left = left and right
        return left

    def _equal(self) -> Any:
        left = self._one()
        while sign := self._take("==", "!="):
            right = self._one()
            left = (left == right) is (sign == "==")
        return left

    def _one(self) -> Any:
        if self._take("!"):
            return not self._one()
        if self._take("("):
            inner = self._either()
            assert self._take(")")
            return self._path(inner)
        sort, text = self.tokens.pop(0)
        if sort != "name":
            return text[1:-1].replace("''", "'") if sort == "text" else int(text)
        if not self._take("("):
            assert text in self.context, f"no context {text}"
            return self._path(self.context[text])
        arguments = []
        while not self._take(")"):
            arguments.append(self._either())
            self._take(",")
        return self._path(self._call(text, arguments))

    def _path(self, value: Any) -> Any:
        while sign := self._take(".", "["):
            if sign == ".":
                name = self.tokens.pop(0)[1]
                value = value.get(name) if isinstance(value, Mapping) else None
            else:
                key = self._either()
                assert self._take("]")
                value = value[key]
        return value

    def _call(self, name: str, arguments: list[Any]) -> Any:
        failed = self.context.get("failed", False)
        calls: dict[str, Callable[..., Any]] = {
            "fromJSON": json.loads,
            "contains": lambda held, wanted: wanted in held,
            "success": lambda: not failed,
            "failure": lambda: failed,
            "always": lambda: True,
            "cancelled": lambda: False,
        }
        return calls[name](*arguments)
