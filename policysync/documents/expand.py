"""`${var.NAME}` → the stage's value; `${env:NAME}` and its like only where a kind says that a secret stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policysync.documents.finding import Finding, Path
from policysync.documents.overlay import below
from policysync.documents.secret_reference import secret_trouble
from policysync.documents.suggest import did_you_mean, one_of
from policysync.kinds.field import Field

_MARK = re.compile(r"\$\$\{|\$\{var\.([^}]*)\}|\$\{(?:env|file|keyring|vault|aws-secret):[^}]*\}")
_NEARLY = re.compile(r"(?<!\$)\$\{(?:var\.[^}]*\Z|(?:vars|env)\.|var:[A-Za-z_])")
_NOTHING = Field()
_WANTED = "${var.NAME}, in a secret field ${env:NAME}, or $${ for the text"
MISPLACED = "misplaced-reference"
"""The code of a reference to a secret where no secret stands."""


def escaped(text: str) -> str:
    """Return the spelling in a document that stands for exactly this text."""
    return text.replace("${", "$${") if _MARK.search(text) else text


class Expansion:
    """Expands the specs of a stage with these variables."""

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.variables = variables

    def of(self, field: Field, spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Finding]]:
        """Return the spec with variables replaced, and what is wrong with its references."""
        findings: list[Finding] = []
        expanded = self._value(field, spec, (), False, findings)
        return expanded, findings

    def _value(self, field: Field, value: Any, path: Path, sensitive: bool, findings: list[Finding]) -> Any:
        sensitive = sensitive or field.sensitive
        if isinstance(value, dict):
            return {
                name: self._value(below(field, name), member, (*path, name), sensitive, findings)
                for name, member in value.items()
            }
        if isinstance(value, list):
            each = field.each or _NOTHING
            return [self._value(each, item, (*path, str(i)), sensitive, findings) for i, item in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            value = self._text(value, path, sensitive, findings)
        if sensitive:
            check_secret(value, path, findings)
        return value

    def _text(self, text: str, path: Path, sensitive: bool, findings: list[Finding]) -> Any:
        whole = _MARK.fullmatch(text)
        if whole and whole[1] is not None:
            return self._variable(whole[1], path, findings, text)

        # The text is not shown: it may be a secret in a misspelt field.
        if _NEARLY.search(text) and not sensitive:
            message = f"nearly a reference, and taken for text as it is; want {_WANTED}"
            findings.append(Finding(path, message, "nearly-a-reference", warning=True))

        def one(found: re.Match[str]) -> str:
            if found[0] == "$${":
                return "${"
            if found[1] is None:
                if not sensitive:
                    message = f"{found[0]} stands outside a secret field; only those take references"
                    findings.append(Finding(path, message, MISPLACED))
                return found[0]
            value = self._variable(found[1], path, findings, found[0])
            if isinstance(value, dict | list):
                message = f"variable `{found[1]}` is no text or number and cannot stand inside a text"
                findings.append(Finding(path, message, "variable"))
            return str(value).lower() if isinstance(value, bool) else str(value)

        return _MARK.sub(one, text)

    def _variable(self, name: str, path: Path, findings: list[Finding], fallback: str) -> Any:
        if name in self.variables:
            return self.variables[name]
        hint = did_you_mean(name, self.variables) or (
            f"; want one of {one_of(self.variables)}" if self.variables else ""
        )
        findings.append(Finding(path, f"there is no variable `{name}`{hint}", "unknown-variable"))
        return fallback


def literal_secrets(field: Field | None, value: Any, path: Path = (), sensitive: bool = False) -> list[Finding]:
    """Return a finding for every secret in clear text, for a spec without references. Walks secret branches only."""
    findings: list[Finding] = []
    if field is None and not sensitive:
        return findings
    sensitive = sensitive or bool(field and field.sensitive)
    if isinstance(value, dict):
        for name, member in value.items():
            sub = (field.properties.get(name) or field.values) if field else None
            if sub or sensitive:
                findings += literal_secrets(sub, member, (*path, name), sensitive)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            findings += literal_secrets(field.each if field else None, item, (*path, str(index)), sensitive)
    elif sensitive:
        check_secret(value, path, findings)
    return findings


def check_secret(value: Any, path: Path, findings: list[Finding]) -> None:
    """Note a finding when a secret field holds anything but a reference or nothing."""
    if value is None or value == "":
        return
    trouble = secret_trouble(value) if isinstance(value, str) else secret_trouble("")
    if trouble:
        findings.append(Finding(path, trouble, "literal-secret" if "clear text" in trouble else "secret-reference"))
