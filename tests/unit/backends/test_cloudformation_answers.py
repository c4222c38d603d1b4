"""What no engine at hand does: rollbacks, throttling, refusals and lost answers, told by botocore's stubber."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from unit.backends.stubbed_stacks import (
    ARN,
    ID,
    KIND,
    KINDS,
    NAME,
    OURS,
    REGION,
    ROLE,
    SUMMARY,
    Stubbed,
    described,
)

from policysync.backends.cloudformation.failures import Absent, Taken, Unchanged, client_failure
from policysync.backends.cloudformation.options import options_of
from policysync.backends.cloudformation.target import cloudformation
from policysync.backends.means import Means
from policysync.clock import FakeClock
from policysync.documents.project import Limits, Target
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.plan.change import Action, Change
from policysync.secret import Secret
from policysync.state.resource import Resource


@pytest.fixture
def stubbed(tmp_path: Path) -> Stubbed:
    return Stubbed(tmp_path)


@contextmanager
def told(stubbed: Stubbed) -> Iterator[None]:
    """Every answer that was told is asked for."""
    yield
    stubbed.stubs["cloudformation"].assert_no_pending_responses()


@pytest.mark.parametrize(
    ("status", "tags", "state", "reason"),
    [
        ("UPDATE_IN_PROGRESS", OURS, "unreadable", "stack-in-progress"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", OURS, "unreadable", "stack-in-progress"),
        ("REVIEW_IN_PROGRESS", [], "unreadable", "stack-in-progress"),
        ("UPDATE_ROLLBACK_FAILED", OURS, "blocked", "stack-needs-repair"),
        ("DELETE_FAILED", OURS, "blocked", "stack-needs-repair"),
        ("ROLLBACK_COMPLETE", [], "blocked", "stack-never-made"),
    ],
)
def test_a_stack_that_cannot_be_changed_is_neither_absent_nor_compared(
    stubbed: Stubbed, status: str, tags: Any, state: str, reason: str
) -> None:
    stubbed.says("describe_stacks", described(status, tags=tags, reason="a role could not be put back"))
    with told(stubbed):
        live = stubbed.live()
    assert live is not None
    assert live.hindrance is not None
    assert (live.hindrance.state, live.hindrance.reason) == (state, reason)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_of_ours_that_never_came_to_be_counts_as_absent(stubbed: Stubbed, status: str) -> None:
    stubbed.says("describe_stacks", described(status))
    assert stubbed.live() is None


def test_a_stack_whose_last_change_was_taken_back_is_compared(stubbed: Stubbed) -> None:
    stubbed.says("describe_stacks", described("UPDATE_ROLLBACK_COMPLETE"))
    stubbed.says("get_template_summary", SUMMARY)
    live = stubbed.live()
    assert live is not None
    assert live.hindrance is None
    assert live.spec["connectorRoleArn"] == ARN


def test_what_never_came_to_be_is_deleted_before_it_is_made(stubbed: Stubbed) -> None:
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.says("describe_stacks", described("ROLLBACK_COMPLETE"))
    stubbed.says("delete_stack", {})
    stubbed.says("describe_stacks", described("DELETE_COMPLETE"))
    stubbed.says("describe_stack_events", {"StackEvents": []})
    stubbed.says("create_stack", {"StackId": ID})
    stubbed.says("describe_stacks", described("CREATE_IN_PROGRESS"))
    stubbed.says("describe_stack_events", {"StackEvents": []})
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.says("describe_stack_events", {"StackEvents": []})
    with told(stubbed):
        stubbed.backend.write(Change(Action.CREATE, ROLE.address, None, ROLE), KIND)


def test_a_stack_that_is_rolled_back_says_what_went_wrong_first(stubbed: Stubbed) -> None:
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.fails("describe_stacks", "ValidationError", f"Stack with id {NAME} does not exist")
    stubbed.says("create_stack", {"StackId": ID})
    token = stubbed.backend._writing._token("create", NAME)
    event = {"StackId": ID, "StackName": NAME, "Timestamp": "2026-01-01", "ClientRequestToken": token}
    failed = {"ResourceStatus": "CREATE_FAILED", "LogicalResourceId": "Role", "ResourceType": "AWS::IAM::Role"}
    events = [
        {**event, "EventId": "2", **failed, "LogicalResourceId": "Other", "ResourceStatusReason": "cancelled"},
        {**event, "EventId": "1", **failed, "ResourceStatusReason": "the name is taken"},
        {**event, "EventId": "0", "ClientRequestToken": "older", "ResourceStatus": "CREATE_FAILED"},
    ]
    stubbed.says("describe_stacks", described("ROLLBACK_COMPLETE"))
    stubbed.says("describe_stack_events", {"StackEvents": events})
    stubbed.says("describe_stack_events", {"StackEvents": events})
    wrong = r"could not be made: it is ROLLBACK_COMPLETE: Role \(AWS::IAM::Role\): the name is taken; Other"
    with told(stubbed), pytest.raises(Refused, match=wrong):
        stubbed.backend.write(Change(Action.CREATE, ROLE.address, None, ROLE), KIND)


def test_a_stack_that_takes_too_long_leaves_the_outcome_unknown(stubbed: Stubbed) -> None:
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.fails("describe_stacks", "ValidationError", f"Stack with id {NAME} does not exist")
    stubbed.says("create_stack", {"StackId": ID})
    for number in range(400):
        if number % 7 == 3:
            stubbed.fails("describe_stacks", "Throttling", "Rate exceeded")
            continue
        stubbed.says("describe_stacks", described("CREATE_IN_PROGRESS"))
        stubbed.says("describe_stack_events", {"StackEvents": []})
    with pytest.raises(OutcomeUnknown, match="still being changed after 20 min"):
        stubbed.backend.write(Change(Action.CREATE, ROLE.address, None, ROLE), KIND)
    assert 20 * 60 <= stubbed.clock.monotonic() < 20 * 60 + 6


@pytest.mark.parametrize(
    "message",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_in_sync(stubbed: Stubbed, message: str) -> None:
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.says("create_change_set", {"Id": f"{ID}-change-set"})
    stubbed.says("describe_change_set", {"Status": "FAILED", "StatusReason": message})
    stubbed.says("delete_change_set", {})
    with told(stubbed):
        stubbed.backend.write(Change(Action.UPDATE, ROLE.address, Resource(ROLE.address, {}, id=ID), ROLE), KIND)


def test_a_change_set_that_fails_for_another_reason_is_refused(stubbed: Stubbed) -> None:
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.says("create_change_set", {"Id": f"{ID}-change-set"})
    stubbed.says("describe_change_set", {"Status": "FAILED", "StatusReason": "Transform failed"})
    stubbed.says("delete_change_set", {})
    with told(stubbed), pytest.raises(Refused, match="Transform failed"):
        stubbed.backend.write(Change(Action.UPDATE, ROLE.address, Resource(ROLE.address, {}, id=ID), ROLE), KIND)


def test_a_preview_is_never_what_a_plan_fails_for(stubbed: Stubbed) -> None:
    stubbed.fails("describe_stacks", "AccessDenied", "not allowed to describe")
    change = Change(Action.UPDATE, ROLE.address, Resource(ROLE.address, {}, id=ID), ROLE)
    (said,) = stubbed.backend.preview(change, KIND)
    assert said.startswith("AponoOrganizationRole/org: what happens inside the stack is not known: describe_stacks")


@pytest.mark.parametrize(
    ("code", "message", "status", "read", "write"),
    [
        ("ValidationError", f"Stack with id {NAME} does not exist", 400, Absent, Absent),
        ("ValidationError", "No updates are to be performed.", 400, Unchanged, Unchanged),
        ("ValidationError", "Template error: resource X does not exist in it", 400, Refused, Refused),
        ("Throttling", "Rate exceeded", 400, Unavailable, Unavailable),
        ("OperationInProgressException", "busy", 400, Unavailable, Unavailable),
        ("InternalFailure", "try again", 500, Unavailable, OutcomeUnknown),
        ("ServiceUnavailable", "later", 503, Unavailable, Unavailable),
        ("AccessDenied", "no", 403, Refused, Refused),
        ("InsufficientCapabilitiesException", "Requires capabilities", 400, Refused, Refused),
        ("AlreadyExistsException", "Stack exists", 400, Taken, Taken),
        ("ExpiredToken", "old", 403, Refused, Refused),
    ],
)
def test_each_error_is_one_of_three_failures(
    code: str, message: str, status: int, read: type[BackendError], write: type[BackendError]
) -> None:
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    assert type(client_failure("describe_stacks", said, writes=False)) is read
    assert type(client_failure("create_stack", said, writes=True)) is write


def test_a_message_shows_no_secret() -> None:
    Secret("the-token-itself")
    said = {"Error": {"Code": "ValidationError", "Message": "Parameter has the value the-token-itself"}}
    assert "the-token-itself" not in str(client_failure("create_stack", said, writes=True))


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"regoin": "eu"}, "unknown option 'regoin'"),
        ({"account": 111122223333}, "want a text, a number in quotes"),
        ({"minutes": 0}, "want a whole number from 1 to 720"),
        ({"change_sets": "no"}, "want true or false"),
    ],
)
def test_an_option_that_is_wrong_is_refused(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Refused, match=wrong):
        options_of(options)


@pytest.mark.parametrize("target", [{"url": "https://x"}, {"auth": {"method": "password"}}])
def test_a_target_has_neither_url_nor_auth(target: dict[str, Any], tmp_path: Path) -> None:
    means = Means(KINDS, Secret, lambda call: call(), Limits(), None, FakeClock(), tmp_path)
    with pytest.raises(Refused, match="want options"):
        cloudformation(Target("aws", "cloudformation", **target), means)


def test_a_profile_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    means = Means(KINDS, Secret, lambda call: call(), Limits(), None, FakeClock(), tmp_path)
    backend = cloudformation(Target("aws", "cloudformation", options={"profile": "nobodys", "region": REGION}), means)
    with pytest.raises(Refused, match=r"profile \(nobodys\) could not be found"):
        backend.probe()


def test_a_target_without_credentials_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    means = Means(KINDS, Secret, lambda call: call(), Limits(), None, FakeClock(), tmp_path)
    with pytest.raises(Refused, match="no region: name it in"):
        cloudformation(Target("aws", "cloudformation"), means).probe()
    with pytest.raises(Refused, match="Unable to locate credentials"):
        cloudformation(Target("aws", "cloudformation", options={"region": REGION}), means).probe()
