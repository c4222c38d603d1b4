"""What a check says where an engine cannot be brought to say it: told by botocore's stubber."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from unit.backends.stubbed_stacks import ARN, ID, NAME, PARAMETERS, REGION, SUMMARY, Stubbed, described

from policysync.backends.cloudformation.described import Described
from policysync.backends.cloudformation.described import described as as_described
from policysync.backends.cloudformation.eks import cluster_signs
from policysync.backends.cloudformation.health import drift_signs, service_signs
from policysync.backends.cloudformation.template import Parameter, Summary, differences, fitted
from policysync.backends.port import Level
from policysync.errors import Refused, Unavailable
from policysync.render.stack import Stack

SERVICE = f"arn:aws:ecs:{REGION}:999988887777:service/cluster/connector"


@pytest.fixture
def stubbed(tmp_path: Path) -> Stubbed:
    return Stubbed(tmp_path, ("cloudformation", "sts", "eks", "ecs"))


@pytest.fixture
def stack() -> Described:
    return as_described(described("CREATE_COMPLETE")["Stacks"][0])


def looked(stubbed: Stubbed, **said: Any) -> None:
    stubbed.says("detect_stack_drift", {"StackDriftDetectionId": "d"})
    told = {"StackId": ID, "StackDriftDetectionId": "d", "Timestamp": "2026-01-01", **said}
    stubbed.says("describe_stack_drift_detection_status", told)


def test_drift_that_could_not_be_detected_everywhere_is_told_with_what_was_found(
    stubbed: Stubbed, stack: Described
) -> None:
    why = "Failed to detect drift on resource [Role]"
    looked(stubbed, DetectionStatus="DETECTION_FAILED", DetectionStatusReason=why, StackDriftStatus="DRIFTED")
    drift = {"StackId": ID, "LogicalResourceId": "Topic", "ResourceType": "AWS::SNS::Topic", "Timestamp": "2026-01-01"}
    stubbed.says(
        "describe_stack_resource_drifts", {"StackResourceDrifts": [{**drift, "StackResourceDriftStatus": "DELETED"}]}
    )
    found = {sign.reason: sign.message for sign in drift_signs(stubbed.account, stack, stubbed.clock)}
    assert found.keys() == {"stack-drifted", "drift-unknown"}
    assert "Topic (AWS::SNS::Topic) deleted" in found["stack-drifted"]
    assert why in found["drift-unknown"]


def test_drift_that_takes_too_long_is_unknown(stubbed: Stubbed, stack: Described) -> None:
    looked(stubbed, DetectionStatus="DETECTION_IN_PROGRESS")
    for _ in range(60):
        told = {"StackId": ID, "StackDriftDetectionId": "d", "Timestamp": "2026-01-01"}
        stubbed.says("describe_stack_drift_detection_status", {**told, "DetectionStatus": "DETECTION_IN_PROGRESS"})
    (sign,) = drift_signs(stubbed.account, stack, stubbed.clock)
    assert (sign.level, sign.reason) == (Level.UNKNOWN, "slow")


def test_drift_detection_that_is_throttled_is_none_of_the_stacks_faults(stubbed: Stubbed, stack: Described) -> None:
    stubbed.fails("detect_stack_drift", "Throttling", "Rate exceeded")
    with pytest.raises(Unavailable, match="AWS is busy"):
        list(drift_signs(stubbed.account, stack, stubbed.clock))


def test_a_service_that_is_not_there_any_more_is_an_error(stubbed: Stubbed, stack: Described) -> None:
    resource = {"LogicalResourceId": "Service", "ResourceType": "AWS::ECS::Service", "PhysicalResourceId": SERVICE}
    listed = {**resource, "Timestamp": "2026-01-01", "ResourceStatus": "CREATE_COMPLETE"}
    stubbed.says("describe_stack_resources", {"StackResources": [listed]})
    stubbed.says(
        "describe_services", {"services": [], "failures": [{"arn": SERVICE, "reason": "MISSING"}]}, service="ecs"
    )
    (sign,) = service_signs(stubbed.account, stack)
    assert (sign.level, sign.reason) == (Level.ERROR, "service-missing")
    assert "MISSING" in sign.message


def test_every_page_of_access_entries_is_read(stubbed: Stubbed) -> None:
    cluster = {"name": "payments", "accessConfig": {"authenticationMode": "API"}}
    stubbed.says("describe_cluster", {"cluster": cluster}, service="eks")
    stubbed.says("list_access_entries", {"accessEntries": ["other"], "nextToken": "2"}, service="eks")
    stubbed.says("list_access_entries", {"accessEntries": [ARN]}, service="eks")
    (sign,) = cluster_signs(stubbed.account, "payments", REGION, ARN)
    assert sign.level is Level.OK


def summary_with(**parameters: Parameter) -> Summary:
    return Summary(parameters, ("CAPABILITY_IAM",), ("AWS::IAM::Role",))


def text(name: str, **members: Any) -> Parameter:
    return Parameter(**{"name": name, "type": "String", "default": "", "hidden": False, "allowed": (), **members})


@pytest.mark.parametrize(
    ("parameter", "wrong"),
    [
        (text("Extra", hidden=True), "Extra is never shown, so its value has no place in git"),
        (text("Extra", allowed=("a", "b")), "Extra is 'the-value', want one of a, b"),
        (text("Extra", type="Number"), "Extra is 'the-value', want a number"),
    ],
)
def test_a_further_parameter_is_held_to_the_template(parameter: Parameter, wrong: str) -> None:
    stack = Stack("s", "1", REGION, "https://t", "", {"Extra": "the-value"}, ("CAPABILITY_IAM",), {})
    with pytest.raises(Refused, match=wrong) as caught:
        fitted(stack, summary_with(Extra=parameter))
    assert ("the-value" in str(caught.value)) is not parameter.hidden


def test_a_token_goes_only_where_nobody_can_look() -> None:
    stack = Stack("s", "1", REGION, "https://t", "", {}, ("CAPABILITY_IAM",), {}, secret="Token", source={"env": "T"})
    assert fitted(stack, summary_with(Token=text("Token", hidden=True))).secret == "Token"
    with pytest.raises(Refused, match="Token is shown to everybody"):
        fitted(stack, summary_with(Token=text("Token"), Other=text("Other", hidden=True)))
    with pytest.raises(Refused, match="no parameter that is never shown"):
        fitted(replace(stack, secret=""), summary_with(Token=text("Token")))


def test_a_second_secret_has_no_place_in_git_either() -> None:
    stack = Stack("s", "1", REGION, "https://t", "", {}, ("CAPABILITY_IAM",), {})
    asked = summary_with(Password=text("Password", hidden=True, default=None), Size=text("Size", default=None))
    with pytest.raises(Refused, match=r"wants Size; state them in extraParameters; it wants Password as a secret too"):
        fitted(stack, asked)


def test_two_templates_differ_by_what_they_ask_for() -> None:
    one, other = summary_with(A=text("A"), B=text("B")), summary_with(B=text("B", default="x"), C=text("C"))
    said = ["parameter C is new", "parameter A is gone", "parameter B has another type, default or set of values"]
    assert list(differences(one, other)) == said
    assert list(differences(one, one)) == []


@pytest.mark.parametrize("further", [[], ["NewOne"]])
def test_another_template_at_the_address_is_told(stubbed: Stubbed, further: list[str]) -> None:
    there = [{"ParameterKey": name, "ParameterType": "String"} for name in [*PARAMETERS, *further]]
    stubbed.says("get_template_summary", {**SUMMARY, "Parameters": there})
    stubbed.says("get_template_summary", SUMMARY)
    stack = Stack(NAME, "1", REGION, "https://t/connector.yml", "", PARAMETERS, (), {})
    found = as_described(described("CREATE_COMPLETE")["Stacks"][0])
    (sign,) = stubbed.backend._check._moved(stack, found)
    assert sign.reason == ("template-moved" if further else "")
    assert all(name in sign.message for name in further)
