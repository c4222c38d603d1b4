from __future__ import annotations

import json
from pathlib import Path

import pytest

from policysync.cli import run
from policysync.commands.config import lines, masked, origins

CONFIG = """
version: 1
stages:
  - name: dev
    targets:
      - name: dev-console
        backend: aqua
        url: https://root:hunter2222@dev.example.com
        auth: {method: password, user: "${env:POLICYSYNC_TEST_NOBODY}", password: hunter2222}
    vars: {score: 7}
  - name: prod
    targets:
      - {name: prod-console, backend: aqua, url: "embedded:prod"}
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "policysync.yaml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def test_the_configuration_is_shown_as_it_resolves(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "policies").mkdir()
    assert run(["-C", str(repository / "policies"), "config", "check"]) == 0
    out = capsys.readouterr().out
    assert f"root: {repository}" in out
    assert "  - name: dev\n    follows: the checked-out branch" in out
    assert "    follows: releases/prod.yaml" in out
    assert "  parallelism: 10" in out
    assert "      score: 7" in out


def test_no_secret_is_shown_and_no_reference_resolved(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("text", "json"):
        assert run(["-C", str(repository), "config", "check", "--format", form]) == 0
        said = capsys.readouterr()
        assert "hunter2222" not in said.out + said.err
        assert "***" in said.out
        assert "${env:POLICYSYNC_TEST_NOBODY}" in said.out


def test_a_variable_that_is_not_set_is_said(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(repository), "config", "check"]) == 0
    assert capsys.readouterr().err == "not set in this environment: POLICYSYNC_TEST_NOBODY\n"


def test_programs_get_json(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(repository), "config", "check", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["format_version"] == 1
    assert [stage["name"] for stage in answer["stages"]] == ["dev", "prod"]
    assert answer["stages"][0]["targets"][0]["url"] == "https://***@dev.example.com"


def test_a_mistake_is_told_with_its_place(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "policysync.yaml").write_text("version: 1\nstages: []\nstagess: []\n", encoding="utf-8")
    assert run(["-C", str(repository), "config", "check"]) == 1
    assert "policysync.yaml:3:1:" in capsys.readouterr().err


def test_outside_a_repository_init_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(tmp_path), "config", "check"]) == 1
    assert "policysync init" in capsys.readouterr().err


def test_masking_goes_into_what_is_nested() -> None:
    auth = {"method": "api-key", "keys": {"id": "${file:key}", "secret": "abc", "parts": ["abc"]}}
    assert masked(auth) == {"method": "api-key", "keys": {"id": "${file:key}", "secret": "***", "parts": "***"}}


def test_where_each_secret_comes_from_is_shown(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sign_in = "{key: '${cmd:touch ran}', secret: '${vault:kv/data/aqua#secret}', roles: [auditor]}"
    text = CONFIG.replace('"embedded:prod"}', f'"cloud.aquasec.com", auth: {sign_in}}}')
    (repository / "policysync.yaml").write_text(text, encoding="utf-8")
    assert run(["-C", str(repository), "config", "check"]) == 0
    out = capsys.readouterr().out
    assert "secrets:\n          user: environment variable POLICYSYNC_TEST_NOBODY" in out
    assert "secrets:\n          key: output of touch ran\n          secret: Vault, kv/data/aqua, field secret" in out
    assert 'roles: ["auditor"]' in out
    assert not (repository / "ran").exists()


def test_every_origin_has_words() -> None:
    auth = {
        "a": "${file:keys/a}",
        "b": "${keyring:aqua/joe}",
        "c": "${aws-secret:prod#x}",
        "d": "${aws-secret:prod}",
        "e": "${gcp:x}",
        "f": "plain",
    }
    assert origins(auth) == {
        "a": "file keys/a",
        "b": "keyring, joe at aqua",
        "c": "AWS Secrets Manager, prod, field x",
        "d": "AWS Secrets Manager, prod",
        "e": "`${gcp:…}` is no reference we know; want ${env:NAME} or ${file:PATH}",
    }


def test_what_is_empty_is_left_out_and_false_is_not() -> None:
    shown = {"a": {"b": "", "c": []}, "on": False, "none": None, "list": [1, 2]}
    assert list(lines(shown)) == ["on: false", "list: [1, 2]"]
