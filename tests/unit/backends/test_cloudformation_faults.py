"""Every state a stack can be in, and every way AWS says no, through reading and writing."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from unit.backends.stubbed_stacks import ACCOUNT, ID, KIND, KINDS, NAME, REGION, ROLE, SUMMARY, Stubbed, described

from policysync.backends.cloudformation.account import Account
from policysync.backends.cloudformation.options import Options
from policysync.backends.means import Means
from policysync.clock import FakeClock
from policysync.documents.project import Limits
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.plan.change import Action, Change
from policysync.secret import Secret
from policysync.state.resource import Resource

IN_PROGRESS = (
    "CREATE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
)
COMPARED = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
MADE_ANEW = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED")
WANTS_A_PERSON = {
    "UPDATE_ROLLBACK_FAILED": "continue-update-rollback",
    "DELETE_FAILED": "delete-stack",
    "UPDATE_FAILED": "rollback-stack",
}
BEFORE = Resource(ROLE.address, {}, id=ID)
CREATE = Change(Action.CREATE, ROLE.address, None, ROLE)
UPDATE = Change(Action.UPDATE, ROLE.address, BEFORE, ROLE)
DELETE = Change(Action.DELETE, ROLE.address, BEFORE, None)

NO_EVENTS: dict[str, Any] = {"StackEvents": []}


@pytest.fixture
def stubbed(tmp_path: Path) -> Iterator[Stubbed]:
    """Every answer that was told is asked for."""
    made = Stubbed(tmp_path)
    yield made
    made.stubs["cloudformation"].assert_no_pending_responses()


def absent(stubbed: Stubbed) -> None:
    stubbed.fails("describe_stacks", "ValidationError", f"Stack with id {NAME} does not exist")


def begun(stubbed: Stubbed) -> None:
    """CreateStack was taken."""
    stubbed.says("get_template_summary", SUMMARY)
    absent(stubbed)
    stubbed.says("create_stack", {"StackId": ID})


@pytest.mark.parametrize("status", [*IN_PROGRESS, *WANTS_A_PERSON])
def test_what_cannot_be_touched_now_is_hindered_when_read_and_when_written(stubbed: Stubbed, status: str) -> None:
    stubbed.says("describe_stacks", described(status))
    live = stubbed.live()
    assert live is not None
    assert live.hindrance is not None
    assert status in live.hindrance.message
    assert WANTS_A_PERSON.get(status, "look again") in live.hindrance.message
    stubbed.says("describe_stacks", described(status))
    with pytest.raises(Refused, match=status):
        stubbed.backend.write(UPDATE, KIND)


@pytest.mark.parametrize("status", IN_PROGRESS)
def test_what_somebody_is_changing_is_not_deleted(stubbed: Stubbed, status: str) -> None:
    stubbed.says("describe_stacks", described(status))
    with pytest.raises(Refused, match="look again when that has ended"):
        stubbed.backend.write(DELETE, KIND)


@pytest.mark.parametrize("status", [*COMPARED, *MADE_ANEW, *WANTS_A_PERSON])
def test_what_stands_still_can_be_deleted(stubbed: Stubbed, status: str) -> None:
    stubbed.says("describe_stacks", described(status))
    stubbed.says("delete_stack", {})
    absent(stubbed)
    stubbed.says("describe_stack_events", NO_EVENTS)
    stubbed.backend.write(DELETE, KIND)


@pytest.mark.parametrize("status", COMPARED)
def test_what_came_to_an_end_is_compared(stubbed: Stubbed, status: str) -> None:
    stubbed.says("describe_stacks", described(status))
    stubbed.says("get_template_summary", SUMMARY)
    live = stubbed.live()
    assert live is not None
    assert live.hindrance is None
    assert live.spec["connectorRoleArn"] == ROLE.spec["connectorRoleArn"]


@pytest.mark.parametrize("status", MADE_ANEW)
def test_what_never_came_to_be_is_absent_and_is_not_updated(stubbed: Stubbed, status: str) -> None:
    stubbed.says("describe_stacks", described(status))
    assert stubbed.live() is None
    stubbed.says("describe_stacks", described(status))
    with pytest.raises(Refused, match="deleted and made anew: plan again"):
        stubbed.backend.write(UPDATE, KIND)


@pytest.mark.parametrize("status", MADE_ANEW)
def test_what_never_came_to_be_and_git_does_not_want_any_more_is_there_to_be_deleted(
    stubbed: Stubbed, status: str
) -> None:
    stubbed.backend.forget(frozenset({ROLE.address}))
    stubbed.says("describe_stacks", described(status))
    left = stubbed.live()
    assert left is not None
    assert left.hindrance is None
    stubbed.says("describe_stacks", described(status))
    stubbed.says("delete_stack", {})
    absent(stubbed)
    stubbed.says("describe_stack_events", NO_EVENTS)
    stubbed.backend.write(Change(Action.DELETE, ROLE.address, left, None), KIND)


def test_a_stack_that_is_deleted_while_it_is_read_is_absent(stubbed: Stubbed) -> None:
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.fails("get_template_summary", "ValidationError", f"Stack with id {ID} does not exist")
    assert stubbed.live() is None


def test_a_stack_that_is_part_of_another_does_not_stand_for_a_resource(stubbed: Stubbed) -> None:
    nested = described("CREATE_COMPLETE", StackName="part", StackId=f"{ID}-part", ParentId=ID, RootId=ID)["Stacks"]
    stubbed.says("describe_stacks", {"Stacks": nested + described("CREATE_COMPLETE")["Stacks"]})
    assert [stack.name for stack in stubbed.backend._stacks.ours()] == [NAME]


def test_a_protected_stack_is_told_before_and_when_it_is_deleted(stubbed: Stubbed) -> None:
    stubbed.says("describe_stacks", described("CREATE_COMPLETE", EnableTerminationProtection=True))
    gone = {"LastUpdatedTimestamp": "2026-01-01", "ResourceStatus": "DELETE_COMPLETE"}
    listed = [{**gone, "LogicalResourceId": "Old", "ResourceType": "AWS::SNS::Topic"}]
    stubbed.says("list_stack_resources", {"StackResourceSummaries": listed})
    protected, goes = stubbed.backend.preview(DELETE, KIND)
    assert "is protected against termination" in protected
    assert goes.endswith("and with it nothing")
    stubbed.says("describe_stacks", described("CREATE_COMPLETE", EnableTerminationProtection=True))
    why = f"Stack [{NAME}] cannot be deleted while TerminationProtection is enabled"
    stubbed.fails("delete_stack", "ValidationError", why)
    with pytest.raises(Refused, match="update-termination-protection"):
        stubbed.backend.write(DELETE, KIND)


@pytest.mark.parametrize("failure", ["ChangeSetNotFound", "InvalidChangeSetStatus"])
def test_a_change_set_that_is_gone_when_it_is_executed_wants_another_plan(stubbed: Stubbed, failure: str) -> None:
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.says("create_change_set", {"Id": f"{ID}-change-set"})
    stubbed.says("describe_change_set", {"Status": "CREATE_COMPLETE"})
    stubbed.says("describe_change_set", {"Changes": []})
    stubbed.fails("execute_change_set", failure, "it expired")
    stubbed.says("delete_change_set", {})
    with pytest.raises(Refused, match="plan again"):
        stubbed.backend.write(UPDATE, KIND)


def test_what_is_gone_is_absent_and_needs_no_deletion(stubbed: Stubbed) -> None:
    stubbed.says("describe_stacks", described("DELETE_COMPLETE"))
    stubbed.says("describe_stacks", {"Stacks": []})
    assert stubbed.live() is None
    stubbed.says("describe_stacks", described("DELETE_COMPLETE"))
    stubbed.backend.write(DELETE, KIND)


@pytest.mark.parametrize("status", [*MADE_ANEW, "DELETE_FAILED", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_ends_elsewhere_was_not_made(stubbed: Stubbed, status: str) -> None:
    begun(stubbed)
    stubbed.says("describe_stacks", described(status, reason="the role exists"))
    stubbed.says("describe_stack_events", NO_EVENTS)
    stubbed.fails("describe_stack_events", "AccessDenied", "no")
    with pytest.raises(Refused, match=f"could not be made: it is {status}: the role exists"):
        stubbed.backend.write(CREATE, KIND)


@pytest.mark.parametrize(
    ("code", "message", "failure", "remedy"),
    [
        ("Throttling", "Rate exceeded", Unavailable, "try again later"),
        ("RequestLimitExceeded", "Request limit exceeded", Unavailable, "limits.requests_per_second"),
        ("ExpiredToken", "The security token is expired", Refused, "sign in again"),
        ("ExpiredTokenException", "The security token is expired", Refused, "sign in again"),
        ("InvalidClientTokenId", "The security token is invalid", Refused, "sign in again"),
        ("AccessDenied", "not authorized to perform", Refused, "sign in as who may"),
        ("InsufficientCapabilitiesException", "Requires [CAPABILITY_IAM]", Refused, "state what .* in capabilities"),
        ("LimitExceededException", "stack limit exceeded", Refused, "ask AWS for more"),
        ("ValidationError", f"Stack:{ID} is in UPDATE_IN_PROGRESS state and can not be updated.", Unavailable, "again"),
    ],
)
def test_each_no_to_a_write_names_what_to_do(
    stubbed: Stubbed, code: str, message: str, failure: type[BackendError], remedy: str
) -> None:
    stubbed.says("get_template_summary", SUMMARY)
    absent(stubbed)
    stubbed.fails("create_stack", code, message)
    with pytest.raises(failure, match=remedy) as caught:
        stubbed.backend.write(CREATE, KIND)
    assert type(caught.value) is failure
    assert not stubbed.backend._stacks.pending


@pytest.mark.parametrize("code", ["ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "AccessDenied"])
def test_no_when_reading_is_not_absence(stubbed: Stubbed, code: str) -> None:
    stubbed.fails("describe_stacks", code, "no", 403)
    with pytest.raises(Refused, match="sign in"):
        stubbed.live()


def test_a_stack_that_is_there_already_and_differs_is_planned_again(stubbed: Stubbed) -> None:
    stubbed.says("get_template_summary", SUMMARY)
    absent(stubbed)
    stubbed.fails("create_stack", "AlreadyExistsException", "Stack already exists")
    stubbed.says("describe_stacks", described("UPDATE_IN_PROGRESS"))
    with pytest.raises(Refused, match="plan again"):
        stubbed.backend.write(CREATE, KIND)


def test_no_updates_to_be_performed_is_in_sync(stubbed: Stubbed) -> None:
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.says("get_template_summary", SUMMARY)
    stubbed.fails("create_change_set", "ValidationError", "No updates are to be performed.")
    stubbed.backend.write(UPDATE, KIND)


@pytest.mark.parametrize("code", ["ExpiredToken", "AccessDenied"])
def test_whoever_may_not_look_any_more_does_not_know_how_it_ended(stubbed: Stubbed, code: str) -> None:
    begun(stubbed)
    stubbed.fails("describe_stacks", code, "no", 403)
    with pytest.raises(OutcomeUnknown, match=r"how that ends cannot be seen: .* sign in"):
        stubbed.backend.write(CREATE, KIND)


def test_events_that_nobody_may_read_decide_nothing(stubbed: Stubbed) -> None:
    begun(stubbed)
    stubbed.says("describe_stacks", described("CREATE_COMPLETE"))
    stubbed.fails("describe_stack_events", "AccessDenied", "no", 403)
    stubbed.backend.write(CREATE, KIND)


def test_the_credentials_of_another_account_write_nothing(tmp_path: Path) -> None:
    stubbed = Stubbed(tmp_path)
    other = {"Account": "123412341234"}
    stubbed.account._options = Options(region=REGION)
    stubbed.stubs["sts"]._queue.clear()
    stubbed.stubs["sts"].add_response("get_caller_identity", other)
    with pytest.raises(Refused, match=f"belongs to account {ACCOUNT}, .* sign in there"):
        stubbed.backend.write(CREATE, KIND)
    live = stubbed.live()
    assert live is not None
    assert live.hindrance is not None
    assert live.hindrance.reason == "wrong-account"


def test_a_role_that_nobody_can_assume_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    means = Means(KINDS, Secret, lambda call: call(), Limits(), None, FakeClock(), tmp_path)
    account = Account(Options(region=REGION, role_arn="arn:aws:iam::999988887777:role/policysync"), means)
    with pytest.raises(Refused, match="no credentials to assume arn:aws:iam::999988887777:role/policysync with"):
        account.caller()


def reached(root: Path, monkeypatch: pytest.MonkeyPatch, port: int) -> Account:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    limits = Limits(timeout=0.3, requests_per_second=0)
    means = Means(KINDS, Secret, lambda call: call(), limits, None, FakeClock(), root)
    return Account(Options(region=REGION, endpoint_url=f"http://127.0.0.1:{port}"), means)


def test_a_host_that_cannot_be_reached_was_sent_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unavailable, match=r"Could not connect.*options\.endpoint_url right"):
        reached(tmp_path, monkeypatch, port).call("cloudformation", "create_stack", writes=True, StackName=NAME)


def test_a_stack_that_was_asked_for_and_never_answered_may_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account = reached(tmp_path, monkeypatch, silent.getsockname()[1])
        with pytest.raises(OutcomeUnknown, match="look with `policysync plan` before it is sent again"):
            account.call("cloudformation", "create_stack", writes=True, StackName=NAME)
        with pytest.raises(Unavailable):
            account.call("cloudformation", "describe_stacks")
