from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import PROJECT, kinds, policy, repository, told

from policysync.documents.desired import Desired, desired_state
from policysync.documents.expand import Expansion, escaped, literal_secrets
from policysync.documents.secrets import resolver
from policysync.documents.worktree import WorkTree
from policysync.kinds.field import Field
from policysync.secret import Secret

A = "policies/base/a.yaml"


def registry(spec: str) -> str:
    return f"apiVersion: policysync/v1\nkind: Registry\nmetadata: {{name: hub}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${var.n}", 7),
        ("${var.t}", "web"),
        ("${var.l}", [1, 2]),
        ("a-${var.t}-${var.n}-${var.b}", "a-web-7-true"),
        ("$${var.n}", "${var.n}"),
        ("$$${var.n}", "$${var.n}"),
        ("echo ${HOME} $(x) ${!}", "echo ${HOME} $(x) ${!}"),
        ("${var", "${var"),
        ("plain", "plain"),
    ],
)
def test_variables(text: str, value: object) -> None:
    expansion = Expansion({"n": 7, "t": "web", "l": [1, 2], "b": True})
    assert expansion.of(Field(), {"a": [{"b": text}]}) == ({"a": [{"b": value}]}, [])


@pytest.mark.parametrize(
    "text", ["a", "${HOME}", "${var.n}", "$${var.n}", "x ${env:A} $${", "$$${file:x}", "${", "${cmd:a}", "${vault:a#b}"]
)
def test_escaped_text_stands_for_itself(text: str) -> None:
    expanded, findings = Expansion({}).of(Field(), {"a": escaped(text)})
    assert (expanded, findings) == ({"a": text}, [])


def test_variables_keep_their_type_in_a_stage(tmp_path: Path) -> None:
    text = policy("enabled: ${var.strict}\nscore: ${var.score}\ntitle: c-${var.cluster}")
    project = repository(tmp_path, {A: text})
    (resource,) = desired_state(WorkTree(tmp_path), project, project.stage("prod"), kinds(tmp_path)).resources
    assert dict(resource.spec) == {"name": "web", "enabled": True, "score": 9, "title": "c-prod-1"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "enabled: true\ntitle: ${var.clustre}",
            "6:10: /spec/title: there is no variable `clustre`; did you mean `cluster`? [unknown-variable]",
        ),
        (
            "enabled: true\ntitle: ${var.zzzz}",
            "6:10: /spec/title: there is no variable `zzzz`; want one of score, cluster, strict [unknown-variable]",
        ),
        (
            "enabled: true\ntitle: ${env:HOME}",
            "6:10: /spec/title: ${env:HOME} stands outside a secret field; only those take references "
            "[misplaced-reference]",
        ),
        ("enabled: true\ntags: [x, 'y${file:a}']", None),
        ("enabled: true\ntags: ['${vault:kv/x#y}']", None),
        ("enabled: true\ntags: ['${aws-secret:x}']", None),
    ],
)
def test_what_is_wrong_with_references(tmp_path: Path, spec: str, message: str | None) -> None:
    project = PROJECT.partition("  - name: prod")[0]
    found = told(tmp_path, {A: policy(spec)}, project)
    assert len(found) == 1
    assert message is None or found == [f"{A}:{message}"]


@pytest.mark.parametrize("text", ["${var.score", "x ${vars.score}", "${var:score}", "${env.HOME}"])
def test_what_is_nearly_a_reference_is_a_warning(tmp_path: Path, text: str) -> None:
    (found,) = told(tmp_path, {A: policy(f"enabled: true\ntags: ['{text}']")})
    assert found.startswith(f"{A}:6:10: warning: /spec/tags/0: ")
    assert found.endswith("want ${var.NAME}, in a secret field ${env:NAME}, or $${ for the text [nearly-a-reference]")


@pytest.mark.parametrize(
    "text", ["${HOME}", "${var:-x}", "${var:0:3}", "$${var.score}", "$${vars.score}", "${file%.txt}"]
)
def test_what_a_shell_reads_is_text(tmp_path: Path, text: str) -> None:
    assert told(tmp_path, {A: policy(f"enabled: true\ntags: ['{text}']")}) == []


def test_one_mistake_in_every_stage_is_one_line(tmp_path: Path) -> None:
    assert told(tmp_path, {A: policy("enabled: true\ntitle: ${var.scor}\nscopes: [zzz]")}) == [
        f"{A}:6:10: /spec/title: there is no variable `scor`; did you mean `score`? [unknown-variable]",
        f"{A}:7:12: /spec/scopes/0: there is no Scope/zzz; add it, or list it under `references: {{external: […]}}` in "
        "policysync.yaml [dangling-reference]",
    ]


def test_a_variable_that_fits_in_no_text(tmp_path: Path) -> None:
    project = PROJECT.partition("  - name: prod")[0].replace("score: 7", "score: [7]")
    assert told(tmp_path, {A: policy("enabled: true\ntitle: x${var.score}")}, project) == [
        f"{A}:6:10: /spec/title: variable `score` is no text or number and cannot stand inside a text [variable]"
    ]


@pytest.mark.parametrize(
    ("spec", "place", "code"),
    [
        ("{password: hunter2}", "4:18: /spec/password", "literal-secret"),
        ("{password: 'pre-${env:HUNTER2}'}", "4:18: /spec/password", "literal-secret"),
        ("{password: 77777}", "4:18: /spec/password", "literal-secret"),
        ("{password: {deep: hunter2}}", "4:25: /spec/password/deep", "literal-secret"),
        ("{tokens: [a-hunter2, '${env:T}']}", "4:17: /spec/tokens/0", "literal-secret"),
        ("{password: '${env:a b}'}", "4:18: /spec/password", "secret-reference"),
        ("{password: '${file:../x}'}", "4:18: /spec/password", "secret-reference"),
        ("{password: '${var.cluster}'}", "4:18: /spec/password", "literal-secret"),
        ("{password: '${cmd:print hunter}'}", "4:18: /spec/password", "secret-reference"),
        ("{password: '${vault:kv/x}'}", "4:18: /spec/password", "secret-reference"),
    ],
)
def test_secrets_in_documents(tmp_path: Path, spec: str, place: str, code: str) -> None:
    found = told(tmp_path, {A: registry(spec)})
    assert found
    assert found[0].startswith(f"{A}:{place}: ")
    assert found[0].endswith(f"[{code}]")
    assert not any(word in message for message in found for word in ("hunter2", "77777", "dev-1"))


def test_secrets_of_stores_are_good_in_documents(tmp_path: Path) -> None:
    spec = "{password: '${vault:kv/x#y}', tokens: ['${keyring:aqua/joe}', '${aws-secret:x#y}']}"
    assert told(tmp_path, {A: registry(spec)}) == []


def test_what_runs_programs_elsewhere_is_plain_text_here() -> None:
    expanded, findings = Expansion({}).of(Field(), {"snippet": "echo ${cmd:0:3}"})
    assert (expanded, findings) == ({"snippet": "echo ${cmd:0:3}"}, [])


def test_good_secrets_offline(tmp_path: Path) -> None:
    long_reference = "${env:A_VERY_LONG_NAME_OF_A_VARIABLE}"
    spec = f"{{password: '{long_reference}', tokens: ['${{file:keys/a}}', ''], user: ''}}"
    project = repository(tmp_path, {A: registry(spec)})
    desired = desired_state(WorkTree(tmp_path), project, project.stage("dev"), kinds(tmp_path))
    assert desired.problems == ()
    password = desired.resources[0].spec["password"]
    assert isinstance(password, Secret)
    assert (password.reveal(), password.source) == ("", long_reference)


def resolved(root: Path, **environ: str) -> Desired:
    project = repository(
        root, {A: registry("{password: '${env:PW}'}"), "policies/base/b.yaml": policy("enabled: true")}
    )
    return desired_state(WorkTree(root), project, project.stage("dev"), kinds(root), resolver(environ, root))


def test_good_secrets_online(tmp_path: Path) -> None:
    (hub, _) = resolved(tmp_path, PW="hunter2").resources
    assert hub.spec["password"].reveal() == "hunter2"
    assert "hunter2" not in repr(hub)


def test_a_secret_that_is_not_there_leaves_only_its_resource_out(tmp_path: Path) -> None:
    desired = resolved(tmp_path)
    assert [str(problem) for problem in desired.errors] == [
        f"{A}:4:18: /spec/password: ${{env:PW}}: PW is not set, or is empty [secret]"
    ]
    assert [str(resource.address) for resource in desired.resources] == ["Policy/web"]


def test_only_secret_branches_are_walked() -> None:
    field = Field(properties={"a": Field(properties={"b": Field(sensitive=True)})})
    found = literal_secrets(field, {"a": {"b": ["x", "${env:T}"], "c": "y"}, "d": "z"})
    assert [finding.path for finding in found] == [("a", "b", "0")]
    assert literal_secrets(None, {"a": "x"}) == []
