"""Who we are to a cluster."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from policysync.backends.kubernetes.credential import Credential, credential_of
from policysync.backends.kubernetes.kubeconfig import Access
from policysync.clock import FakeClock
from policysync.errors import Refused


def made(clock: FakeClock | None = None, folder: Path = Path(), **user: Any) -> Credential:
    return credential_of(Access("https://api.example", user=user, folder=folder), clock or FakeClock())


def shown(credential: Credential) -> str:
    header = credential.header()
    assert header is not None
    assert "***" in repr(header)
    return header.reveal()


def test_a_token_and_a_password_stand_in_the_header() -> None:
    assert shown(made(token="abcd-token")) == "Bearer abcd-token"
    assert shown(made(username="jo", password="long-password")) == "Basic am86bG9uZy1wYXNzd29yZA=="
    assert made().header() is None


def test_a_form_that_is_gone_is_refused() -> None:
    with pytest.raises(Refused, match="use exec"):
        credential_of(Access("https://api.example", user={"auth-provider": {"name": "gcp"}}), FakeClock())


@pytest.mark.parametrize(
    "said", ["aws", {"args": []}, {"command": "x", "args": 5}, {"command": "x", "env": [{"a": 1}]}]
)
def test_an_exec_that_names_no_program_is_refused(said: object) -> None:
    with pytest.raises(Refused, match="names no program"):
        credential_of(Access("https://api.example", user={"exec": said}), FakeClock())


def test_a_token_file_is_read_again_after_a_while_and_when_it_did_not_work(tmp_path: Path) -> None:
    clock, file = FakeClock(), tmp_path / "token"
    file.write_text("first-token\n", encoding="utf-8")
    credential = made(clock, tmp_path, tokenFile="token")
    assert shown(credential) == "Bearer first-token"
    file.write_text("second-token", encoding="utf-8")
    assert shown(credential) == "Bearer first-token"
    assert credential.renew()
    assert shown(credential) == "Bearer second-token"
    assert not credential.renew()
    file.write_text("third-token", encoding="utf-8")
    clock.sleep(61)
    assert shown(credential) == "Bearer third-token"


def program(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "login.py"
    file.write_text(text, encoding="utf-8")
    env = [{"name": "AUDIENCE", "value": "eu"}]
    return {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(file)], "env": env}


def test_a_program_makes_the_token_until_it_runs_out(tmp_path: Path) -> None:
    clock = FakeClock()
    until = (clock.now() + timedelta(minutes=10)).isoformat()
    body = f"""
import json, os, pathlib
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
count = pathlib.Path({str(tmp_path / "count")!r})
count.write_text(str(int(count.read_text()) + 1 if count.exists() else 1))
token = "made-" + os.environ["AUDIENCE"] + "-" + count.read_text()
print(json.dumps({{**info, "status": {{"token": token, "expirationTimestamp": {until!r}}}}}))
"""
    credential = made(clock, tmp_path, exec=program(tmp_path, body))
    assert [shown(credential), shown(credential)] == ["Bearer made-eu-1"] * 2
    assert credential.renew()
    assert shown(credential) == "Bearer made-eu-2"
    clock.sleep(700)
    assert shown(credential) == "Bearer made-eu-3"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import sys; sys.exit('expired: sign in again')", "ended with 1: expired: sign in again"),
        ("print('hello')", "no ExecCredential"),
        (f"print({json.dumps({'status': {}})!r})", "no ExecCredential"),
    ],
)
def test_a_program_that_makes_none_says_why(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        made(None, tmp_path, exec=program(tmp_path, body)).header()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="aws-iam: the program that makes the token does not run"):
        made(None, tmp_path, exec={"command": "./aws-iam"}).header()
