"""What the words of platform kinds mean for documents, on the kinds of the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policysync.documents.project import load_project
from policysync.documents.source import WorkTree
from policysync.documents.validate import validate
from policysync.kinds.load import load_kinds

FILE = "policies/base/a.yaml"
PROJECT = 'version: 1\nstages:\n  - name: dev\n    targets: [{name: dev, backend: aqua, url: "embedded:dev"}]\n'


def document(kind: str, name: str, spec: str = "{}") -> str:
    return f"apiVersion: policysync/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def told(root: Path, *documents: str, files: tuple[str, ...] = (), more: str = "", **settings: Any) -> list[str]:
    (root / "policysync.yaml").write_text(PROJECT + more)
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / FILE).write_text("---\n".join(documents))
    project = load_project(root, {})
    kinds = load_kinds(settings.get("schemas", ()))
    found = validate(WorkTree(root), project, project.stages, kinds, files=files)
    return [f"{problem.pointer}: {problem.message} [{problem.code}]" for problem in found.problems]


@pytest.mark.parametrize("kind", ["Gateway", "Enforcer", "Scanner", "Account"])
def test_what_can_only_be_read_is_not_in_git(tmp_path: Path, kind: str) -> None:
    (problem,) = told(tmp_path, document(kind, "x"))
    assert problem.endswith(
        f"{kind} can only be read, so git says nothing about it; delete this document [read-only-kind]"
    )


def test_there_is_one_of_a_singleton_and_it_is_called_settings(tmp_path: Path) -> None:
    assert told(tmp_path, document("Ldap", "settings", "{enable: false}")) == []
    (problem,) = told(tmp_path, document("Ldap", "corp", "{enable: false}"))
    assert 'metadata.name has to be "settings"' in problem


@pytest.mark.parametrize(
    ("kind", "name", "spec", "pointer"),
    [
        ("PermissionSet", "a/b", "{actions: []}", "/metadata/name"),
        ("PermissionSet", "a/b", '{name: "", actions: []}', "/metadata/name"),
        ("PermissionSet", "a/b", "{name: a/b, actions: []}", "/spec/name"),
        ("LogManagement", "Splank", "{enable: true}", "/metadata/name"),
        ("Ldap", "corp", "{enable: true}", "/metadata/name"),
        ("Gateway", "x", "{}", "/kind"),
    ],
)
def test_a_name_is_wrong_where_it_is_written(tmp_path: Path, kind: str, name: str, spec: str, pointer: str) -> None:
    problem, *_ = told(tmp_path, document(kind, name, spec))
    assert problem.startswith(f"{pointer}: ")


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        (
            "HostRuntimePolicy",
            "{enforce: true, enforce_after_days: 14}",
            "/spec/enforce_after_days: `enforce_after_days` has no effect while enforce is true; it counts for false",
        ),
        ("ImageAssurancePolicy", "{enforce: true, enforce_after_days: 14}", ""),
        ("HostRuntimePolicy", "{enforce_after_days: 14}", ""),
        ("HostRuntimePolicy", "{enforce: true, enforce_after_days: 0}", ""),
        (
            "FirewallPolicy",
            "{outbound_networks: [{allow: true, port_range: '443', resource_type: anywhere, resource: 10.0.0.0/8}]}",
            '/spec/outbound_networks/0/resource: `resource` has no effect while resource_type is "anywhere"; it counts',
        ),
    ],
)
def test_what_a_console_forgets_beside_another_value_is_said(
    tmp_path: Path, kind: str, spec: str, expected: str
) -> None:
    assert [p[: len(expected)] for p in told(tmp_path, document(kind, "x", spec))] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("kind", "name", "spec", "problem"),
    [
        (
            "LogManagement",
            "Splunk",
            "{enabel: true}",
            "/spec/enabel: unknown field `enabel`; did you mean `enable`? [unknown-field]",
        ),
        (
            "LogManagement",
            "Splunk",
            "{enable: true, tokn: '${env:TOKEN}'}",
            "/spec/tokn: unknown field `tokn`; did you mean `token`? [unknown-field]",
        ),
        (
            "ImageAssurancePolicy",
            "x",
            "{assurance_type: 5}",
            "/spec/assurance_type: 5 is a number, want text; put it in quotes [type]",
        ),
    ],
)
def test_one_mistake_is_one_line(tmp_path: Path, kind: str, name: str, spec: str, problem: str) -> None:
    assert told(tmp_path, document(kind, name, spec)) == [problem]


def test_what_follows_from_another_mistake_is_left_out_and_nothing_else(tmp_path: Path) -> None:
    found = told(tmp_path, document("Registry", "hub", "{typ: HUB, url: '${env:URL}', prefixes: 5, pasword: [a]}"))
    assert [problem.split(":")[0] for problem in found] == [
        "/spec/typ",
        "/spec/url",
        "/spec/prefixes",
        "/spec/pasword",
    ]


def test_a_slot_has_one_of_the_names_there_are(tmp_path: Path) -> None:
    assert told(tmp_path, document("LogManagement", "Syslog", "{enable: false}")) == []
    assert any(
        "did you mean `QRadar`?" in p for p in told(tmp_path, document("LogManagement", "Qradar", "{enable: false}"))
    )


MAIL = document("Notification", "mail", "{type: email, name: oncall, properties: {host: smtp}}")
POLICY = "{{trigger: {{predefined: Incidents}}, outputs: [{{type: {type}, name: oncall}}]}}"


def test_a_channel_is_found_by_its_type_and_name(tmp_path: Path) -> None:
    assert told(tmp_path, MAIL, document("ResponsePolicy", "page", POLICY.format(type="email"))) == []
    (problem,) = told(tmp_path, MAIL, document("ResponsePolicy", "page", POLICY.format(type="slack")))
    assert problem.startswith("/spec/outputs/0/name: there is no Notification/slack/oncall")


def test_judging_the_channel_alone_judges_who_names_it(tmp_path: Path) -> None:
    policies = tmp_path / "policies/base/other.yaml"
    policies.parent.mkdir(parents=True)
    policies.write_text(document("ResponsePolicy", "page", POLICY.format(type="slack")))
    assert len(told(tmp_path, MAIL, files=(FILE,))) == 1


def test_names_of_a_map_are_references(tmp_path: Path) -> None:
    mapping = "{saml: {role_mapping: {Administrator: [a], nobody: [b]}}}"
    (problem,) = told(tmp_path, document("RoleMapping", "settings", mapping))
    assert problem.startswith("/spec/saml/role_mapping/nobody: there is no Role/nobody")


def test_gateways_are_taken_on_trust(tmp_path: Path) -> None:
    assert told(tmp_path, document("EnforcerGroup", "nodes", "{type: agent, gateways: [8522744b25e2_gateway]}")) == []


def test_a_value_is_stated_in_one_of_two_documents(tmp_path: Path) -> None:
    saml = document("SsoSaml", "settings", "{role_mapping: {Scanner: [ci]}}")
    both = document("RoleMapping", "settings", "{saml: {role_mapping: {}}, ldap: {role_mapping: {}}}")
    (problem,) = told(tmp_path, saml, both)
    assert problem.startswith(
        "/spec/saml/role_mapping: SsoSaml/settings (policies/base/a.yaml:1:1) states role_mapping"
    )


@pytest.mark.parametrize(
    ("kind", "spec", "told_of"),
    [
        (
            "Registry",
            "{type: HUB, icr_account_id: x}",
            '`icr_account_id` has no effect while type is "HUB"; it counts for ICR',
        ),
        ("Registry", "{type: ICR, icr_account_id: x}", ""),
        ("Registry", "{type: HUB, icr_account_id: ''}", ""),
        ("Registry", "{type: HUB, pull_image_age: 5D}", 'while image_creation_date_condition is "none"'),
        (
            "EnforcerGroup",
            "{type: agent, admission_control: true}",
            '`admission_control` has no effect while type is "agent"',
        ),
        ("EnforcerGroup", "{type: agent, admission_control: false}", ""),
        ("LogManagement", "{enable: true, region: eu-west-1}", '`region` has no effect while name is "Syslog"'),
        (
            "Notification",
            "{type: email, name: a, properties: {project_key: SEC}}",
            '`project_key` has no effect while type is "email"; it counts for jira',
        ),
    ],
)
def test_what_has_no_effect_beside_the_others_is_a_warning(tmp_path: Path, kind: str, spec: str, told_of: str) -> None:
    name = "Syslog" if kind == "LogManagement" else "x"
    problems = told(tmp_path, document(kind, name, spec))
    assert [told_of in problem and "[no-effect]" in problem for problem in problems] == [True] * bool(told_of)


def test_a_kind_of_ones_own_corrects_a_guess_without_a_release(tmp_path: Path) -> None:
    own = tmp_path / "schemas"
    own.mkdir()
    schema = (Path(load_kinds()["Ldap"].file)).read_text(encoding="utf-8")
    (own / "ldap.json").write_text(
        schema.replace("/api/v1/settings/ldap", "/api/v3/ldap").replace('"port"', '"tcp_port"')
    )
    spec = "{tcp_port: '636'}"
    assert told(tmp_path, document("Ldap", "settings", spec), schemas=(own,)) == []
    assert told(tmp_path, document("Ldap", "settings", spec)) != []
    assert load_kinds((own,))["Ldap"].api["get"]["path"] == "/api/v3/ldap"
