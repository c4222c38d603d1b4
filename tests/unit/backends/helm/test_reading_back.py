"""Values of a release and objects of a cluster, turned back into a document."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from systems.connector_world import CHART, KIND, spec

from policysync.backends.helm.additions import added
from policysync.backends.helm.chart import check_copy
from policysync.backends.helm.engine import Chart, Engine, Release
from policysync.backends.helm.observed import edited, foreign, keyed, laid_on
from policysync.backends.helm.release import decode, laid_over, newest
from policysync.backends.helm.values import foreign_values, from_values, logins
from policysync.backends.secret_source import resolve
from policysync.errors import NotServed, OutcomeUnknown, PolicySyncError, Refused
from policysync.kinds.load import load_kinds
from policysync.plan.diff import diff
from policysync.render.aqua_helm import SIGNS_IN, chart_arguments, helm_values
from policysync.render.aqua_helm import stated as stated_place
from policysync.secret import Secret
from policysync.state.normalize import desired_spec, live_spec

# What a failure repeats, and therefore is not shown.
REPEATED = Secret("tk-repeated-9b1f")

DEFAULTS: Mapping[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
TEXTS = st.dictionaries(NAMES, NAMES, max_size=2)


@st.composite
def connectors(draw: st.DrawFn) -> dict[str, Any]:
    """A document that the chart has a place for."""
    source = st.sampled_from([{"env": "A_TOKEN"}, {"kubernetesSecret": {"name": "s", "key": "k"}}])
    return spec(
        "here",
        replicas=draw(st.integers(1, 5)),
        tlsVerify=draw(st.booleans()),
        healthPort=draw(st.sampled_from([8080, 9090])),
        gateway={"host": f"{draw(NAMES)}.example", "port": draw(st.integers(1, 65535))},
        auth={"method": "token", "tokenFrom": draw(source)},
        image={"registry": "registry.example/team", "tag": draw(NAMES)},
        resources={"limits": draw(st.sampled_from([{}, {"cpu": "2000m"}, {"memory": "0.5Gi"}]))},
        proxy={"http": "http://proxy.example:3128", "noProxy": draw(st.lists(NAMES, max_size=2))},
        extraEnv=draw(TEXTS),
        extraSecretEnv=[{"name": "X", "secretName": draw(NAMES), "secretKey": "k"}],
        nodeSelector=draw(TEXTS),
        tolerations=draw(st.sampled_from([[], [{"key": "a", "operator": "Exists"}]])),
        podAnnotations=draw(TEXTS),
        platform=draw(st.sampled_from(["kubernetes", "openshift"])),
        imagePullSecret={"create": True, "usernameFrom": {"env": "U"}, "passwordFrom": {"env": "P"}},
    )


def revealed(source: Mapping[str, Any]) -> str:
    return f"value of {json.dumps(stated_place(source), sort_keys=True)}"


def sources(login: Mapping[str, Any]) -> dict[str, Any]:
    return {name: place for name in SIGNS_IN if (place := stated_place(login.get(name)))}


@given(connectors())
def test_what_a_document_renders_to_reads_back_as_the_document(stated: dict[str, Any]) -> None:
    desired = desired_spec(KIND, stated)
    config = helm_values(desired, revealed)
    values = laid_over(DEFAULTS, config)
    told = {name: desired[name] for name in ("name", "cluster", "install", "chart", "release")}
    # Where secrets are kept stands beside the values, and is compared below.
    found = from_values(values, desired)
    found |= {name: {**found[name], **sources(desired[name])} for name in logins(values)}
    live = live_spec(KIND, {**told, **found})
    assert diff(KIND.root, desired, live) == []
    for name, held in logins(values).items():
        assert held == {
            member: place.get("kubernetesSecret") or revealed(place) for member, place in sources(desired[name]).items()
        }
    assert list(foreign_values(DEFAULTS, config, values)) == []


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        ({"securityContext": {"runAsUser": 0}}, "values /securityContext"),
        ({"image": {"digest": "sha256:0"}}, "values /image/digest"),
        ({"pdbApiVersion": None}, "values /pdbApiVersion"),
        ({"healthPort": {"port": "9090"}}, "values /livenessProbe"),
        ({"podAnnotations": None}, "values /podAnnotations/policysync.io~1tunnels-sha256"),
        ({"brandNew": 1}, "values /brandNew"),
    ],
)
def test_what_no_document_would_have_given_is_foreign(config: dict[str, Any], wanted: str) -> None:
    given_ = laid_over(helm_values(desired_spec(KIND, spec("here")), revealed), config)
    assert wanted in set(foreign_values(DEFAULTS, given_, laid_over(DEFAULTS, given_)))


def deployment(**pod: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "registry.example/a/connector:1", "env": [{"name": "NO_PROXY", "value": "a,b"}]}
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container], **pod}}
    body = {"replicas": 1, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": body}


def test_edits_of_objects_are_told_in_the_words_of_the_document() -> None:
    wanted, live = deployment(), deployment(nodeSelector={"disk": "ssd"})
    live["spec"]["template"]["spec"]["containers"][0] |= {
        "image": "registry.example/a/other:2",
        "env": [{"name": "HTTPS_PROXY", "value": "http://p:1"}, {"name": "EXTRA", "value": "1"}],
    }
    told = edited([wanted], keyed([live]), {"extraEnv": {"extra": "1"}})
    before = {
        "image": {"registry": "registry.example/a", "repository": "connector", "tag": "1", "pullPolicy": "Always"}
    }
    found = laid_on(before, told)
    assert found["image"] == {
        "registry": "registry.example/a",
        "repository": "other",
        "tag": "2",
        "pullPolicy": "Always",
    }
    assert (found["proxy"], found["extraEnv"]) == ({"https": "http://p:1"}, {"extra": "1"})
    assert found["nodeSelector"] == {"disk": "ssd"}
    assert list(foreign([wanted], keyed([live]))) == []


def test_what_no_field_says_is_told_by_its_place_and_what_the_cluster_wrote_is_not() -> None:
    wanted, live = deployment(restartPolicy="Always"), deployment(restartPolicy="Never", hostNetwork=True)
    fields: dict[str, Any] = {"f:spec": {"f:template": {"f:spec": {"f:hostNetwork": {}}}, "f:replicas": {}}}
    live["metadata"]["managedFields"] = [
        {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": fields},
        {"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
    ]
    assert set(foreign([wanted], keyed([live]))) == {
        "Deployment d /spec/template/spec/restartPolicy",
        "Deployment d /spec/template/spec/hostNetwork",
    }
    assert list(added(wanted, live)) == [("spec", "template", "spec", "hostNetwork")]
    assert list(foreign([wanted], {})) == ["Deployment d is gone"]


def test_an_element_that_was_added_to_a_list_is_told_by_its_key_and_one_that_was_changed_is_none() -> None:
    wanted, live = deployment(), deployment()
    live["metadata"]["managedFields"] = [
        {
            "manager": "kubectl-edit",
            "operation": "Update",
            "fieldsV1": {
                "f:spec": {
                    "f:template": {
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"c"}': {
                                    "f:env": {
                                        'k:{"name":"NO_PROXY"}': {"f:value": {}},
                                        'k:{"name":"BY_HAND"}': {".": {}, "f:name": {}, "f:value": {}},
                                    },
                                    "f:args": {},
                                },
                                'k:{"name":"miner"}': {".": {}, "f:image": {}},
                            }
                        }
                    }
                }
            },
        }
    ]
    containers = ("spec", "template", "spec", "containers")
    assert list(added(wanted, live)) == [
        (*containers, 'k:{"name":"c"}', "env", 'k:{"name":"BY_HAND"}'),
        (*containers, 'k:{"name":"c"}', "args"),
        (*containers, 'k:{"name":"miner"}'),
    ]
    assert list(foreign([wanted], keyed([live]))) == [
        "Deployment d /spec/template/spec/containers/0/args",
        'Deployment d /spec/template/spec/containers/{"name":"miner"}',
    ]


def test_what_a_field_says_of_a_config_map_is_not_told_again_and_all_else_is() -> None:
    def settings(labels: dict[str, str], **data: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "labels": labels}, "data": data}

    wanted = settings({"chart": "c-1"}, AQUA_TLS_VERIFY="1", AQUA_SERVER="a:1", OTHER="x")
    live = settings({"chart": "c-2", "more": "1"}, AQUA_TLS_VERIFY="0", OTHER="y", MORE="z")
    assert list(foreign([wanted], keyed([live]))) == [
        "ConfigMap m /data/AQUA_SERVER",
        "ConfigMap m /data/OTHER",
        "ConfigMap m /metadata/labels/chart",
    ]


def test_what_a_server_spells_in_its_own_way_is_no_difference_and_what_was_taken_out_is() -> None:
    def beside(kind: str, **members: Any) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **members}

    token = {"automountServiceAccountToken": False}
    wanted = [
        beside("ResourceQuota", spec={"hard": {"cpu": "1000m", "memory": "0.5Gi", "pods": 4}}),
        beside("Pod", spec={"hostNetwork": False, "args": [], **token}),
        beside("Secret", stringData={"a": "one", "b": "two"}),
    ]
    live = [
        beside("ResourceQuota", spec={"hard": {"cpu": "1", "memory": "512Mi", "pods": "4"}}),
        beside("Pod", spec=token),
        beside("Secret", data={"a": "b25l", "b": "dHdv"}),
    ]
    fields: dict[str, Any] = {"f:stringData": {"f:a": {}}}
    live[2]["metadata"] = {
        "name": "x",
        "managedFields": [{"manager": "python", "operation": "Apply", "fieldsV1": fields}],
    }
    assert list(foreign(wanted, keyed(live))) == []
    live[0]["spec"]["hard"]["cpu"], live[1]["spec"], live[2]["data"]["b"] = "2", {"hostNetwork": True}, "dHJlZQ=="
    assert list(foreign(wanted, keyed(live))) == [
        "ResourceQuota x /spec/hard/cpu",
        "Pod x /spec/hostNetwork",
        "Pod x /spec/automountServiceAccountToken",
        "Secret x /data/b",
    ]


def test_values_of_another_form_than_they_should_have_say_nothing() -> None:
    odd = {"image": "text", "tunnels": {"azure": "x", "aws": {"registryHost": "h", "registryPort": "abc"}}}
    odd |= {name: ["a"] for name in ("podAnnotations", "resources", "gateway", "nodeSelector", "extraEnvironmentVars")}
    odd |= {"extraSecretEnvironmentVars": {"a": 1}, "tolerations": {"x": 1}}
    read = from_values(odd, {})
    assert read["tunnels"] == [{"type": "aws", "host": "h", "port": 0}]
    assert (read["resources"], read["podAnnotations"], read["tolerations"], read["extraSecretEnv"]) == ({}, {}, [], [])
    assert "values /image" in set(foreign_values({}, odd, odd))


def test_an_image_is_taken_apart_where_git_does() -> None:
    known = {"image": {"registry": "r.example:5000/team", "repository": "cc", "tag": "1"}}
    digest = f"1.0@sha256:{'0' * 64}"
    found = laid_on(known, {"image": f"r.example:5000/team/cc:{digest}"})["image"]
    assert found == {"registry": "r.example:5000/team", "repository": "cc", "tag": digest}


def packed(said: Any) -> dict[str, Any]:
    data = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(said).encode()))).decode()
    return {"metadata": {"name": "sh.helm.release.v1.r.v1", "labels": {"version": "1"}}, "data": {"release": data}}


GOOD: dict[str, Any] = {
    "name": "r",
    "namespace": "n",
    "version": 3,
    "info": {"status": "deployed"},
    "chart": {"metadata": {"name": "c", "version": "1.2.3"}, "values": {"a": {"b": 1, "c": 2}}},
    "config": {"a": {"b": None, "d": 3}},
    "manifest": "---\nkind: A\nmetadata: {name: a}\n---\n",
}


def test_a_release_is_decoded_and_null_takes_a_default_away() -> None:
    release = decode(packed(GOOD))
    assert (release.revision, release.version, release.values) == (3, "1.2.3", {"a": {"c": 2, "d": 3}})
    assert [thing["kind"] for thing in release.manifest] == ["A"]
    assert not release.locked
    assert "d" not in repr(release).replace("deployed", "").partition("config")[2]


def test_a_manifest_is_read_as_helm_reads_it() -> None:
    listed = "{kind: A, metadata: {name: a}, spec: {on: 2026-01-01, at: 12:30:45, n: 0x1F}}"
    (thing,) = decode(packed({**GOOD, "manifest": f"kind: List\nitems: [{listed}]\n---\nx\n"})).manifest
    assert thing["spec"] == {True: "2026-01-01", "at": "12:30:45", "n": 31}
    assert decode(packed({name: said for name, said in GOOD.items() if name != "manifest"})).manifest == ()


def archive(folder: Path, name: str, text: str) -> Path:
    (folder / "Chart.yaml").write_text(text, encoding="utf-8")
    with tarfile.open(folder / "chart.tgz", "w:gz") as packed_chart:
        packed_chart.add(folder / "Chart.yaml", name)
    return folder / "chart.tgz"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("c/Chart.yaml", "{name: c, version: v1.2.3+build}", ""),
        ("./c/Chart.yaml", "{name: c, version: 1.2.3}", ""),
        ("c/Chart.yaml", "{name: other, version: 1.2.3}", "is chart other, and chart.name says c"),
        ("c/Chart.yaml", "{name: c, version: 1.2.4}", "is version 1.2.4, and chart.version says 1.2.3"),
        ("c/charts/sub/Chart.yaml", "{name: c, version: 1.2.3}", "is no chart: Chart.yaml: not in the archive"),
        ("c/Chart.yaml", "[", "is no chart: Chart.yaml: ParserError"),
        ("c/Chart.yaml", "text", "is no mapping"),
    ],
)
def test_a_copy_of_a_chart_is_the_one_that_is_named(tmp_path: Path, name: str, text: str, problem: str) -> None:
    copy = Chart("c", "1.2.3", "", str(archive(tmp_path, name, text)))
    if not problem:
        check_copy(copy)
        return
    with pytest.raises(Refused, match=re.escape(problem)):
        check_copy(copy)
    with pytest.raises(Refused, match="there is nothing at"):
        check_copy(Chart("c", "1.2.3", "", str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    "broken",
    ["", "!!!", "bm90", packed({"name": "r"})["data"]["release"], packed([])["data"]["release"]],
    # What is packed holds the time of day, and a test has one name in every worker.
    ids=["nothing", "no base64", "no archive", "no release", "a list"],
)
def test_a_secret_that_is_no_release_is_refused(broken: str) -> None:
    with pytest.raises(Refused, match="not a release as Helm writes it"):
        decode({"metadata": {"name": "x"}, "data": {"release": broken}})


def test_the_newest_revision_counts_by_number_and_one_that_is_gone_is_none() -> None:
    def revision(number: int, status: str) -> dict[str, Any]:
        return {"metadata": {"labels": {"version": str(number), "status": status}}}

    assert newest([revision(9, "superseded"), revision(10, "deployed")]) == revision(10, "deployed")
    assert newest([revision(1, "uninstalled")]) is None
    assert newest([]) is None


def test_each_place_of_a_secret_is_asked_in_its_own_words() -> None:
    asked: list[str] = []

    def secrets(reference: str) -> Secret:
        asked.append(reference)
        if "GONE" in reference:
            raise PolicySyncError("GONE is not set")
        return Secret("found-it-here", reference)

    for source in (
        {"env": "NAME", "vault": {}},
        {"file": "/run/secret"},
        {"vault": {"path": "kv/aqua", "key": "token"}},
        {"awsSecretsManager": {"secretId": "aqua/token", "jsonKey": "t"}},
        {"awsSecretsManager": {"secretId": "aqua/token"}},
        {"awsSecretsManager": {"secretId": "aqua/token", "region": "eu-west-1"}},
        {"awsSecretsManager": {"secretId": "arn:aws:x:y:z:secret:t", "region": "eu-west-1"}},
    ):
        assert resolve(source, secrets).reveal() == "found-it-here"
    assert asked == [
        "${env:NAME}",
        "${file:/run/secret}",
        "${vault:kv/aqua#token}",
        "${aws-secret:aqua/token#t}",
        "${aws-secret:aqua/token}",
        "${aws-secret:eu-west-1:aqua/token}",
        "${aws-secret:arn:aws:x:y:z:secret:t}",
    ]
    for bad in ({"env": "GONE"}, {"kubernetesSecret": {"name": "s", "key": "k"}}, {}):
        with pytest.raises(Refused):
            resolve(bad, secrets)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program called helm that says what the test wrote, and ends with its status."""
    text = tmp_path / "text"
    text.write_text(
        f'#!/bin/sh\ncp "$2" /dev/null 2>/dev/null\necho "$@" > {tmp_path}/asked\n'
        f"cat {tmp_path}/said >&2\nexit $(cat {tmp_path}/status)\n"
    )
    # A file this process wrote itself may still be open in a child that another thread starts: "text file busy".
    subprocess.run(["install", "-m", "755", text, tmp_path / "helm"], check=True)
    return tmp_path


@pytest.mark.parametrize(
    ("said", "status", "failure"),
    [
        ("Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress", 1, "Unavailable"),
        ("Error: UPGRADE FAILED: timed out waiting for the condition", 1, "OutcomeUnknown"),
        ("Error: dial tcp 127.0.0.1:1: connect: connection refused", 1, "OutcomeUnknown"),
        ('Error: UPGRADE FAILED: Patch "https://api.example/apis/apps/v1/x": EOF', 1, "OutcomeUnknown"),
        ("Error: read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer", 1, "OutcomeUnknown"),
        (
            'Error: looks like "https://c.invalid" is not a valid chart repository or cannot be reached: no such host',
            1,
            "Unavailable",
        ),
        ("Error: chart requires kubeVersion: >=1.99", 1, "Refused"),
        (f"Error: another operation (install/upgrade/rollback) is in progress {REPEATED.reveal()}", 1, "Unavailable"),
    ],
)
def test_how_helm_ended_is_one_of_our_failures(program: Path, said: str, status: int, failure: str) -> None:
    (program / "said").write_text(said)
    (program / "status").write_text(str(status))
    engine = Engine({"PATH": f"{program}:/usr/bin:/bin"}, wait=0)
    release, chart = _release_and_chart()
    with pytest.raises((Refused, OutcomeUnknown, PolicySyncError)) as caught:
        engine.upgrade(release, chart, {"token": "tk-in-values-71"})
    assert type(caught.value).__name__ == failure
    assert "tk-in-values" not in str(caught.value)
    asked = (program / "asked").read_text()
    assert "tk-in-values" not in asked
    assert asked.startswith("upgrade --install r c --repo https://charts.example --version 1.2.3 ")
    # Values go in on standard input, so that nothing is left of them wherever Helm is ended.
    assert "--values - " in asked


def test_a_chart_of_a_registry_is_named_by_its_address() -> None:
    arguments = ["oci://r.example/charts/c", "--version", "1.2.3"]
    assert chart_arguments("c", "1.2.3", "oci://r.example/charts/") == arguments
    assert chart_arguments("c", "1.2.3", "oci://r.example", "/copy") == ["/copy", "--version", "1.2.3"]


def _release_and_chart() -> tuple[Release, Chart]:
    return Release("r", "n"), Chart("c", "1.2.3", "https://charts.example")


def test_without_any_engine_the_kind_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policysync.backends.helm.engine._EXTRA", "no_such_package_here")
    release, chart = _release_and_chart()
    with pytest.raises(NotServed, match=r"policysync\[helm\]") as caught:
        Engine({"PATH": str(tmp_path)}).upgrade(release, chart, {})
    assert caught.value.reason == "engine-not-installed"


def test_the_kind_says_who_installs_it() -> None:
    kind = load_kinds()["AquaCloudConnector"]
    assert kind.backend_of({}) == "helm"
    assert kind.backend_of({"install": {"method": "ecs-fargate"}}) == "files"
