"""What GitHub's failures mean in our words.

Source: GitHub's pages "Rate limits for the REST API" and "Troubleshooting the REST API": 403 and 429 with Retry-After,
or with no requests remaining and the second of the reset; a secondary limit without either wants a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from github import GithubException
from github.Requester import Requester
from requests.exceptions import RequestException

from policysync.errors import Refused, Unavailable
from policysync.secret import told

_MINUTE = 60.0


def trouble(error: GithubException | RequestException, right: str, now: datetime) -> Refused | Unavailable:
    """Return the failure as one of ours. `right` is what a token needs for the request (`issues: write`)."""
    if isinstance(error, RequestException):
        return Unavailable(f"GitHub is not reached: {told(type(error).__name__)}")
    said = _said(error)
    headers = {name.lower(): str(value) for name, value in (error.headers or {}).items()}
    wait = _wait(error.status, said, headers, now)
    if wait is not None:
        return Unavailable(f"GitHub's rate limit is used up: {said}; free again in {wait:.0f} s", wait)
    if error.status >= 500 or error.status == 408:
        return Unavailable(f"GitHub answers {error.status}: {said}")
    return Refused(f"GitHub refuses with {error.status}: {said}{_hint(error.status, right)}")


def is_refusal(error: GithubException) -> bool:
    """Say whether GitHub means no, and not later."""
    return isinstance(trouble(error, "", datetime.fromtimestamp(0, UTC)), Refused)


def _wait(status: int, said: str, headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds to wait out a rate limit; None when it is none."""
    if status not in {403, 429}:
        return None
    after = headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        # A second more: it is not said where in that second the limit ends.
        return max(1.0, (datetime.fromtimestamp(int(reset), UTC) - now).total_seconds() + 1)
    return _MINUTE if status == 429 or Requester.isRateLimitError(said) else None


def _said(error: GithubException) -> str:
    """Return GitHub's own words, on one line, and those of the single errors."""
    data = error.data if isinstance(error.data, Mapping) else {}
    errors = data.get("errors")
    listed = [
        str(one.get("message") or one.get("code") or "") if isinstance(one, Mapping) else str(one)
        for one in (errors if isinstance(errors, list) else [])
    ]
    words = [str(data.get("message") or error.message or "without a word"), *listed]
    return told(" ".join(": ".join(word for word in words if word).split()))[:500]


def _hint(status: int, right: str) -> str:
    if status == 401:
        return "; GITHUB_TOKEN is not valid there, or has run out"
    if status in {403, 404} and right:
        return f"; the token needs `{right}`, which pull requests from forks do not get"
    return ""
