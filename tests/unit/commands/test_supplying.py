from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.commands.supplying import Supplies, names_in, variable
from policysync.state.resource import Address


@pytest.mark.parametrize(
    ("kind", "name", "path", "wanted"),
    [
        ("Registry", "Docker Hub", ("password",), "AQUA_REGISTRY_DOCKER_HUB_PASSWORD"),
        ("Registry", "Harbor", ("webhook", "auth_token"), "AQUA_REGISTRY_HARBOR_WEBHOOK_AUTH_TOKEN"),
        ("LogManagement", "Splunk", ("token",), "AQUA_LOG_MANAGEMENT_SPLUNK_TOKEN"),
        ("Notification", "jira/ops", ("properties", "password"), "AQUA_NOTIFICATION_JIRA_OPS_PROPERTIES_PASSWORD"),
    ],
)
def test_a_variable_says_where_it_belongs(kind: str, name: str, path: tuple[str, ...], wanted: str) -> None:
    assert variable(Address(kind, name), path) == wanted


@given(st.text(min_size=1))
def test_every_name_makes_a_variable(name: str) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", variable(Address("Registry", name), ("password",)))


def test_no_two_secrets_share_a_variable() -> None:
    supplies = Supplies({"AQUA_REGISTRY_C_PASSWORD"})
    path = ("password",)
    names = [supplies.name(Address("Registry", name), path) for name in ("a b", "a-b", "a b", "c")]
    assert names == [
        "AQUA_REGISTRY_A_B_PASSWORD",
        "AQUA_REGISTRY_A_B_PASSWORD_2",
        "AQUA_REGISTRY_A_B_PASSWORD",
        "AQUA_REGISTRY_C_PASSWORD_2",
    ]


def test_the_variables_that_git_knows_are_found() -> None:
    assert names_in(["${env:A}", "b", "${var.c}", "${env:D_1}"]) == {"A", "D_1"}
