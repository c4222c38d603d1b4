"""What AWS says went wrong → our three failures, and a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policysync import secret
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable

_BUSY = frozenset(
    {
        "LimitExceededException",
        "OperationInProgressException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_ADVICE: Mapping[str, str] = {
    "AccessDenied": "the credentials of this target may not do that",
    "AccessDeniedException": "the credentials of this target may not do that",
    "AlreadyExistsException": "a stack of this name is there already; plan again",
    "AuthFailure": "AWS does not accept the credentials of this target",
    "ExpiredToken": "the credentials of this target have expired; sign in again",
    "ExpiredTokenException": "the credentials of this target have expired; sign in again",
    "InsufficientCapabilitiesException": "state what the template wants in capabilities, when that is meant",
    "InvalidClientTokenId": "AWS does not know the credentials of this target",
    "SignatureDoesNotMatch": "AWS does not accept the credentials of this target; is the clock right?",
    "UnrecognizedClientException": "AWS does not know the credentials of this target",
}
_MISSING = re.compile(r"does not exist\.?\s*$")
NO_CHANGES = re.compile(r"No updates are to be performed|didn't contain changes", re.IGNORECASE)
"""How CloudFormation says that everything is as asked. Source: reference, connectors 4.6."""

_SHOWN = 500


class Absent(Refused):
    """There is no such stack."""


class Taken(Refused):
    """There is a stack of this name already."""


class Unchanged(Refused):
    """The stack is as asked already."""


def client_failure(operation: str, said: Mapping[str, Any], *, writes: bool) -> BackendError:
    """Return what an error answer means. `said` is botocore's `response`.

    Only a ValidationError whose text ends in "does not exist" says that there is no stack; source: reference,
    connectors 4.5.
    """
    error = said.get("Error", {})
    code, message = str(error.get("Code", "")), str(error.get("Message", ""))
    status = int(said.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    text = told(f"{operation}: {code}: {message}")
    if code == "ValidationError" and _MISSING.search(message):
        return Absent(text)
    if code == "ValidationError" and NO_CHANGES.search(message):
        return Unchanged(text)
    if code == "AlreadyExistsException":
        return Taken(f"{text} ({_ADVICE[code]})")
    if code in _BUSY or status in (429, 503):
        return Unavailable(text)
    if status >= 500:
        return OutcomeUnknown(text) if writes else Unavailable(text)
    return Refused(f"{text} ({_ADVICE[code]})" if code in _ADVICE else text)


def connection_failure(operation: str, error: Exception, *, sent: bool) -> BackendError:
    """Return what an answer that never came means; `sent` says that a write may have arrived."""
    text = told(f"{operation}: {error}")
    return OutcomeUnknown(text) if sent else Unavailable(text)


def told(text: str) -> str:
    """Return a text of AWS fit for a message: one line, masked, not endless."""
    return secret.told(" ".join(text.split()))[:_SHOWN]
