"""releases/<stage>.yaml: which revision a stage but the first follows, and why it was let in."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath

from policysync.documents.envelope import RELEASES
from policysync.documents.parse import only_one, parse, places_of
from policysync.documents.places import Places, Refusals
from policysync.documents.section import Section, shown
from policysync.documents.source_file import Source, SourceFile
from policysync.documents.suggest import did_you_mean, one_of
from policysync.errors import InvalidInput, Location, Problem
from policysync.state.resource import Address

VERSION = 1

Known = Callable[[str], bool]
"""Says whether a revision is in the repository."""

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one gate said when the pin was written."""

    gate: str
    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a pin is as it is.

    Attributes:
        stage: the stage the revision came from; for a rollback the stage itself.
        apply: the ids of the applies there that it stands on.
        rollback: for a rollback, what it went back to; no gate was asked.
    """

    stage: str = ""
    apply: tuple[str, ...] = ()
    at: str = ""
    by: str = ""
    gates: tuple[Judged, ...] = ()
    rollback: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """What a stage follows: one revision, and single resources as other revisions have them."""

    stage: str
    revision: str
    resources: Mapping[Address, str] = field(default_factory=dict)
    evidence: Evidence | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """What plans and the ledger know the release by: the revision, or revision and digest of all of it."""
        if not self.resources:
            return self.revision
        said = sorted((str(address), revision) for address, revision in self.resources.items())
        return f"{self.revision}+{hashlib.sha256(json.dumps([self.revision, said]).encode()).hexdigest()[:12]}"

    def revision_of(self, address: Address) -> str:
        """Return the revision that one resource is taken from."""
        return self.resources.get(address, self.revision)


def file_of(stage: str) -> str:
    """Return the path of a stage's pin, relative to the policy root."""
    return f"{RELEASES}/{stage}.yaml"


def short_release(release: str) -> str:
    """Return a revision, or what a release with single resources is known by, as a sentence has it."""
    revision, plus, digest = release.partition("+")
    return f"{revision[:12]}{plus}{digest[:6]}"


def load_pin(source: Source, stage: str, known: Known) -> Pin | None:
    """Return the pin of a stage as a source has it; None when there is none.

    Raises:
        InvalidInput: there is one, and something in it is wrong.
    """
    found = [file for file in source.files(RELEASES) if _is_pin(file.path) and _stage(file.path) == stage]
    pins, problems = _pins(found, known)
    if problems:
        raise InvalidInput(problems)
    return pins[0] if pins else None


def pin_problems(source: Source, stages: Iterable[str], known: Known) -> tuple[Problem, ...]:
    """Return everything that is wrong with the pins of a source; `stages` are the names there are, in order."""
    first, *later = stages or [""]
    problems: list[Problem] = []
    found = [file for file in source.files(RELEASES) if _is_pin(file.path)]
    for file in found:
        stage = _stage(file.path)
        if stage == first:
            message = f"{stage} is the first stage, and follows the branch that is checked out; delete this file"
            problems.append(Problem(Location(file.path), "", message, "first-stage"))
        elif stage not in later:
            hint = did_you_mean(stage, later) or f"; want one of {one_of(later)}"
            problems.append(Problem(Location(file.path), "", f"policysync.yaml has no stage `{stage}`{hint}", "stage"))
    return (*problems, *_pins(found, known)[1])


def read_pin(file: SourceFile, known: Known) -> Pin:
    """Return what one file says.

    Raises:
        InvalidInput: something in it is wrong.
    """
    if file.problem:
        raise InvalidInput([file.problem])
    value = only_one(*parse(file.content, file.path), file.path)
    refusals = Refusals(file.path)

    @lru_cache(maxsize=1)
    def places() -> Places:
        found = places_of(file.content, file.path)
        return found[0] if found else Places()

    top = Section({} if value is None else value, "", places, refusals)
    top.only("version", "revision", "resources", "evidence")
    if top.value.get("version") != VERSION:
        top.refuse("version" if "version" in top.value else "", f"want `version: {VERSION}`", "version")
    revision = _revision(top, "revision", known, required=True)
    resources = top.section("resources")
    singles = {}
    for name in resources.value:
        address = _address(resources, name)
        of = _revision(resources, name, known)
        if address and of:
            singles[address] = of
    evidence = _evidence(top.section("evidence")) if "evidence" in top.value else None
    if refusals.problems:
        raise InvalidInput(refusals.problems)
    return Pin(_stage(file.path), revision, singles, evidence)


def _pins(files: Iterable[SourceFile], known: Known) -> tuple[list[Pin], list[Problem]]:
    pins: list[Pin] = []
    problems: list[Problem] = []
    for file in files:
        try:
            pins.append(read_pin(file, known))
        except InvalidInput as error:
            problems += error.problems
    return pins, problems


def _is_pin(path: str) -> bool:
    return PurePosixPath(path).parent.as_posix() == RELEASES


def _stage(path: str) -> str:
    return PurePosixPath(path).stem


def _revision(section: Section, name: str, known: Known, *, required: bool = False) -> str:
    text = section.text(name, required=required)
    if not text:
        return ""
    if not _HASH.match(text):
        message = f"{shown(text)} is no full revision; want the 40 characters that `git rev-parse` prints"
        section.refuse(name, message, "revision")
        return ""
    if not known(text):
        message = f"revision {text[:12]} is not in this repository; fetch it: `git fetch origin {text}`"
        section.refuse(name, message, "unknown-revision")
    return text


def _address(section: Section, name: str) -> Address | None:
    try:
        return Address.parse(name)
    except ValueError:
        section.refuse(name, f"`{name}` is not Kind/name; want one such as Label/pci", "name", key=True)
        return None


def _evidence(section: Section) -> Evidence:
    section.only("from", "apply", "at", "by", "gates", "rollback")
    at = section.text("at")
    if at and not _is_time(at):
        section.refuse("at", f"{shown(at)} stands here, want a time such as 2026-11-22T05:00:00+00:00", "time")
    gates = []
    for each in section.sections("gates"):
        each.only("gate", "passed", "said")
        gates.append(Judged(each.text("gate", required=True), each.flag("passed"), each.text("said")))
    return Evidence(
        section.text("from"), section.texts("apply"), at, section.text("by"), tuple(gates), section.text("rollback")
    )


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
