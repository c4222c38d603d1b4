"""A stack as CloudFormation describes it, and what its status lets one do.

Source: reference, apono-cloudformation-parameters, stack status groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.render.stack import OWNER

MARK = "policysync.io/name"
"""The tag that names the resource a stack stands for: `Kind/name`."""

FINGERPRINT = "policysync.io/secret"
"""The tag by which a secret is recognised that nobody can read back."""

SUCCEEDED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
REVERTED = frozenset({"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"})
EMPTY = frozenset({"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"})
"""Never came to be: can only be deleted, and made anew."""

STUCK = frozenset({"UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "UPDATE_FAILED", "IMPORT_ROLLBACK_FAILED"})
"""Wants a person."""

GONE = "DELETE_COMPLETE"
REVIEW = "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class Described:
    """One stack. A parameter that is never shown stands as `****`.

    A `nested` one is part of another stack, whose tags it carries; a `protected` one is not deleted by anybody.
    """

    name: str
    id: str
    status: str
    reason: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: Mapping[str, str]
    nested: bool = False
    protected: bool = False

    @property
    def account(self) -> str:
        return self.id.split(":")[4]

    @property
    def region(self) -> str:
        return self.id.split(":")[3]

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW

    @property
    def is_ours(self) -> bool:
        return OWNER.items() <= self.tags.items()

    @property
    def of(self) -> str:
        """The resource it stands for, as `Kind/name`; empty where nobody said so."""
        return self.tags.get(MARK, "") if self.is_ours else ""


def described(stack: Mapping[str, Any]) -> Described:
    """Return an element of what DescribeStacks answers."""
    return Described(
        name=stack["StackName"],
        id=stack["StackId"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        parameters={p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", ())},
        outputs={o["OutputKey"]: o.get("OutputValue", "") for o in stack.get("Outputs", ())},
        tags={t["Key"]: t["Value"] for t in stack.get("Tags", ())},
        nested="ParentId" in stack,
        protected=bool(stack.get("EnableTerminationProtection")),
    )


def free_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are neither ours nor AWS's own."""
    return {
        name: value for name, value in tags.items() if name not in {*OWNER, MARK, FINGERPRINT} and name[:4] != "aws:"
    }
