"""What somebody changed by hand in one stage → overlays of that stage, so that no other stage gets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.commands.adopting import escaped_value
from policysync.commands.comparing import Comparison
from policysync.commands.drifted import WrittenBack, obstacle
from policysync.commands.file_names import FileNames
from policysync.commands.rewriting import CannotRewrite, inserted, rewritten
from policysync.documents.document import Document
from policysync.documents.emit import emit
from policysync.documents.envelope import API_VERSION, STAGES, mentions
from policysync.documents.overlay import below, merge
from policysync.documents.project import Project, Stage
from policysync.documents.source import Source
from policysync.documents.stage import Draft
from policysync.errors import PolicySyncError
from policysync.kinds.field import Field
from policysync.kinds.load import file_stem
from policysync.plan.accepted import placed
from policysync.plan.change import Action, Change, Edit
from policysync.plan.overlaid import overlaid
from policysync.plan.paths import Path
from policysync.pointer import split
from policysync.reports.view import path_text
from policysync.state.normalize import live_spec
from policysync.state.resource import Address


@dataclass
class Overlays:
    """Writes overlays of one stage. `source` is what they are laid over, and where the ones that are there stand.

    Attributes:
        texts: the new text of every file, by its path below the policy root.
    """

    project: Project
    stage: Stage
    source: Source
    drafts: Mapping[Address, Draft]
    texts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._files = FileNames(self.project.root / STAGES / self.stage.name)

    def take(self, comparison: Comparison, wanted: frozenset[Address]) -> WrittenBack:
        """Write what drifted, and return what was written and what was left."""
        result = WrittenBack()
        for change in comparison.plan.changes:
            draft = self.drafts.get(change.address)
            if change.address not in wanted or draft is None:
                continue
            if change.action is not Action.UPDATE:
                result.left.append(f"{change.address}: {_whole(change)}")
                continue
            applied = change.address in comparison.world.last_applied
            takes: list[Edit] = []
            for edit in change.edits:
                why = obstacle(draft, edit, applied=applied)
                if why:
                    result.left.append(f"{change.address} {path_text(edit.path)}: {why}")
                else:
                    takes.append(edit)
            if takes:
                self._take(draft, change, takes, result)
        return result

    def _take(self, draft: Draft, change: Change, edits: list[Edit], result: WrittenBack) -> None:
        kind = draft.kind
        spec: Any = live_spec(kind, draft.spec)
        for edit in edits:
            spec = placed(kind.root, spec, edit.path, edit.before)
        members = {edit.path[0] for edit in edits}
        over = {name: value for name, value in overlaid(kind, draft.spec, spec).spec.items() if name in members}
        for name in sorted(members - over.keys()):
            result.left.append(f"{change.address} {name}: an overlay cannot say it; change the base")
        if not over:
            return
        if len(draft.layers) > 1:
            document = draft.layers[-1].document
            spelt = [name for name in over if mentions(document.spec.get(name))]
            result.left += [f"{change.address} {name}: stated with a reference in {document.where}" for name in spelt]
            kept = {name: escaped_value(value) for name, value in over.items() if name not in spelt}
            self._lay(kind.root, document, kept)
            path = document.where.file
        else:
            kept, path = over, self._new(draft, over)
        result.written += [(change.address, path, edit) for edit in edits if edit.path[0] in kept]

    def _new(self, draft: Draft, over: Mapping[str, Any]) -> str:
        name = draft.layers[0].document.name
        body = {"apiVersion": API_VERSION, "kind": draft.kind.name, "metadata": {"name": name}}
        file = self._files.file(file_stem(draft.kind.name), name)
        path = file.relative_to(self.project.root).as_posix()
        self.texts[path] = emit({**body, "spec": escaped_value(over)})
        return path

    def _lay(self, root: Field, document: Document, over: Mapping[str, Any]) -> None:
        path = document.where.file
        text = self.texts.get(path) or self.source.read(path).decode()
        edit = _Text(text, document.index, as_json=path.endswith(".json"))
        at = split(document.below)
        try:
            if document.spec or not at:
                edit.lay(root, at, _as_written(document, document.spec), _as_written(document, over))
            else:
                edit.add((), at[0], over)
        except CannotRewrite as error:
            raise PolicySyncError(f"{path}: {document} cannot be written back: {error}") from error
        self.texts[path] = edit.text


def _as_written(document: Document, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {document.spelt.get(name, name): value for name, value in spec.items()}


@dataclass
class _Text:
    """The text of a file while it is edited."""

    text: str
    index: int
    as_json: bool

    def lay(self, root: Field, at: Path, said: Mapping[str, Any], over: Mapping[str, Any]) -> None:
        """Lay an overlay on the mapping at a path, which says `said`; what it does not touch stays as it is."""
        for name, value in over.items():
            inside = below(root, name)
            if name not in said:
                self.add(at, name, value)
            elif isinstance(value, Mapping) and isinstance(said[name], Mapping) and said[name]:
                self.lay(inside, (*at, name), said[name], value)
            else:
                new = merge(inside, said[name], value) if value is not None else None
                self.text = rewritten(self.text, self.index, (*at, name), new, as_json=self.as_json)

    def add(self, at: Path, name: str, value: Any) -> None:
        self.text = inserted(self.text, self.index, at, name, value, as_json=self.as_json)


def _whole(change: Change) -> str:
    if change.action is Action.CREATE:
        return "was deleted by hand; `metadata: {absent: true}` in an overlay of the stage keeps it away"
    return "git does not have it any more"
