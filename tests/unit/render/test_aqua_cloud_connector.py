"""The example of the reference is rendered every way, and compared with what has to come out of it, as data."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policysync.documents.lint import Lint
from policysync.documents.verdict import ENGINES, open_engine, verdict
from policysync.kinds.load import load_kinds
from policysync.render.aqua_helm import helm_values
from policysync.render.aqua_tunnels import (
    chart_tunnels,
    class_of,
    documented_file,
    from_chart_tunnels,
    from_file,
    tunnels_digest,
)
from policysync.render.listed import RENDERERS
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

EXAMPLES = Path(__file__).parent / "examples"
KIND = load_kinds()["AquaCloudConnector"]
DIGEST = "a0ecded96a7da24052a7490f0f1936d7d13de452b17be07957683e753eecd701"


def data(file: str) -> Any:
    return yaml.safe_load((EXAMPLES / f"aqua-cloud-connector.{file}").read_text(encoding="utf-8"))


def stated(**members: Any) -> dict[str, Any]:
    """Return the spec of the example with some members replaced; `a__b` is a member of a member, None takes it out."""
    document = data("yaml")
    spec = {"name": document["metadata"]["name"], **document["spec"]}
    for path, value in members.items():
        *above, name = path.split("__")
        owner = spec
        for step in above:
            owner = owner.setdefault(step, {})
        if value is None:
            owner.pop(name, None)
        else:
            owner[name] = copy.deepcopy(value)
    return spec


def rendered(**members: Any) -> dict[str, str]:
    spec = desired_spec(KIND, stated(**members))
    made = RENDERERS["aqua-cloud-connector"](Resource(Address(KIND.name, "eu-prod"), spec), KIND)
    assert not any(artefact.secret for artefact in made)
    return {artefact.name: artefact.text for artefact in made}


def values(**members: Any) -> Any:
    return yaml.safe_load(rendered(**members)["values.yaml"])


def same_file(file: Any) -> bool:
    """Return whether a file has the documented elements, in whatever order: each stands for itself."""
    wanted = data("connector-config.yaml")["manifest_documented"]
    return sorted(map(json.dumps, file["tunnels"])) == sorted(map(json.dumps, wanted["tunnels"]))


def test_the_example_renders_to_the_values_and_commands_of_the_reference() -> None:
    assert values() == data("values.yaml")
    assert rendered()["commands.txt"] == (EXAMPLES / "aqua-cloud-connector.commands.txt").read_text(encoding="utf-8")
    assert values()["podAnnotations"] == {"policysync.io/tunnels-sha256": DIGEST}


def test_another_health_port_takes_the_whole_probe_along() -> None:
    said = values(healthPort=9090)
    assert said["healthPort"] == {"port": "9090"}
    assert said["livenessProbe"]["httpGet"] == {"path": "/health", "port": 9090}
    assert said["livenessProbe"]["failureThreshold"] == 10


def test_a_token_from_elsewhere_stands_as_a_placeholder() -> None:
    said = values(auth__tokenFrom={"env": "AQUA_TOKEN"})
    assert said["token"] == "<secret>"
    assert "tokenFromSecret" not in said


def test_user_and_password_are_values_and_no_token_is() -> None:
    said = values(
        auth={"method": "userPassword", "usernameFrom": {"env": "U"}, "passwordFrom": {"file": "/run/secrets/p"}}
    )
    assert said["authType"] == {"tokenAuth": False, "userCreds": True}
    assert said["userCreds"] == {"username": "<secret>", "password": "<secret>"}
    assert not {"token", "tokenFromSecret"} & set(said)


def test_the_three_dialects_of_the_tunnel_file_stand_for_the_same_tunnels() -> None:
    wanted = data("connector-config.yaml")
    tunnels = stated()["tunnels"]
    assert documented_file(tunnels) == wanted["manifest_documented"]
    plain = [{**tunnel} for tunnel in tunnels]
    for dialect in wanted:
        assert from_file(wanted[dialect], tunnels) == plain, dialect


def test_without_a_declaration_classes_come_from_hosts_and_an_account_nobody_said_is_a_star() -> None:
    found = from_file(data("connector-config.yaml")["manifest_documented"], ())
    assert [(tunnel["type"], tunnel["host"]) for tunnel in found] == [
        ("azure", "acme.azurecr.io"),
        ("aws", "*.dkr.ecr.eu-west-1.amazonaws.com"),
        ("onprem", "harbor.corp.example"),
    ]


@pytest.mark.parametrize(
    ("host", "class_"),
    [
        ("acme.azurecr.io", "azure"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "aws"),
        ("gcr.io", "gcp"),
        ("eu.gcr.io", "gcp"),
        ("europe-docker.pkg.dev", "gcp"),
        ("notgcr.io", "onprem"),
        ("acme.jfrog.io", "jfrog"),
        ("f.azurewebsites.net", "azureFunctions"),
        ("harbor.corp.example", "onprem"),
    ],
)
def test_the_class_a_host_speaks_for(host: str, class_: str) -> None:
    assert class_of(host) == class_


HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,8}\.example", fullmatch=True)
PORTS = st.integers(1, 65535)


@st.composite
def tunnel_lists(draw: st.DrawFn) -> list[dict[str, Any]]:
    classes = draw(st.lists(st.sampled_from(["azure", "aws", "gcp", "jfrog", "onprem", "azureFunctions"]), unique=True))
    hosts = draw(st.lists(HOSTS, min_size=len(classes), max_size=len(classes), unique=True))
    found = [{"type": c, "host": h, "port": draw(PORTS)} for c, h in zip(classes, hosts, strict=True)]
    return [{**t, "region": "eu-west-1", "service": "ecr"} if t["type"] == "aws" else t for t in found]


@given(tunnel_lists())
def test_slots_of_the_chart_read_back_as_the_tunnels_they_were_made_of(tunnels: list[dict[str, Any]]) -> None:
    found = from_chart_tunnels(chart_tunnels(tunnels))
    assert sorted(found, key=lambda t: t["type"]) == sorted(tunnels, key=lambda t: t["type"])


@given(tunnel_lists())
def test_the_documented_file_reads_back_as_the_tunnels_it_was_made_of(tunnels: list[dict[str, Any]]) -> None:
    assert from_file(documented_file(tunnels), tunnels) == tunnels


@given(tunnel_lists(), tunnel_lists())
def test_the_mark_of_the_pods_changes_with_the_tunnels_and_with_nothing_else(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    marks = [tunnels_digest(chart_tunnels(tunnels)) for tunnels in (one, list(reversed(one)), other)]
    assert marks[0] == marks[1]
    assert (marks[0] == marks[2]) == (chart_tunnels(one) == chart_tunnels(other))


def test_manifests_have_the_documented_names_and_the_documented_tunnel_file() -> None:
    objects = {
        thing["kind"]: thing
        for thing in yaml.safe_load_all(rendered(install__method="manifests", chart=None)["manifests.yaml"])
    }
    assert list(objects) == ["Namespace", "ServiceAccount", "ConfigMap", "Deployment", "PodDisruptionBudget"]
    config = objects["ConfigMap"]
    assert config["metadata"]["name"] == "aqua-cloud-connector-conf"
    assert same_file(yaml.safe_load(config["data"]["aqua-cloud-connector-config"]))
    container = objects["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert env["AQUA_SERVER"] == "ab12cd34ef-gw.cloud.aquasec.com:443"
    assert (env["AQUA_TLS_VERIFY"], env["HTTPS_PROXY"], env["NO_PROXY"]) == (
        "1",
        "http://proxy.corp.example:3128",
        ".svc,10.0.0.0/8",
    )
    assert objects["PodDisruptionBudget"]["apiVersion"] == "policy/v1"
    assert all(o["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "policysync" for o in objects.values())


def test_a_secret_we_write_is_shown_as_a_placeholder_in_every_artefact() -> None:
    source = {"env": "AQUA_TOKEN"}
    for method in ("manifests", "operator", "helm"):
        text = "".join(rendered(install__method=method, auth__tokenFrom=source).values())
        assert "<secret>" in text, method


def test_the_resource_of_the_operator_has_what_it_requires_even_beside_a_token() -> None:
    body = yaml.safe_load(rendered(install__method="operator", chart=None)["resource.yaml"])
    assert (body["apiVersion"], body["kind"]) == ("operator.aquasec.com/v1alpha1", "AquaCloudConnector")
    spec = body["spec"]
    assert {"common", "deploy", "infra", "login", "tunnels"} <= set(spec)
    assert (spec["login"]["username"], spec["login"]["password"]) == ("", "")
    assert spec["login"]["tlsNoVerify"] is False
    assert spec["tunnels"][0]["region"] == "eu-west-1"


def test_stack_parameters_are_those_of_the_template_and_the_tunnels_come_beside_it() -> None:
    ecs = {
        "clusterName": "registry-reach",
        "vpcId": "vpc-0123abcd",
        "vpcCidr": "10.0.0.0/16",
        "subnetIds": ["subnet-0123abcd", "subnet-0456abcd"],
    }
    made = rendered(install={"method": "ecs-fargate", "ecs": ecs}, chart=None)
    stack = json.loads(made["create-stack.json"])
    given_ = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    assert set(given_) == {
        *("AquaCCImage", "VpcId", "VpcCidr", "EcsInstanceSubnets", "ClusterName"),
        *("AquaGatewayUrl", "AquaCloudConnectorToken"),
    }
    assert given_["AquaCloudConnectorToken"] == "<secret>"
    assert same_file(yaml.safe_load(made["tunnels.yaml"]))


AZURE = {"type": "azure", "host": "a.azurecr.io"}
FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"chart__version": "2022.4.0"}, "/auth/tokenFrom", "chart-drops"),
    ({"chart__version": "6.2.1"}, "/chart/version", "chart-version"),
    ({"chart__version": "2022.4.2"}, "/proxy", "chart-drops"),
    ({"chart__version": "2022.4.3", "tolerations": [{"key": "a"}]}, "/tolerations", "chart-drops"),
    ({"chart__version": "2022.4.4", "platform": "openshift"}, "/platform", "chart-drops"),
    (
        {"chart__version": "2022.4.1", "proxy": None, "tunnels": [{"type": "azureFunctions", "host": "f.example"}]},
        "/tunnels/0/type",
        "chart-drops",
    ),
    ({"chart__version": None}, "/chart/version", "required"),
    ({"affinity": {"nodeAffinity": {}}}, "/affinity", "chart-fault"),
    ({"tunnels": [AZURE, {**AZURE, "host": "b.azurecr.io"}]}, "/tunnels", "one-per-class"),
    ({"tunnels": [{"type": "aws", "host": "a.example"}]}, "/tunnels/0/region", "required"),
    ({"tunnels": [{**AZURE, "region": "eu-west-1"}]}, "/tunnels/0/region", "no-effect"),
    ({"tunnels": [{**AZURE, "port": ""}]}, "/tunnels/0/port", "type"),
    ({"tunnels": [{**AZURE, "host": "https://a.azurecr.io"}]}, "/tunnels/0/host", "pattern"),
    ({"auth__tokenFrom": "tk-93c1-clear-text"}, "/auth/tokenFrom", "literal-secret"),
    ({"auth__tokenFrom": {"env": "tk-93c1-clear-text"}}, "/auth/tokenFrom/env", "pattern"),
    ({"auth__tokenFrom": {"env": "A", "file": "/x"}}, "/auth/tokenFrom", "length"),
    ({"auth__tokenFrom": None}, "/auth/tokenFrom", "required"),
    ({"auth__usernameFrom": {"env": "A"}}, "/auth/usernameFrom", "required"),
    (
        {"auth__tokenFrom": {"kubernetesSecret": {"name": "a", "key": "b", "namespace": "other"}}},
        "/auth/tokenFrom/kubernetesSecret/namespace",
        "secret-source",
    ),
    (
        {
            "auth": {
                "method": "userPassword",
                "usernameFrom": {"env": "U"},
                "passwordFrom": {"kubernetesSecret": {"name": "a", "key": "b"}},
            }
        },
        "/auth/passwordFrom/kubernetesSecret",
        "chart-fault",
    ),
    ({"imagePullSecret__create": True}, "/imagePullSecret/usernameFrom", "required"),
    ({"install__method": "ecs-fargate"}, "/install/ecs", "required"),
    ({"proxy__https": "http://user:pw@proxy:3128"}, "/proxy/https", "pattern"),
    ({"proxy__noProxy": [".svc,10.0.0.0/8"]}, "/proxy/noProxy/0", "pattern"),
    ({"imagePullSecret__usernameFrom": {"env": "U"}}, "/imagePullSecret/usernameFrom", "no-effect"),
    ({"install__ecs": {"clusterName": "c-five"}}, "/install/ecs", "no-effect"),
    ({"image__registry": "https://registry.example"}, "/image/registry", "pattern"),
    ({"image__repository": "cc:1.0"}, "/image/repository", "pattern"),
    ({"image__tag": ""}, "/image/tag", "pattern"),
    ({"extraEnv": {"https.proxy": "x"}}, "/extraEnv", "variable-name"),
    ({"extraEnv": {"aqua_server": "x"}}, "/extraEnv", "variable-name"),
    ({"extraEnv": {"my-name": "x"}}, "/extraEnv", "variable-name"),
    ({"extraEnv": {"X": 1}}, "/extraEnv/X", "type"),
    (
        {"extraSecretEnv": [{"name": "AQUA_CLOUD_CONNECTOR_TOKEN", "secretName": "s", "secretKey": "k"}]},
        "/extraSecretEnv/0/name",
        "variable-name",
    ),
    ({"podAnnotations": {"policysync.io/x": "y"}}, "/podAnnotations", "forbidden"),
    ({"tolerations": [{"key": "a", "operator": "Exist"}]}, "/tolerations/0/operator", "enum"),
    ({"install__method": "manifests", "affinity": {"nodeAfinity": {}}}, "/affinity/nodeAfinity", "unknown-field"),
    (
        {
            "install__method": "manifests",
            "auth__tokenFrom": {"kubernetesSecret": {"name": "a", "key": "b", "namespace": "other"}},
        },
        "/auth/tokenFrom/kubernetesSecret/namespace",
        "secret-source",
    ),
    ({"foreign": ["x"]}, "/foreign", "length"),
]


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"chart__version": 2022.4}, "/chart/version"),
        ({"auth": {"usernameFrom": {"env": "U"}, "passwordFrom": {"env": "P"}}}, "/auth/tokenFrom"),
    ],
)
def test_one_mistake_is_told_once(members: dict[str, Any], pointer: str) -> None:
    found = verdict(open_engine("rust"), KIND, stated(**members))
    assert ["/" + "/".join(finding.path) for finding in found] == [pointer]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("members", "pointer", "code"), FAULTS, ids=lambda value: json.dumps(value)[:60])
def test_what_would_go_wrong_is_refused(members: dict[str, Any], pointer: str, code: str, engine: str) -> None:
    found = verdict(open_engine(engine), KIND, stated(**members))
    assert (pointer, code) in {("/" + "/".join(finding.path), finding.code) for finding in found}
    assert not any("tk-93c1" in finding.message or ":pw@" in finding.message for finding in found)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_example_has_nothing_wrong_and_more_tunnels_of_a_type_go_with_manifests(engine: str) -> None:
    assert verdict(open_engine(engine), KIND, stated()) == []
    twice = stated(install__method="manifests", tunnels=[AZURE, {**AZURE, "host": "b.azurecr.io"}])
    assert verdict(open_engine(engine), KIND, twice) == []


def test_a_gateway_that_is_not_of_the_saas_is_a_warning() -> None:
    (finding,) = Lint().findings(KIND, stated(gateway__host="gateway.corp.example"), exported=False)
    assert (finding.path, finding.code, finding.warning) == (("gateway", "host"), "unusual-value", True)
    assert Lint().findings(KIND, stated(), exported=False) == []


def test_every_default_counts_as_stated() -> None:
    spec = desired_spec(KIND, stated(tlsVerify=None, proxy=None, replicas=None))
    assert (spec["tlsVerify"], spec["replicas"], spec["foreign"]) == (True, 1, [])
    assert spec["proxy"] == {"http": "", "https": "", "noProxy": []}
    assert "extraEnvironmentVars" not in helm_values(spec, str)
