"""Who approved a pull request at GitHub, and may.

Source: GitHub's REST API reference: "List pull requests associated with a commit", "List reviews for a pull request",
"Get team membership for a user".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from github import Github, GithubException
from github.PullRequest import PullRequest
from github.Repository import Repository

from policysync.forges.codeowners import PLACES, owners
from policysync.forges.github_failures import is_refusal
from policysync.forges.port import Approval


def approved(api: Github, repository: Repository, path: str, revision: str) -> tuple[Approval, ...]:
    """Return who approved what brought `revision`, as `port.Forge` says it.

    Raises:
        GithubException: GitHub refuses, or is busy.
    """
    return tuple(sorted(_approved(api, repository, path, revision)))


def _approved(api: Github, repository: Repository, path: str, revision: str) -> Iterator[Approval]:
    default = repository.default_branch
    for pull in repository.get_commit(revision).get_pulls():
        if pull.base.ref != default:
            continue
        # As it was before the pull request, which could otherwise name its own judges.
        named = owners(_codeowners(repository, pull.base.sha), path)
        yield from (approval for approval in _last_words(pull) if _owns(api, named, approval.who))


def _last_words(pull: PullRequest) -> Iterator[Approval]:
    """Yield who approves a pull request as it was in the end, its author excepted.

    A mere comment takes nothing back; what was pushed after a review was not approved by it, whether or not the rules
    of the branch dismiss it then.
    """
    last = {}
    for review in pull.get_reviews():
        if review.user is not None and review.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
            last[review.user.login] = review
    for login, review in last.items():
        if review.state == "APPROVED" and login != pull.user.login and review.commit_id == pull.head.sha:
            yield Approval(review.submitted_at, login, review.commit_id)


def _codeowners(repository: Repository, revision: str) -> str:
    for place in PLACES:
        try:
            found = repository.get_contents(place, ref=revision)
        except GithubException as error:
            if error.status != 404:
                raise
        else:
            return "" if isinstance(found, list) else found.decoded_content.decode("utf-8", "replace")
    return ""


def _owns(api: Github, named: Iterable[str], login: str) -> bool:
    users = {owner.removeprefix("@").casefold() for owner in named if "/" not in owner}
    teams = [owner.removeprefix("@").split("/", 1) for owner in named if "/" in owner]
    return login.casefold() in users or any(_in_team(api, organisation, team, login) for organisation, team in teams)


def _in_team(api: Github, organisation: str, team: str, login: str) -> bool:
    path = f"/orgs/{organisation}/teams/{team}/memberships/{login}"
    try:
        _, data = api.requester.requestJsonAndCheck("GET", path)
    except GithubException as error:
        # A workflow's own token sees no teams: then nobody is known to be in one, and nobody's word counts.
        if error.status in {403, 404} and is_refusal(error):
            return False
        raise
    return bool(data) and data.get("state") == "active"
