"""What git says one stage should hold."""

from __future__ import annotations

import dataclasses
import functools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.documents.branches import branches
from policysync.documents.cache import ParseCache, open_cache
from policysync.documents.catalog import load
from policysync.documents.declared import bound
from policysync.documents.finding import Finding, Path
from policysync.documents.judge import Judge
from policysync.documents.project import Project, Stage
from policysync.documents.secret_reference import is_secret_reference
from policysync.documents.source_file import Source
from policysync.documents.stage import Draft
from policysync.errors import PolicySyncError, Problem
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from policysync.state.written import as_written

Secrets = Callable[[str], Secret]


@dataclass(frozen=True, slots=True)
class Desired:
    """The resources of a stage, and every problem of its documents. A resource with an error is left out.

    `documents` says what the document is called that stands for a resource of another kind.
    """

    resources: tuple[Resource, ...] = ()
    problems: tuple[Problem, ...] = ()
    documents: Mapping[Address, Address] = dataclasses.field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are not mere warnings."""
        return tuple(problem for problem in self.problems if not problem.warning)


def desired_state(
    source: Source,
    project: Project,
    stage: Stage,
    kinds: Mapping[str, Kind],
    secrets: Secrets | None = None,
    *,
    cache: ParseCache | None = None,
    engine: str = "rust",
    in_order: bool = False,
) -> Desired:
    """Return the resources of a stage in normal form.

    Args:
        secrets: resolves references to secrets. None means offline: references are checked in form only, and stand
            as an empty secret with the reference as its source.
        cache: remembers parsed files between runs; None takes that of the policy repository.
        engine: "rust" or "python", who gives the schema verdict.
        in_order: leave every list in the order of the documents, for people; it is not for comparing.
    """
    cache = cache or open_cache(project.root)
    catalog = load(source, project, kinds, cache)
    judged = Judge(catalog, project, kinds, engine=engine, cache=cache).stage(stage)
    cache.save()
    problems, placing, drafts = [*catalog.problems, *judged.problems], catalog.placing, deque(judged.good)
    stands = {draft.address: draft.stands.address for draft in judged.good if draft.stands}
    # Of thousands of documents each goes as soon as its resource is there.
    del catalog, judged
    resources = []
    while drafts:
        draft = drafts.popleft()
        spec, findings = _with_secrets(draft.kind.root, draft.spec, secrets or _offline)
        problems += [draft.problem(finding, placing) for finding in findings]
        if not findings:
            kind = as_written(draft.kind) if in_order else draft.kind
            resources.append(_resource(draft, desired_spec(kind, spec)))
    return Desired(tuple(resources), tuple(sorted(set(problems))), stands)


def _resource(draft: Draft, spec: Mapping[str, Any]) -> Resource:
    documents = [layer.document for layer in draft.layers]
    return Resource(
        draft.address,
        spec,
        labels={name: value for document in documents for name, value in document.labels.items()},
        targets=next((document.targets for document in reversed(documents) if document.targets), ()),
        protect=next((document.protect for document in reversed(documents) if document.protect is not None), False),
        where=draft.where,
        bound=bound(draft.stands.kind, draft.stands.spec) if draft.stands else bound(draft.kind, draft.spec),
    )


def _offline(reference: str) -> Secret:
    return Secret("", reference)


@functools.cache
def _keeps_secrets(root: Field) -> bool:
    return branches(root, lambda field: field.sensitive) is not None


def _with_secrets(root: Field, spec: Mapping[str, Any], secrets: Secrets) -> tuple[Mapping[str, Any], list[Finding]]:
    findings: list[Finding] = []
    if not _keeps_secrets(root):
        return spec, findings

    def replaced(field: Field | None, value: Any, path: Path, sensitive: bool) -> Any:
        sensitive = sensitive or bool(field and field.sensitive)
        if isinstance(value, dict):
            return {
                name: replaced(
                    (field.properties.get(name) or field.values) if field else None, v, (*path, name), sensitive
                )
                for name, v in value.items()
            }
        if isinstance(value, list):
            each = field.each if field else None
            return [replaced(each, item, (*path, str(index)), sensitive) for index, item in enumerate(value)]
        if not (sensitive and is_secret_reference(value)):
            return value
        try:
            return secrets(value)
        except PolicySyncError as error:
            findings.append(Finding(path, str(error), "secret"))
            return value

    return replaced(root, spec, (), False), findings
