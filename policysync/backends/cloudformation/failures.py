"""What AWS says went wrong → our three failures, and a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policysync import secret
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable

_BUSY = frozenset(
    {
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
_MAY_NOT = "the credentials of this target may not do that; allow it, or sign in as who may"
_EXPIRED = "the credentials of this target have expired; sign in again"
_UNKNOWN = "AWS does not know the credentials of this target; sign in again, or name another profile"
_FULL = "a quota of the account is used up; delete what nobody needs, or ask AWS for more"
_PLAN_AGAIN = "somebody changed it meanwhile; plan again"
_SLOWER = "AWS is busy; try again later, or lower limits.requests_per_second"
_READ_BACK = "it may have been done; look with `policysync plan` before it is sent again"
_ADVICE: Mapping[str, str] = {
    "AccessDenied": _MAY_NOT,
    "AccessDeniedException": _MAY_NOT,
    "AlreadyExistsException": "a stack of this name is there already; plan again",
    "AuthFailure": _UNKNOWN,
    "ChangeSetNotFound": _PLAN_AGAIN,
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "InsufficientCapabilitiesException": "state what the template wants in capabilities, when that is meant",
    "InvalidChangeSetStatus": _PLAN_AGAIN,
    "InvalidClientTokenId": _UNKNOWN,
    "LimitExceeded": _FULL,
    "LimitExceededException": _FULL,
    "RequestExpired": "the request was too old when it arrived; is the clock right?",
    "SignatureDoesNotMatch": "AWS does not accept the credentials of this target; is the clock right?",
    "UnauthorizedOperation": _MAY_NOT,
    "UnrecognizedClientException": _UNKNOWN,
}
_MISSING = re.compile(r"does not exist\.?\s*$")
NO_CHANGES = re.compile(r"No updates are to be performed|didn't contain changes", re.IGNORECASE)
"""How CloudFormation says that everything is as asked. Source: reference, connectors 4.6."""

_MOVING = re.compile(r"\bis in \w+_IN_PROGRESS state")

_PROTECTED = re.compile(r"TerminationProtection is enabled")
_UNPROTECT = (
    "somebody protected it; where it is to go all the same: `aws cloudformation update-termination-protection"
    " --no-enable-termination-protection`"
)
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
    if code == "ValidationError":
        return _invalid(text, message)
    if code == "AlreadyExistsException":
        return Taken(f"{text} ({_ADVICE[code]})")
    if code in _BUSY or status in (429, 503):
        return Unavailable(f"{text} ({_SLOWER})")
    if status >= 500:
        return OutcomeUnknown(f"{text} ({_READ_BACK})") if writes else Unavailable(f"{text} (try again later)")
    return Refused(f"{text} ({_ADVICE[code]})" if code in _ADVICE else text)


def _invalid(text: str, message: str) -> BackendError:
    """Return what a ValidationError means, which only its text says."""
    if _MISSING.search(message):
        return Absent(text)
    if NO_CHANGES.search(message):
        return Unchanged(text)
    if _MOVING.search(message):
        return Unavailable(f"{text} (somebody is changing it; try again when that has ended)")
    if _PROTECTED.search(message):
        return Refused(f"{text} ({_UNPROTECT})")
    return Refused(text)


def connection_failure(operation: str, error: Exception, *, sent: bool) -> BackendError:
    """Return what an answer that never came means; `sent` says that a write may have arrived."""
    text = told(f"{operation}: {error}")
    if sent:
        return OutcomeUnknown(f"{text} ({_READ_BACK})")
    return Unavailable(f"{text} (are network, proxy, options.region and options.endpoint_url right?)")


def told(text: str) -> str:
    """Return a text of AWS fit for a message: one line, masked, not endless."""
    return secret.told(" ".join(text.split()))[:_SHOWN]
