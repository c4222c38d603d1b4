"""What somebody changed by hand → the documents that state it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.commands.adopting import escaped_value
from policysync.commands.comparing import Comparison
from policysync.commands.rewriting import CannotRewrite, rewritten
from policysync.documents.document import Document
from policysync.documents.envelope import mentions
from policysync.documents.overlay import trace
from policysync.documents.source import Source
from policysync.documents.stage import Draft
from policysync.errors import PolicySyncError
from policysync.plan.change import Action, Cause, Change, Edit
from policysync.plan.minimal import holds_secret, stated
from policysync.plan.paths import Path, at, found, indices
from policysync.pointer import MISSING, split
from policysync.reports.view import path_text
from policysync.state.normalize import canonical, desired_spec
from policysync.state.resource import Address


@dataclass(frozen=True, slots=True)
class Replacement:
    """Another value for a path inside the spec of one document."""

    document: Document
    path: Path
    value: Any


@dataclass
class WrittenBack:
    """What is to be written, and what has to be left and why. `written` are the edits, each with its file."""

    replacements: list[Replacement] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    written: list[tuple[Address, str, Edit]] = field(default_factory=list)


def drifted(comparison: Comparison, drafts: Mapping[Address, Draft], wanted: frozenset[Address]) -> WrittenBack:
    """Return what takes the live values into git. What git moved since the last apply stays as git has it."""
    result = WrittenBack()
    for change in comparison.plan.changes:
        draft = drafts.get(change.address)
        if change.action is not Action.UPDATE or change.address not in wanted or draft is None:
            continue
        applied = change.address in comparison.world.last_applied
        for edit in change.edits:
            why = obstacle(draft, edit, applied=applied)
            made = why or _replacement(draft, change, edit)
            if isinstance(made, Replacement):
                _add(result.replacements, made)
                result.written.append((change.address, made.document.where.file, edit))
            else:
                result.left.append(f"{change.address} {path_text(edit.path)}: {made}")
    return result


def obstacle(draft: Draft, edit: Edit, *, applied: bool) -> str:
    """Return why an edit cannot be taken into the documents that `draft` comes from, or nothing."""
    if holds_secret(edit.before) or holds_secret(edit.after):
        return "holds a secret"
    if applied and edit.cause is Cause.PENDING:
        return "git moved, not the console; apply it"
    if applied and edit.cause is Cause.CONFLICT:
        return "git and the console both moved; decide in the file"
    now = found(draft.kind.root, desired_spec(draft.kind, draft.spec), edit.path)
    if now is not edit.after and canonical(now) != canonical(edit.after):
        return "git says something else by now than what is released; decide in the file"
    return ""


def _add(replacements: list[Replacement], new: Replacement) -> None:
    """Add a replacement; two edits below the same rewritten value are one."""
    if not any(old.document is new.document and old.path == new.path for old in replacements):
        replacements.append(new)


def _replacement(draft: Draft, change: Change, edit: Edit) -> Replacement | str:
    """Return the replacement for one edit: of the value itself, or of the nearest value around it that git states."""
    live = change.before.spec if change.before else {}
    for length in range(len(edit.path), 0, -1):
        value = edit.before if length == len(edit.path) else found(draft.kind.root, live, edit.path[:length])
        if value is MISSING:
            continue
        path = indices(draft.kind.root, draft.spec, edit.path[:length])
        for layer in reversed(draft.layers):
            own = trace(draft.kind.root, draft.spec, layer.spec, path) if path is not None else None
            if own is None:
                continue
            said = at(layer.document.spec, own)
            if said is MISSING or mentions(said):
                return f"stated with a reference in {layer.document.where}; change it there"
            if length < len(edit.path):
                value = found(draft.kind.root, stated(draft.kind, live).spec, edit.path[:length])
            return Replacement(layer.document, own, escaped_value(value)) if value is not MISSING else "not live"
    return "no single place in git states it"


def new_texts(source: Source, replacements: Iterable[Replacement]) -> Iterator[tuple[str, str]]:
    """Yield the path of each file with its new text.

    Raises:
        PolicySyncError: a value cannot be replaced where it stands.
    """
    files: dict[str, list[Replacement]] = {}
    for replacement in replacements:
        files.setdefault(replacement.document.where.file, []).append(replacement)
    for name, wanted in sorted(files.items()):
        text = source.read(name).decode()
        mark = "\ufeff" if text.startswith("\ufeff") else ""
        text = text.removeprefix(mark)
        for one in wanted:
            steps = (*split(one.document.below), *one.document.written(one.path))
            try:
                text = rewritten(text, one.document.index, steps, one.value, as_json=name.endswith(".json"))
            except CannotRewrite as error:
                raise PolicySyncError(f"{name}: {path_text(steps)} cannot be written back: {error}") from error
        yield name, mark + text
