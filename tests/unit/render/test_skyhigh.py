"""A Secure App Connector is rendered as the reference has it, and every shell takes it as it was meant."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from policysync.kinds.load import load_kinds
from policysync.plan.diff import diff
from policysync.render import skyhigh
from policysync.render.skyhigh_pops import POPS, gateway_host
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

EXAMPLES = Path(__file__).parent / "examples"
CLOUD_INIT = Path("/usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json")
KIND = load_kinds()["SecureAppConnector"]
ADDRESS = Address("SecureAppConnector", "sac-eu-01")
DOCUMENT: dict[str, Any] = yaml.safe_load((EXAMPLES / "secure-app-connector.yaml").read_text(encoding="utf-8"))
# What an attacker or an odd name would hold, without a zero byte, which no argument can carry.
ODD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


def resource(**changes: Any) -> Resource:
    stated = {**copy.deepcopy(DOCUMENT["spec"]), **changes}
    spec = desired_spec(KIND, {"name": "sac-eu-01", **stated})
    return Resource(ADDRESS, spec)


def rendered(of: Resource) -> dict[str, str]:
    return {artefact.name: artefact.text for artefact in skyhigh.render(of, KIND)}


def wanted(file: str) -> str:
    return (EXAMPLES / f"secure-app-connector.{file}").read_text(encoding="utf-8")


def test_the_example_of_the_reference() -> None:
    made = rendered(resource())
    assert json.loads(made["argv.json"]) == json.loads(wanted("argv.json"))
    assert made["command.txt"] == wanted("command.txt")
    assert yaml.safe_load(made["user-data.yaml"]) == yaml.safe_load(wanted("user-data.yaml"))
    assert made["user-data.yaml"].startswith("#cloud-config\n")


def test_without_a_proxy_both_options_are_left_out() -> None:
    stated = {name: value for name, value in DOCUMENT["spec"].items() if name != "proxy"}
    for proxy in ({}, {"proxy": {"noProxy": ["internal.lan"]}}, {"proxy": {"url": ""}}):
        of = Resource(ADDRESS, desired_spec(KIND, {"name": "sac-eu-01", **stated, **proxy}))
        names = [argument.partition("=")[0] for argument in json.loads(rendered(of)["argv.json"])["arguments"]]
        assert names == ["--provision_key", "--gateway"]
        assert "proxy" not in rendered(of)["command.txt"] + rendered(of)["user-data.yaml"]


def test_a_proxy_that_goes_is_a_change_that_wants_another_machine() -> None:
    stated = {name: value for name, value in DOCUMENT["spec"].items() if name != "proxy"}
    edits = diff(KIND.root, desired_spec(KIND, {"name": "sac-eu-01", **stated}), resource().spec)
    assert ("proxy", "url") in {edit.path for edit in edits}
    assert KIND.root.properties["proxy"].immutable


@pytest.mark.parametrize("pop", POPS, ids=lambda pop: pop.code)
def test_a_gateway_is_named_by_code_name_or_host(pop: Any) -> None:
    hosts = {gateway_host({"pop": pop.code}), gateway_host({"pop": pop.name}), gateway_host({"host": pop.host.upper()})}
    assert hosts == {pop.host}


@settings(max_examples=25, deadline=None)
@given(key=ODD, proxy=ODD, domain=ODD)
def test_no_value_is_read_as_anything_but_itself(key: str, proxy: str, domain: str) -> None:
    spec = {**resource().spec, "proxy": {"url": proxy, "noProxy": [domain]}}
    assert skyhigh.arguments(spec, key)[0] == f"--provision_key={key}"
    # The shell reads the line; a program in the place of the installer prints what it was given.
    line = skyhigh.command(spec).replace("sudo bash infra.sh", "printf '%s\\0'").replace(skyhigh.KEY_FILE, "/dev/stdin")
    ended = subprocess.run(["bash", "-c", line], input=b"the key", capture_output=True, check=True)
    got = ended.stdout.decode("utf-8").split("\0")[:-1]
    assert got == ["--provision_key=the key", *skyhigh.arguments(spec, "")[1:]]


def test_the_script_is_one_that_a_shell_takes() -> None:
    script = skyhigh.install_script(resource().spec)
    subprocess.run(["bash", "-n"], input=script.encode(), check=True)
    assert " \\\n  --gateway=" in script


# The members that are written, as cloud-init documents them: checked where its own schema is not installed, too.
USER_DATA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["hostname", "timezone", "write_files", "runcmd"],
    "properties": {
        "hostname": {"type": "string"},
        "timezone": {"type": "string"},
        "write_files": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "content"],
                "properties": {
                    "path": {"type": "string"},
                    "owner": {"type": "string"},
                    "permissions": {"type": "string", "pattern": "^0[0-7]{3}$"},
                    "encoding": {"enum": ["gz", "gzip", "gz+base64", "gz+b64", "b64", "base64", "text/plain"]},
                    "content": {"type": "string"},
                },
            },
        },
        "runcmd": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
    },
}


def test_the_user_data_has_only_what_cloud_init_documents() -> None:
    document = yaml.safe_load(rendered(resource())["user-data.yaml"])
    assert list(Draft4Validator(USER_DATA).iter_errors(document)) == []


def test_cloud_init_itself_takes_the_user_data(record_property: Callable[[str, object], None]) -> None:
    document = yaml.safe_load(rendered(resource())["user-data.yaml"])
    if not CLOUD_INIT.exists():
        pytest.skip("cloud-init's own schema, for there is no cloud-init on the PATH")
    schema = json.loads(CLOUD_INIT.read_text(encoding="utf-8"))
    assert list(Draft4Validator(schema).iter_errors(document)) == []
    record_property("against", "cloud-init's own schema")
