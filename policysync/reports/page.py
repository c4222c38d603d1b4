"""One page a person can read: self-contained, without a script, and with nothing loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from policysync.plan.change import Plan
from policysync.reports.planned import Planned
from policysync.reports.text import drift_closing
from policysync.reports.view import Block, blocks, printable

_PAGES = Path(__file__).resolve().parent / "pages"


@dataclass(frozen=True, slots=True)
class Group:
    """The changes of one kind; `looser` counts."""

    kind: str
    blocks: tuple[Block, ...]
    looser: int


@dataclass(frozen=True, slots=True)
class TargetPart:
    """One target: what is pending and what drifted. Counts are texts, so that what is not known can say so."""

    name: str
    revision: str
    facts: str
    closing: str
    pending: int
    looser: int
    blocked: int
    guards: tuple[str, ...]
    groups: tuple[Group, ...]
    asides: tuple[str, ...]
    drifted: str = ""
    drift_closing: str = ""
    drift_groups: tuple[Group, ...] = ()
    last: str = ""


@dataclass(frozen=True, slots=True)
class StagePart:
    """One stage; `trouble` says why nothing is known of it, `history` are its last applies."""

    number: int
    name: str
    targets: tuple[TargetPart, ...] = ()
    trouble: str = ""
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What the template shows. `whole` says that it is about a repository and not about one command."""

    title: str
    subtitle: str
    stages: tuple[StagePart, ...]
    whole: bool = False


def render(page: Page) -> str:
    """Return the page as HTML. Its policy allows the one style sheet by its digest, and nothing else."""
    style = (_PAGES / "page.css").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(_PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = environment.get_template("page.html.j2")
    # Our own file, so it is not escaped.
    return template.render(page=page, style=Markup(style), style_digest=digest)  # noqa: S704


def planned(view: Planned) -> str:
    """Return the page of one command."""
    stages = []
    for number, (name, plans) in enumerate(groupby(view.plans, key=lambda plan: plan.stage), 1):
        stages.append(StagePart(number, printable(name), tuple(target_part(view, plan) for plan in plans)))
    return render(Page(f"policysync {view.command}", view.closing, tuple(stages)))


def target_part(view: Planned, plan: Plan, drift: Plan | None = None, last: str = "") -> TargetPart:
    """Return what is shown of one target, with what drifted when that is known."""
    groups = tuple(_groups(plan))
    dirty = ", work tree not committed" if plan.dirty else ""
    revision = f"revision {plan.revision[:12]}{dirty}" if plan.revision else "no revision"
    return TargetPart(
        name=printable(plan.target),
        revision=plan.revision[:12],
        facts="live against last applied" if view.drift else revision,
        closing=view.closing_of(plan),
        pending=len(plan.changes),
        looser=sum(group.looser for group in groups),
        blocked=len(plan.blocked),
        guards=tuple(printable(f"Guard {name} would refuse this: {why}") for name, why in view.guards_of(plan).items()),
        groups=groups,
        asides=tuple(view.asides_of(plan)),
        drifted=str(len(drift.changes)) if drift else "not known",
        drift_closing=drift_closing(drift) if drift else "",
        drift_groups=tuple(_groups(drift)) if drift else (),
        last=last,
    )


def _groups(plan: Plan) -> Iterator[Group]:
    """Yield the changes by kind: first the kinds, and in them the changes and edits, that make something looser."""
    pairs = sorted(zip(plan.changes, blocks(plan), strict=True), key=lambda pair: pair[0].address.kind)
    groups = []
    for kind, found in groupby(pairs, key=lambda pair: pair[0].address.kind):
        drawn = sorted((_looser_first(block) for _, block in found), key=lambda block: not block.looser)
        groups.append(Group(printable(kind), tuple(drawn), sum(block.looser for block in drawn)))
    yield from sorted(groups, key=lambda group: not group.looser)


def _looser_first(block: Block) -> Block:
    return replace(block, rows=tuple(sorted(block.rows, key=lambda row: not row.looser)))
