"""Parsed documents → `Document`s, or what is wrong with their envelopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import orjson

from policysync.documents.document import Document
from policysync.documents.parse import Parsed
from policysync.documents.placing import Placing
from policysync.documents.project import Project
from policysync.documents.section import shown
from policysync.documents.suggest import did_you_mean, nearest, one_of
from policysync.documents.surprise import boolean
from policysync.errors import Location, Problem
from policysync.kinds.kind import Kind
from policysync.kinds.load import kind_name
from policysync.pointer import MISSING, resolve

API_VERSION = "policysync/v1"
MEMBERS = ("apiVersion", "kind", "metadata", "spec")
_WANTED = {"apiVersion": f"; want {API_VERSION}", "kind": "; `policysync kinds` lists them"}
METADATA = ("name", "labels", "targets", "protect", "absent")
_EXPORT = "what a console exported goes below `spec`, or as it is into a folder named after its kind, like `label/`"
BASE, STAGES = "policies/base/", "policies/stages/"
RELEASES = "releases"


class Envelopes:
    """Reads the envelopes of one file after another; `problems` collects what is wrong."""

    def __init__(self, project: Project, kinds: Mapping[str, Kind], placing: Placing) -> None:
        self.kinds = kinds
        self.placing = placing
        self.problems: list[Problem] = []
        self.stages = {stage.name: {target.name for target in stage.targets} for stage in project.stages}
        self.targets = {target for names in self.stages.values() for target in names}

    def of_file(self, path: str, documents: tuple[Parsed, ...]) -> Iterator[Document]:
        """Yield the documents of a file whose envelopes are in order."""
        stage = self._stage(path)
        if stage is None:
            return
        for index, parsed in enumerate(documents):
            before = len(self.problems)
            document = _Envelope(self, path, index, parsed, stage).read()
            if document and len(self.problems) == before:
                yield document

    def _stage(self, path: str) -> str | None:
        if path.startswith(BASE):
            return ""
        stage = path.removeprefix(STAGES).partition("/")[0] if path.startswith(STAGES) else ""
        if not stage or path == STAGES + stage:
            message = "stands in neither policies/base nor policies/stages/<stage>, so it describes nothing; move it"
            self.problems.append(Problem(Location(path), "", message, "misplaced"))
            return None
        if stage not in self.stages:
            hint = did_you_mean(stage, self.stages) or f"; want one of {one_of(self.stages)}"
            message = f"policysync.yaml has no stage `{stage}`{hint}"
            self.problems.append(Problem(Location(path), "", message, "unknown-stage"))
            return None
        return stage


class _Envelope:
    """One document."""

    def __init__(self, all_: Envelopes, path: str, index: int, parsed: Parsed, stage: str) -> None:
        self.all = all_
        self.path = path
        self.index = index
        self.value = parsed.value
        self.where = Location(path, parsed.line, parsed.column)
        self.stage = stage
        self.meant: set[str] = set()

    def read(self) -> Document | None:
        if not isinstance(self.value, dict):
            self.refuse("", f"{shown(self.value)} stands here, want a document with {one_of(MEMBERS)}", "type")
            return None
        folder = kind_name(PurePosixPath(self.path).parent.name)
        if not {"apiVersion", "metadata", "spec"} & self.value.keys() and folder in self.all.kinds:
            return self.exported(self.all.kinds[folder])
        if not self.value.keys() & set(MEMBERS):
            self.refuse("", f"no document stands here, want {one_of(MEMBERS)}; {_EXPORT}", "required")
            return None
        self.only("", self.value, MEMBERS)
        kind = self.kind()
        metadata = self.member("", self.value, "metadata", dict, {})
        # Only a namespace makes it worth reading the schema of a kind that this run may be about nothing else of.
        namespaced = "namespace" in metadata and kind and self.cluster_version(kind)
        known = (*METADATA, "namespace") if namespaced else METADATA
        self.only("/metadata", metadata, known)
        return self.document(kind, metadata) if kind else None

    def only(self, at: str, owner: Mapping[str, Any], known: Sequence[str]) -> None:
        """Refuse keys that are not known. What one of them was probably meant to be is not missing as well."""
        for name in owner:
            if name in known:
                continue
            if name in MEMBERS and name not in self.value:
                self.meant.add(name)
                message = f"`{name}` stands inside `{at[1:]}`, and belongs beside it; indent it less"
            else:
                self.meant.add(nearest(name, [other for other in known if other not in owner]))
                hint = did_you_mean(name, known) or f"; want one of {one_of(known)}"
                message = f"unknown key `{name}`{hint}"
            self.refuse(f"{at}/{name}", message, "unknown-key", key=True)

    def exported(self, kind: Kind) -> Document | None:
        name = kind.name_of(self.value)
        if not name:
            wanted = " and ".join(f"`{member}`" for member in kind.key)
            self.refuse("", f"an export of {kind.name} without {wanted} has no name", "required")
            return None
        refers = mentions(self.value)
        return Document(self.where, self.index, kind.name, name, self.stage, self.value, "", refers=refers)

    def kind(self) -> str:
        name = self.member("", self.value, "kind", str, "", required=True)
        known = name in self.all.kinds
        version = self.member("", self.value, "apiVersion", str, "", required=True)
        if version and version != API_VERSION:
            # A kind's schema is read only when it has to be: most runs are about one kind of many.
            allowed = (self.cluster_version(name) if known else "") or API_VERSION
            if version != allowed:
                self.refuse("/apiVersion", f"{shown(version)} stands here, want {allowed}", "api-version")
        if name and not known:
            hint = did_you_mean(name, self.all.kinds) or "; `policysync kinds` lists them"
            self.refuse("/kind", f"unknown kind `{name}`{hint}", "unknown-kind")
        return name if known else ""

    def cluster_version(self, kind: str) -> str:
        """Return the apiVersion that objects of a kind have in a cluster; empty when they live elsewhere."""
        return str(self.all.kinds[kind].schema["x-kind"].get("apiVersion", ""))

    def document(self, kind: str, metadata: Mapping[str, Any]) -> Document:
        name = self.name(metadata)
        namespace = self.member("/metadata", metadata, "namespace", str, "")
        absent = self.member("/metadata", metadata, "absent", bool, False)
        spec = self.member("", self.value, "spec", dict, {}, required=not absent)
        namespace = self.namespace(kind, namespace, spec)
        if namespace and name:
            name = f"{namespace}/{name}"
        if absent and not self.stage:
            self.refuse("/metadata/absent", "belongs into an overlay; delete this document instead", "absent")
        if absent and spec:
            self.refuse("/spec", "an absent resource has no spec; drop one of the two", "absent")
        return Document(
            where=self.where,
            index=self.index,
            kind=kind,
            name=name,
            stage=self.stage,
            spec=spec,
            labels=self.labels(metadata),
            targets=self.targets(metadata),
            protect=self.member("/metadata", metadata, "protect", bool, None),
            absent=absent,
            refers=mentions(spec),
        )

    def name(self, metadata: Mapping[str, Any]) -> str:
        if not isinstance(self.value.get("metadata") or {}, dict):
            return ""  # that is wrong, and said already
        name: str = self.member("/metadata", metadata, "name", str, "", required=True)
        if name in {".", ".."}:
            self.refuse("/metadata/name", f'"{name}" stands for a folder in addresses; want another name', "name")
        return name

    def namespace(self, kind: str, stated: str, spec: Mapping[str, Any]) -> str:
        """Return the namespace of an object, said in metadata or where its kind lets the spec say it."""
        # Only a namespace makes it worth reading the schema; see `read`.
        if not any(isinstance(member, dict) and "namespace" in member for member in spec.values()):
            return stated
        pointer = self.all.kinds[kind].namespace
        said = resolve(spec, pointer) if pointer else MISSING
        if not isinstance(said, str) or not said:
            return stated
        if stated and stated != said:
            message = f"{shown(said)} stands here, and metadata.namespace is {shown(stated)}; keep one"
            self.refuse(f"/spec{pointer}", message, "stated-twice")
        return said

    def labels(self, metadata: Mapping[str, Any]) -> Mapping[str, str]:
        labels: Mapping[str, Any] = self.member("/metadata", metadata, "labels", dict, {})
        for name, value in labels.items():
            if not isinstance(value, str):
                self.refuse(f"/metadata/labels/{name}", f"{shown(value)} stands here, want text in quotes", "type")
        return labels

    def targets(self, metadata: Mapping[str, Any]) -> tuple[str, ...]:
        named = self.member("/metadata", metadata, "targets", list, [])
        known = self.all.stages[self.stage] if self.stage else self.all.targets
        for index, target in enumerate(named):
            if not isinstance(target, str) or target not in known:
                hint = did_you_mean(str(target), known) or f"; want one of {one_of(sorted(known))}"
                owner = f"stage {self.stage}" if self.stage else "policysync.yaml"
                self.refuse(f"/metadata/targets/{index}", f"{owner} has no target {shown(target)}{hint}", "target")
        return tuple(str(target) for target in named)

    def member(
        self, at: str, owner: Mapping[str, Any], name: str, wanted: type, default: Any, *, required: bool = False
    ) -> Any:
        value = owner.get(name)
        if value is None or value == "":
            if required and name not in self.meant:
                hint = _WANTED.get(name, "")
                self.refuse(at if name not in owner else f"{at}/{name}", f"`{name}` is missing{hint}", "required")
            return default
        if not isinstance(value, wanted):
            self.refuse(f"{at}/{name}", _mistyped(value, wanted), "type")
            return default
        return value

    def refuse(self, pointer: str, message: str, code: str, key: bool = False) -> None:
        where = self.all.placing.at(self.where, self.index, pointer, key)
        self.all.problems.append(Problem(where, pointer, message, code))


def _mistyped(value: Any, wanted: type) -> str:
    if wanted is bool and isinstance(value, str) and (looks := boolean(value)):
        return looks
    words = {str: "text", dict: "a mapping", list: "a list", bool: "true or false"}
    quotes = "; put it in quotes" if wanted is str and isinstance(value, bool | int | float) else ""
    return f"{shown(value)} stands here, want {words[wanted]}{quotes}"


def mentions(value: Any) -> bool:
    """Whether any text in a value may hold `${`."""
    try:
        return b"${" in orjson.dumps(value)
    except TypeError:
        # Numbers and texts that JSON has no form for; whoever looks closer tells.
        return True
