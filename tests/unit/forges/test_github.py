"""The port to GitHub, over HTTP against a stand-in with a memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import responses
from acceptance.github_stand_in import BOT, REPOSITORY, TOKEN, Fault, StandIn, stand_in

from policysync.clock import FakeClock
from policysync.errors import PolicySyncError, Refused, Unavailable
from policysync.forges.github import connect, is_marked, marked
from policysync.forges.listed import open_forge
from policysync.forges.port import Forge

MALLORY = {"login": "mallory", "id": 9, "type": "User"}
COMMIT, HEAD = "c" * 40, "a" * 40
OWNERS = ".github/CODEOWNERS"


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with stand_in() as hub:
        hub.add_pull(7)
        yield hub


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def forge(hub: StandIn, clock: FakeClock) -> Forge:
    return open_forge(hub.environ(), clock)


def test_a_comment_is_made_once_and_then_kept_up_to_date(hub: StandIn, forge: Forge) -> None:
    first = forge.comment(7, "plan", "one change")
    assert forge.comment(7, "plan", "two changes") == first
    assert hub.bodies(7) == [marked("plan", "two changes")]
    assert hub.tokens <= {f"token {TOKEN}", f"Bearer {TOKEN}"}


def test_what_says_the_same_is_not_written_again(hub: StandIn, forge: Forge) -> None:
    forge.comment(7, "plan", "one change")
    hub.requests.clear()
    forge.comment(7, "plan", "one change")
    assert not [request for request in hub.requests if not request.startswith("GET")]


def test_each_marker_has_a_comment_of_its_own(hub: StandIn, forge: Forge) -> None:
    forge.comment(7, "plan", "a plan")
    forge.comment(7, "plan-prod", "another")
    assert len(hub.bodies(7)) == 2


def test_the_comment_is_found_on_a_later_page(hub: StandIn, forge: Forge) -> None:
    hub.page = 3
    for number in range(8):
        hub.add_comment(7, f"talk {number}", MALLORY)
    forge.comment(7, "plan", "one")
    forge.comment(7, "plan", "two")
    assert hub.bodies(7)[8:] == [marked("plan", "two")]


def test_a_comment_of_somebody_else_is_never_taken_for_ours(hub: StandIn, forge: Forge) -> None:
    hub.add_comment(7, marked("plan", "all is well"), MALLORY)
    forge.comment(7, "plan", "a looser change")
    assert hub.bodies(7) == [marked("plan", "all is well"), marked("plan", "a looser change")]


def test_a_person_s_token_knows_its_own_comments(hub: StandIn, forge: Forge) -> None:
    hub.user = {"login": "release-team", "id": 3, "type": "User"}
    hub.add_comment(7, marked("plan", "of a bot"), BOT)
    forge.comment(7, "plan", "one")
    forge.comment(7, "plan", "two")
    assert hub.bodies(7) == [marked("plan", "of a bot"), marked("plan", "two")]


def test_doubles_of_a_race_are_folded_into_the_oldest(hub: StandIn, forge: Forge) -> None:
    for text in ("one", "two", "three"):
        hub.add_comment(7, marked("plan", text), BOT)
    forge.comment(7, "plan", "four")
    assert hub.bodies(7) == [marked("plan", "four")]


def test_a_double_that_went_meanwhile_is_no_trouble(hub: StandIn, forge: Forge) -> None:
    for text in ("one", "two"):
        hub.add_comment(7, marked("plan", text), BOT)
    hub.faults.append(Fault("DELETE", "comments", 404, body={"message": "Not Found"}))
    forge.comment(7, "plan", "three")
    assert marked("plan", "three") in hub.bodies(7)


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_that_gets_lost_makes_nothing_twice(hub: StandIn, forge: Forge, done: bool) -> None:
    hub.faults.append(Fault("POST", "comments", 502, done=done))
    forge.comment(7, "plan", "one")
    hub.faults.append(Fault("POST", "/issues$", 502, done=done))
    forge.issue("drift", "Drift", "found")
    hub.faults.append(Fault("POST", "/pulls$", 503, done=done))
    forge.pull_request("promote", "main", "Promote", "evidence")
    assert (len(hub.bodies(7)), len(hub.issues), len(hub.pulls)) == (1, 1, 2)


def test_a_long_text_is_shortened_and_says_so(hub: StandIn, forge: Forge) -> None:
    forge.comment(7, "plan", "0123456789\n" * 20_000)
    (body,) = hub.bodies(7)
    assert 55_000 < len(body) <= 60_000
    assert " of 20000 lines. " in body.splitlines()[-1]
    assert is_marked(body, "plan")


def test_an_issue_is_opened_updated_and_closed(hub: StandIn, forge: Forge) -> None:
    address = forge.issue("drift-prod", "Drift in prod", "one object", ["drift"])
    assert forge.issue("drift-prod", "Drift in prod", "two objects", ["drift"]) == address
    (issue,) = hub.issues
    assert (issue["state"], issue["body"]) == ("open", marked("drift-prod", "two objects"))
    assert [label["name"] for label in issue["labels"]] == ["drift"]
    assert forge.issue("drift-prod", "Drift in prod", None) == address
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert "nothing any more" in hub.bodies(issue["number"])[0]
    assert forge.issue("drift-prod", "Drift in prod", None) is None


def test_other_issues_cost_no_request_each(hub: StandIn, forge: Forge) -> None:
    forge.issue("drift", "Drift", "one")
    for number in range(900, 950):
        hub.issues.append({**hub.issues[0], "number": number, "body": "something else"})
    hub.requests.clear()
    forge.issue("drift", "Drift", "two")
    assert len(hub.requests) < 6


def test_drift_that_comes_back_opens_a_new_issue(hub: StandIn, forge: Forge) -> None:
    forge.issue("drift", "Drift", "one")
    forge.issue("drift", "Drift", None)
    forge.issue("drift", "Drift", "again")
    assert [issue["state"] for issue in hub.issues] == ["closed", "open"]


def test_two_issues_of_a_race_become_one(hub: StandIn, forge: Forge) -> None:
    forge.issue("drift", "Drift", "one")
    hub.issues.append({**hub.issues[0], "number": 900, "url": f"{hub.url}/repos/{REPOSITORY}/issues/900"})
    forge.issue("drift", "Drift", "two")
    assert [(issue["state"], issue.get("state_reason")) for issue in hub.issues] == [
        ("open", None),
        ("closed", "not_planned"),
    ]


def test_an_open_pull_request_is_updated(hub: StandIn, forge: Forge) -> None:
    address = forge.pull_request("promote/prod", "main", "Promote", "soaked 3 h")
    assert forge.pull_request("promote/prod", "main", "Promote", "soaked 4 h") == address
    assert [pull["body"] for pull in hub.pulls if pull["head"]["ref"] == "promote/prod"] == ["soaked 4 h"]


def test_owners_approve_and_nobody_else(hub: StandIn, forge: Forge) -> None:
    pull = hub.add_pull(8, author="ann")
    hub.of_commit[COMMIT] = [8]
    hub.files[OWNERS, pull["base"]["sha"]] = "* @zoe\n/releases/ @ann @BOB @team/security\n"
    hub.teams["team/security"] = ["carl"]
    for login in ("ann", "bob", "carl", "dora", "zoe"):
        hub.add_review(8, login, "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    hub.add_review(8, "carl", "COMMENTED", HEAD, "2026-03-01T11:00:00Z")
    found = forge.approvals("releases/prod.yaml", COMMIT)
    assert [(one.who, one.revision) for one in found] == [("bob", HEAD), ("carl", HEAD)]
    assert found[0].at == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize("last", ["CHANGES_REQUESTED", "DISMISSED"])
def test_the_last_word_counts(hub: StandIn, forge: Forge, last: str) -> None:
    hub.files[OWNERS, "b" * 40] = "* @bob"
    hub.of_commit[COMMIT] = [7]
    hub.add_review(7, "bob", "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    hub.add_review(7, "bob", last, HEAD, "2026-03-01T11:00:00Z")
    assert forge.approvals("releases/prod.yaml", COMMIT) == ()


def test_what_was_pushed_after_a_review_was_not_approved(hub: StandIn, forge: Forge) -> None:
    hub.files[OWNERS, "b" * 40] = "* @bob @carl"
    hub.of_commit[COMMIT] = [7]
    hub.add_review(7, "bob", "APPROVED", "9" * 40, "2026-03-01T10:00:00Z")
    hub.add_review(7, "carl", "APPROVED", "9" * 40, "2026-03-01T10:00:00Z")
    hub.add_review(7, "carl", "APPROVED", HEAD, "2026-03-01T11:00:00Z")
    assert [one.who for one in forge.approvals("releases/prod.yaml", COMMIT)] == ["carl"]


def test_a_pull_request_cannot_name_its_own_judges(hub: StandIn, forge: Forge) -> None:
    hub.of_commit[COMMIT] = [7]
    hub.files[OWNERS, "b" * 40] = "* @bob"
    hub.files[OWNERS, COMMIT] = "* @mallory"
    hub.add_review(7, "mallory", "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    assert forge.approvals("releases/prod.yaml", COMMIT) == ()


def test_a_pull_request_into_another_branch_proves_nothing(hub: StandIn, forge: Forge) -> None:
    hub.add_pull(9, base="mallorys-own", sha="d" * 40)
    hub.of_commit[COMMIT] = [9]
    hub.files[OWNERS, "d" * 40] = "* @mallory"
    hub.add_review(9, "mallory", "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    assert forge.approvals("releases/prod.yaml", COMMIT) == ()


def test_without_codeowners_nobody_approves(hub: StandIn, forge: Forge) -> None:
    hub.of_commit[COMMIT] = [7]
    hub.add_review(7, "bob", "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    assert forge.approvals("releases/prod.yaml", COMMIT) == ()


def test_a_team_nobody_may_look_into_approves_nothing(hub: StandIn, forge: Forge) -> None:
    hub.files["CODEOWNERS", "b" * 40] = "* @team/security"
    hub.of_commit[COMMIT] = [7]
    hub.sees_teams = False
    hub.add_review(7, "carl", "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    assert forge.approvals("releases/prod.yaml", COMMIT) == ()


LIMITS = {
    "retry-after": (429, {"Retry-After": "7"}, {"message": "Too many requests"}, 7.0),
    "retry-after-403": (403, {"Retry-After": "30"}, {"message": "You have exceeded a secondary rate limit"}, 30.0),
    "secondary": (403, {}, {"message": "You have exceeded a secondary rate limit. Please wait."}, 60.0),
    "no header at all": (429, {}, {"message": "Slow down"}, 60.0),
    "primary": (
        403,
        {
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": str(int(datetime(2026, 1, 1, 0, 2, tzinfo=UTC).timestamp())),
        },
        {"message": "API rate limit exceeded for installation"},
        121.0,
    ),
}


@pytest.mark.parametrize("case", LIMITS)
def test_a_rate_limit_is_waited_out(hub: StandIn, forge: Forge, clock: FakeClock, case: str) -> None:
    status, headers, body, wait = LIMITS[case]
    hub.faults.append(Fault("POST", "comments", status, headers, body))
    forge.comment(7, "plan", "one")
    assert len(hub.bodies(7)) == 1
    assert clock.monotonic() == pytest.approx(wait, abs=0.5)


def test_a_limit_that_lasts_an_hour_is_not_waited_for(hub: StandIn, forge: Forge, clock: FakeClock) -> None:
    reset = str(int(datetime(2026, 1, 1, 1, tzinfo=UTC).timestamp()))
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    hub.faults.append(Fault("GET", "comments", 403, headers, {"message": "API rate limit exceeded"}))
    with pytest.raises(Unavailable, match="free again in 3601 s"):
        forge.comment(7, "plan", "one")
    assert clock.monotonic() == 0


def test_a_host_that_stays_down_is_given_up(hub: StandIn, forge: Forge) -> None:
    hub.faults.append(Fault("GET", "comments", 500, times=100))
    with pytest.raises(Unavailable, match="GitHub answers 500: Server Error"):
        forge.comment(7, "plan", "one")


def test_a_proxy_that_answers_with_a_page_is_waited_out(
    hub: StandIn, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    hub.faults.append(Fault("GET", "comments", 502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>"))
    forge.comment(7, "plan", "one")
    assert len(hub.bodies(7)) == 1
    assert "GitHub answers 502" in caplog.text
    assert "trying again in" in caplog.text


def test_a_missing_right_is_named(hub: StandIn, forge: Forge) -> None:
    hub.faults.append(Fault("POST", "", 403, body={"message": "Resource not accessible by integration"}, times=9))
    with pytest.raises(Refused, match="the token needs `pull-requests: write`, which pull requests from forks"):
        forge.comment(7, "plan", "one")
    with pytest.raises(Refused, match="the token needs `issues: write`"):
        forge.issue("drift", "Drift", "found")


def test_single_errors_are_told(hub: StandIn, forge: Forge) -> None:
    body = {"message": "Validation Failed", "errors": [{"message": "No commits between main and promote"}]}
    hub.faults.append(Fault("POST", "pulls", 422, body=body))
    with pytest.raises(Refused, match="422: Validation Failed: No commits between main and promote"):
        forge.pull_request("promote", "main", "Promote", "")


def test_the_token_is_never_told(hub: StandIn, forge: Forge) -> None:
    hub.faults.append(Fault("POST", "", 401, body={"message": f"Bad credentials: {TOKEN}"}))
    with pytest.raises(Refused) as caught:
        forge.comment(7, "plan", "one")
    assert TOKEN not in str(caught.value)
    assert TOKEN not in repr(forge)


@responses.activate
def test_the_real_address_is_the_default(clock: FakeClock) -> None:
    base = f"https://api.github.com:443/repos/{REPOSITORY}/issues/7/comments"
    responses.get("https://api.github.com:443/user", json={"message": "Resource not accessible"}, status=403)
    responses.get(base, json=[])
    address = "https://github.com/team/policies/pull/7#issuecomment-1"
    made = {"id": 1, "html_url": address, "body": marked("plan", "one"), "user": {"login": "b", "type": "Bot"}}
    responses.post(base, json=made, status=201)
    environ = {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}
    assert connect(environ, clock).comment(7, "plan", "one") == address


@responses.activate
def test_a_host_that_is_not_there_is_unavailable(clock: FakeClock) -> None:
    with pytest.raises(Unavailable, match="GitHub is not reached: ConnectionError"):
        connect({"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}, clock).comment(7, "plan", "one")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no git host is known here"),
        ({"GITHUB_REPOSITORY": "policies", "GITHUB_TOKEN": TOKEN}, "want OWNER/NAME"),
        ({"GITHUB_REPOSITORY": REPOSITORY}, "GITHUB_TOKEN is not set"),
        (
            {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://example.com"},
            "by https only",
        ),
        (
            {"GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://127.0.0.1.example.com"},
            "by https only",
        ),
    ],
)
def test_what_is_missing_is_named(environ: dict[str, str], said: str, clock: FakeClock) -> None:
    with pytest.raises(PolicySyncError, match=said):
        open_forge(environ, clock)
