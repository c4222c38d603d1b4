"""The rendered module against real Terraform: a stand-in that declares the vendor's variables and no resources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policysync.kinds.load import load_kinds
from policysync.render.listed import RENDERERS
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

KIND = load_kinds()["AponoConnector"]
TERRAFORM = shutil.which("terraform")
VARIABLES: dict[str, dict[str, Any]] = {
    "aponoToken": {"type": "string", "sensitive": True},
    "connectorId": {"type": "string", "default": "apono-connector"},
    "vpcId": {"type": "string"},
    "subnetIds": {"type": "list(string)"},
    "assignPublicIp": {"type": "bool", "default": True},
    "numberOfInstances": {"type": "number", "default": 1},
    "logGroupRetentionInDays": {"type": "number", "default": 30},
    "roleName": {"type": "string", "default": None},
    "tags": {"type": "map(string)", "default": {}},
}
"""Source: reference, apono-terraform-modules."""

SPEC: dict[str, Any] = {
    "connectorId": "eu-1",
    "aws": {
        "accountId": "111122223333",
        "region": "us-east-1",
        "vpcId": "vpc-0a1b2c3d4e5f60718",
        "subnetIds": ["subnet-0aa11bb22cc33dd44"],
    },
    "tokenFrom": {"env": "TOKEN"},
    "install": {"method": "terraform-ecs", "terraform": {"numberOfInstances": 2, "roleName": "apono"}},
}


def module() -> dict[str, Any]:
    resource = Resource(Address("AponoConnector", "eu-1"), desired_spec(KIND, SPEC))
    (artefact,) = RENDERERS["apono-connector"](resource, KIND)
    made: dict[str, Any] = json.loads(artefact.text)
    return made


def test_the_module_states_only_variables_there_are_and_all_that_are_required() -> None:
    (block,) = module()["module"].values()
    stated = set(block) - {"source"}
    assert stated <= set(VARIABLES)
    assert {name for name, variable in VARIABLES.items() if "default" not in variable} <= stated


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not on the PATH: what it says of the module was not asked")
def test_terraform_takes_the_module(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    record_property("against", f"terraform {run(tmp_path, 'version', '-json')['said']['terraform_version']}")
    made = module()
    (block,) = made["module"].values()
    block["source"] = "./vendor"
    (tmp_path / "vendor").mkdir()
    outputs = {"connector_role_arn": {"value": "arn"}, "log_group_arn": {"value": "arn"}}
    stand_in = {"variable": VARIABLES, "output": outputs}
    (tmp_path / "vendor" / "main.tf.json").write_text(json.dumps(stand_in), encoding="utf-8")
    (tmp_path / "main.tf.json").write_text(json.dumps(made), encoding="utf-8")
    assert run(tmp_path, "init", "-backend=false")["status"] == 0
    good = run(tmp_path, "validate", "-json")
    assert (good["status"], good["said"]["valid"]) == (0, True)

    block["numberOfInstance"] = 2
    (tmp_path / "main.tf.json").write_text(json.dumps(made), encoding="utf-8")
    wrong = run(tmp_path, "validate", "-json")
    assert not wrong["said"]["valid"]
    assert wrong["said"]["diagnostics"][0]["summary"] == "Extraneous JSON object property"


def run(folder: Path, *words: str) -> dict[str, Any]:
    assert TERRAFORM is not None
    environ = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
    environ.pop("TF_CLI_CONFIG_FILE", None)
    ended = subprocess.run(
        [TERRAFORM, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=600
    )
    said = json.loads(ended.stdout) if "-json" in words else {}
    return {"status": ended.returncode, "said": said, "err": ended.stderr}
