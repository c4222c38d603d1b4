"""What an API server answers when it does not do what it was asked, and which of our failures that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from policysync.backends.answer import Answer, failure, retry_after
from policysync.errors import BackendError, NotServed, Refused, Unavailable
from policysync.secret import told

_ADVICE = {
    401: " (the cluster does not accept these credentials; check the context's user, or auth.token)",
    403: " (RBAC does not allow it)",
}


class Missing(Refused):
    """There is no such object."""


class Forbidden(Refused):
    """There may be such an object, and we are not to know."""


_NAMED: Mapping[int, type[Refused]] = {401: Refused, 403: Forbidden, 404: Missing}


@dataclass(frozen=True, slots=True)
class Owned:
    """A field that somebody else holds. `operation` is Apply or Update; `field` a path such as `.spec.schedule`."""

    manager: str
    operation: str
    field: str

    def __str__(self) -> str:
        return f"{self.field} belongs to {self.manager}"


class Conflict(Refused):
    """Fields that were to be applied belong to other managers."""

    def __init__(self, message: str, owned: tuple[Owned, ...]) -> None:
        self.owned = owned
        super().__init__(message)


class Outdated(Unavailable):
    """The object changed since it was read."""


def trouble(answer: Answer, *, writes: bool) -> BackendError | None:
    """Return what is wrong with an answer, or None for a success. Answers are `Status` objects.

    Source: Kubernetes, API conventions, "Error codes" and "Response Status Kind".
    """
    if answer.ok:
        return None
    status = answer.status
    said = _status(answer)
    place = f"{answer.method} {answer.path.partition('?')[0]}: {status}"
    text = f"{place}: {_sentence(said)}" if said else str(answer)
    if status in _NAMED:
        return _NAMED[status](f"{text}{_ADVICE.get(status, '')}")
    if status == 409:
        return _conflict(text, said)
    if status == 410:
        # A list took so long that its pages are no longer of one moment: it has to begin again.
        return Unavailable(text, retry_after(answer))
    if 400 <= status < 429 and status not in (408, 425):
        return Refused(text)
    return failure(answer, writes=writes)


def _conflict(text: str, said: Mapping[str, Any]) -> BackendError:
    owned = tuple(_owned(said))
    if owned:
        names = "; ".join(str(each) for each in owned)
        return Conflict(f"{names}: agree with who writes it there, or take it out of git", owned)
    if said.get("reason") == "AlreadyExists":
        return Refused(text)
    # Somebody wrote between our read and our write; reading again and writing again helps.
    return Outdated(text, 0.0)


def _owned(said: Mapping[str, Any]) -> Iterator[Owned]:
    for cause in _causes(said):
        if cause.get("reason") == "FieldManagerConflict":
            # conflict with "NAME" [with subresource "status"] [using VERSION at TIME]
            message = str(cause.get("message", ""))
            manager = message.partition('"')[2].partition('"')[0]
            operation = "Update" if " using " in message else "Apply"
            yield Owned(manager, operation, str(cause.get("field", "")))


def _status(answer: Answer) -> Mapping[str, Any]:
    try:
        said = orjson.loads(answer.body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and said.get("kind") == "Status" else {}


def _causes(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = said.get("details")
    causes = details.get("causes") if isinstance(details, Mapping) else None
    return [cause for cause in causes if isinstance(cause, Mapping)] if isinstance(causes, list) else []


def _sentence(said: Mapping[str, Any]) -> str:
    text = str(said.get("message") or said.get("reason") or "")
    causes = [f"{c.get('field') or '?'}: {c.get('message', '')}" for c in _causes(said)]
    # The message usually lists the causes already.
    further = [cause for cause in causes if cause.partition(": ")[2] not in text]
    return told(" ".join("; ".join([text, *further]).split()))[:1000]


def not_served(group: str, detail: str = "") -> NotServed:
    """Return the failure of a kind whose definition the cluster does not have."""
    more = f" ({detail})" if detail else ""
    return NotServed(
        f"no API of the cluster serves {group}{more}; install the engine, or its definitions from"
        " `policysync render crds`",
        "engine-not-installed",
    )
