from __future__ import annotations

import pytest

from policysync.documents.secret_reference import is_secret_reference, parts, secret_trouble


@pytest.mark.parametrize(
    ("reference", "scheme", "name"),
    [
        ("${env:TOKEN}", "env", "TOKEN"),
        ("${file:keys/a:b}", "file", "keys/a:b"),
        ("${keyring:https://aqua.example.com/joe}", "keyring", "https://aqua.example.com/joe"),
        ("${vault:secret/data/aqua#password}", "vault", "secret/data/aqua#password"),
        ("${aws-secret:aqua}", "aws-secret", "aqua"),
        ("${aws-secret:arn:aws:secretsmanager:eu-1:1:secret:x#password}", "aws-secret", None),
    ],
)
def test_what_a_document_may_hold(reference: str, scheme: str, name: str | None) -> None:
    assert is_secret_reference(reference)
    assert parts(reference) == (scheme, name or reference[13:-1])


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("hunter2222", "a secret stands here in clear text; want ${env:NAME} or ${file:PATH}"),
        ("${env:A} ", "in clear text"),
        ("${env:a-b}", "`a-b` is not the name of an environment variable"),
        ("${file:a/../../b}", "leads out of the policy root"),
        ("${keyring:service}", "want ${keyring:SERVICE/USER}"),
        ("${keyring:/joe}", "want ${keyring:SERVICE/USER}"),
        ("${vault:secret/x}", "want ${vault:PATH#FIELD}"),
        ("${vault:/#x}", "want ${vault:PATH#FIELD}"),
        ("${aws-secret:#x}", "want ${aws-secret:NAME} or"),
        ("${aws-secret:x#}", "want ${aws-secret:NAME} or"),
        ("${gcp:x}", "`${gcp:…}` is no reference we know; want ${env:NAME}"),
        ("${cmd:pass show aqua}", "only policysync.yaml may ask for that; want ${env:NAME}"),
    ],
)
def test_what_is_none(text: str, trouble: str) -> None:
    assert trouble in secret_trouble(text)
    assert "hunter2222" not in secret_trouble(text)
    assert not is_secret_reference(text)


def test_a_command_is_one_where_commands_are_allowed() -> None:
    assert secret_trouble("${cmd:pass show aqua}", commands=True) == ""
    assert "want ${cmd:PROGRAM ARGUMENTS}" in secret_trouble("${cmd: }", commands=True)


def test_only_texts_are_references() -> None:
    assert not is_secret_reference(7)
    assert not is_secret_reference(None)
