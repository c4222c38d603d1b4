"""GitHub, through PyGithub.

Source: GitHub's REST API reference, version 2022-11-28. A token of a workflow has no user (`GET /user` is refused), so
that what it wrote is known by a bot having written it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from github import Auth, Github, GithubException
from github.GithubObject import NotSet
from github.Issue import Issue
from github.IssueComment import IssueComment
from github.NamedUser import NamedUser
from github.Organization import Organization
from github.Repository import Repository
from requests.exceptions import RequestException

from policysync.apply.retry import Retry
from policysync.clock import Clock
from policysync.errors import PolicySyncError, Unavailable
from policysync.forges.fit import COMMENT, fitted
from policysync.forges.github_failures import is_refusal, trouble
from policysync.forges.github_reviews import approved
from policysync.forges.port import Approval
from policysync.secret import Secret

API = "https://api.github.com"
BUDGET = 300.0
"""Seconds that one comment, issue or pull request may take, waits included."""

T = TypeVar("T")
_Mine = Callable[[NamedUser | Organization], bool]
"""Whether something was written by the owner of this token."""

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_LOG = logging.getLogger(__name__)


def connect(environ: Mapping[str, str], clock: Clock) -> GitHub:
    """Return the repository this workflow runs in: GITHUB_REPOSITORY, GITHUB_TOKEN, and GITHUB_API_URL if any.

    Raises:
        PolicySyncError: one of them is missing.
    """
    name, token = environ.get("GITHUB_REPOSITORY", ""), environ.get("GITHUB_TOKEN", "")
    if name.count("/") != 1:
        raise PolicySyncError("GITHUB_REPOSITORY does not say which repository; want OWNER/NAME")
    if not token:
        raise PolicySyncError("GITHUB_TOKEN is not set; in a workflow: env: {GITHUB_TOKEN: ${{ github.token }}}")
    base = (environ.get("GITHUB_API_URL") or API).rstrip("/")
    parts = urlsplit(base)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise PolicySyncError(f"GITHUB_API_URL is {base}; a token travels by https only")
    return GitHub(base, name, Secret(token, "${env:GITHUB_TOKEN}"), clock)


class GitHub:
    """One repository at GitHub; see `port.Forge`.

    Everything begins with a look at what is there, also when it is tried again, so that a request whose answer got
    lost makes nothing twice; should two runs make one at the same moment, the younger is taken away.
    """

    def __init__(self, base: str, name: str, token: Secret, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._retry = Retry(clock, budget=BUDGET, listener=_waiting)
        # The library would repeat requests that create as well; here that is `Retry`'s business.
        self._api = Github(
            auth=Auth.Token(token.reveal()),
            base_url=base,
            per_page=100,
            timeout=30,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            user_agent="policysync",
        )

    @property
    def _repository(self) -> Repository:
        return self._api.get_repo(self._name)

    def comment(self, number: int, marker: str, text: str) -> str:
        """See `port.Forge`."""
        body = marked(marker, text)
        return self._tried("pull-requests: write", lambda: self._commented(number, marker, body))

    def issue(self, marker: str, title: str, text: str | None, labels: Sequence[str] = ()) -> str | None:
        """See `port.Forge`."""
        if text is None:
            return self._tried("issues: write", lambda: self._closed(marker))
        body = marked(marker, text)
        return self._tried("issues: write", lambda: self._opened(marker, title, body, labels))

    def pull_request(self, branch: str, base: str, title: str, body: str) -> str:
        """See `port.Forge`."""
        fitting = fitted([body], COMMENT)
        return self._tried("pull-requests: write", lambda: self._pulled(branch, base, title, fitting))

    def approvals(self, path: str, revision: str) -> tuple[Approval, ...]:
        """See `port.Forge`. A team counts as far as the token may see who is in it."""
        return self._tried("pull-requests: read", lambda: approved(self._api, self._repository, path, revision))

    def _commented(self, number: int, marker: str, body: str) -> str:
        talk = self._repository.get_issue(number)
        mine = self._mine()
        first, *doubles = [one for one in talk.get_comments() if is_marked(one.body, marker) and mine(one.user)] or [
            self._first_comment(talk, marker, body, mine)
        ]
        if first.body != body:
            first.edit(body)
        for double in doubles:
            _drop(double)
        return first.html_url

    def _first_comment(self, talk: Issue, marker: str, body: str, mine: _Mine) -> IssueComment:
        made = talk.create_comment(body)
        first: IssueComment = next(
            one for one in [*talk.get_comments(), made] if is_marked(one.body, marker) and mine(one.user)
        )
        if first.id != made.id:
            _drop(made)
        return first

    def _opened(self, marker: str, title: str, body: str, labels: Sequence[str]) -> str:
        first, *doubles = list(self._issues(marker)) or [self._first_issue(marker, title, body, labels)]
        if (first.title, first.body) != (title, body):
            first.edit(title=title, body=body)
        for double in doubles:
            _close(double, f"The same as #{first.number}.", "not_planned")
        return first.html_url

    def _first_issue(self, marker: str, title: str, body: str, labels: Sequence[str]) -> Issue:
        made = self._repository.create_issue(title=title, body=body, labels=list(labels) or NotSet)
        first = next(iter([*self._issues(marker), made]))
        if first.number != made.number:
            _close(made, f"The same as #{first.number}.", "not_planned")
        return first

    def _closed(self, marker: str) -> str | None:
        address = None
        for issue in self._issues(marker):
            _close(issue, "This is over: the last look found nothing any more.", "completed")
            address = address or issue.html_url
        return address

    def _issues(self, marker: str) -> Iterator[Issue]:
        """Yield our open issues of this marker, oldest first."""
        mine = self._mine()
        for issue in self._repository.get_issues(state="open", sort="created", direction="asc"):
            # Asked last: the library fetches an issue again to learn that it is no pull request.
            if is_marked(issue.body, marker) and mine(issue.user) and issue.pull_request is None:
                yield issue

    def _pulled(self, branch: str, base: str, title: str, body: str) -> str:
        owner = self._name.partition("/")[0]
        for pull in self._repository.get_pulls(state="open", head=f"{owner}:{branch}", base=base):
            if (pull.title, pull.body) != (title, body):
                pull.edit(title=title, body=body)
            return pull.html_url
        return self._repository.create_pull(base=base, head=branch, title=title, body=body).html_url

    def _mine(self) -> _Mine:
        """Return how to tell what this token wrote."""
        try:
            login = self._api.get_user().login
        except GithubException as error:
            if error.status != 403 or not is_refusal(error):
                raise
            return lambda user: user.type == "Bot"
        return lambda user: user.login == login

    def _tried(self, right: str, work: Callable[[], T]) -> T:
        def attempt() -> T:
            try:
                return work()
            except (GithubException, RequestException) as error:
                raise trouble(error, right, self._clock.now()) from error

        return self._retry.read(attempt)


def _waiting(error: Unavailable, wait: float) -> None:
    _LOG.warning("%s; trying again in %.0f s", error, wait)


def marked(marker: str, text: str) -> str:
    """Return `text` with the mark by which it is found again; people do not see it."""
    mark = _mark(marker)
    full = "The whole text is in the summary of the run, and among its artifacts."
    return f"{mark}\n{fitted([text], COMMENT - len(mark) - 1, full)}"


def is_marked(body: str | None, marker: str) -> bool:
    """Say whether a text begins with the mark."""
    return (body or "").split("\n", 1)[0].rstrip() == _mark(marker)


def _mark(marker: str) -> str:
    return f"<!-- policysync: {marker} -->"


def _drop(double: IssueComment) -> None:
    try:
        double.delete()
    except GithubException as error:
        # The other run of a race took it away.
        if error.status != 404:
            raise


def _close(issue: Issue, why: str, reason: str) -> None:
    issue.create_comment(why)
    issue.edit(state="closed", state_reason=reason)
