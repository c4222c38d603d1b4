"""`policysync emulate`, as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from policysync.commands.emulate import command

# Modules that cost more than the whole console and that it has no use for when it only starts.
UNWANTED = ("starlette", "yaml", "httpx", "jsonschema", "jsonschema_rs", "git", "rich", "zipfile._path")


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """Run the command and yield the console's address."""
    started = [sys.executable, "-m", "policysync", "emulate", "--port", "0", *options]
    with subprocess.Popen(started, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().partition(",")[0].partition(" at ")[2]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def asked(url: str, token: str = "", body: Any = None) -> Any:
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_a_console_with_the_demonstration() -> None:
    with serving("--seed", "demo") as address:
        token = asked(f"{address}/api/v1/login", body={"id": "administrator", "password": "emulator"})["token"]
        assert asked(f"{address}/api/v2/risks", token)["registered_images"] == 22
        described = asked(f"{address}/openapi.json")
        assert "/api/v2/runtime_policies" in described["paths"]


def test_a_tenant_of_apono_with_a_connector() -> None:
    with serving("--apono", "--connector", "eu-1=111122223333/us-east-1") as address:
        (found,) = asked(f"{address}/api/admin/v3/connectors", "emulator")["items"]
        assert (found["id"], found["status"]) == ("eu-1", "CONNECTED")
        assert asked(f"{address}/api/admin/v4/integrations", "emulator")["items"] == []


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--apono", "--store", "x.sqlite"], "--apono takes no --store"),
        (["--apono", "--connector", "eu-1"], "is not ID=ACCOUNT/REGION"),
        (["--connector", "eu-1=111122223333/us-east-1"], "--connector goes with --apono"),
    ],
)
def test_what_goes_with_a_tenant_and_what_does_not(options: list[str], wrong: str) -> None:
    done = CliRunner().invoke(command, options)
    assert (done.exit_code, wrong in done.output) == (2, True), done.output


def test_the_description_is_printed_without_a_console() -> None:
    done = CliRunner().invoke(command, ["--openapi"], catch_exceptions=False)
    assert json.loads(done.output)["openapi"] == "3.1.0"


@pytest.mark.parametrize("wrong", ["Role.create", "create=204", "Role.create=404", "Role.create=x"])
def test_a_success_code_has_to_be_one(wrong: str) -> None:
    done = CliRunner().invoke(command, ["--openapi", "--answer", wrong])
    assert done.exit_code == 2
    assert "KIND.CALL=CODE" in done.output


def test_a_success_code_is_taken() -> None:
    done = CliRunner().invoke(command, ["--openapi", "--answer", "Role.create=204", "--edition", "saas", "--strict"])
    assert done.exit_code == 0
    assert "/api/v1/users" not in json.loads(done.output)["paths"]


def loaded(modules: Sequence[str]) -> list[str]:
    """Return those of the modules that the command and its server import."""
    program = (
        "import sys, policysync.commands.emulate, policysync.emulator.serve, policysync.kinds.load;"
        f"print(*[name for name in {tuple(modules)!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_starting_imports_nothing_it_does_not_need() -> None:
    assert loaded(UNWANTED) == []


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    with serving() as address:
        port = address.rpartition(":")[2]
        started = [sys.executable, "-m", "policysync", "emulate", "--port", port]
        done = subprocess.run(started, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode != 0
    assert "--port 0 takes a free one" in done.stderr
