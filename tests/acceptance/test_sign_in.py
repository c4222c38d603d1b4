"""Every way to sign in, from the command line to a console on a port."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from acceptance.front import Front, authority
from acceptance.policy_repository import PolicyRepository, Ran, new_repository

from policysync.emulator.console import Console
from policysync.emulator.serve import Server
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.load import load_kinds

SETTINGS = Settings()
PASSWORD = {"user": SETTINGS.user, "password": "${env:CONSOLE_PASSWORD}"}
KEY = {"key": "${env:CONSOLE_KEY}", "secret": "${env:CONSOLE_SECRET}"}
ENVIRON = {
    "CONSOLE_PASSWORD": SETTINGS.password,
    "CONSOLE_KEY": SETTINGS.api_key,
    "CONSOLE_SECRET": SETTINGS.api_secret,
}
LABEL = """
apiVersion: policysync/v1
kind: Label
metadata: {name: pci}
spec: {description: cardholder data}
"""


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    made = new_repository(tmp_path / "team", **ENVIRON)
    made.write("policies/base/label.yaml", LABEL)
    return made


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console that `policysync emulate` serves."""
    process = PolicyRepository(tmp_path_factory.mktemp("console")).start("emulate", "--port", "0", "--edition", "saas")
    assert process.stdout
    line = process.stdout.readline()
    found = re.search(r"http://\S+:\d+", line)
    assert found, line
    yield found[0]
    process.terminate()
    process.communicate(timeout=60)


def plan(repository: PolicyRepository, url: str, auth: Mapping[str, Any], **options: Any) -> Ran:
    target = {"name": "console", "backend": "aqua", "url": url, "auth": auth, "options": options}
    # YAML reads JSON.
    project = {"version": 1, "stages": [{"name": "dev", "targets": [target]}]}
    repository.write("policysync.yaml", json.dumps(project))
    repository.commit()
    return repository.run("plan", "--stage", "dev", "--detailed-exitcode")


def assert_planned(ran: Ran) -> None:
    assert (ran.status, "+ Label/pci" in ran.out) == (2, True), ran.out + ran.err
    for secret in ("CONSOLE_PASSWORD", "Bearer"):
        assert secret not in ran.out + ran.err


@pytest.mark.parametrize(
    ("auth", "hosts"),
    [
        ({"method": "password", **PASSWORD}, []),
        (PASSWORD, []),
        ({"method": "saas-password", **PASSWORD}, ["token"]),
        ({"method": "saas-password", "email": SETTINGS.email, "password": PASSWORD["password"]}, ["token", "prov"]),
        ({"method": "api-key", **KEY}, ["token"]),
        ({"method": "api-key", **KEY, "validity": 1, "allowed_endpoints": ["GET"]}, ["token", "prov"]),
        ({**KEY, "roles": []}, ["token", "prov"]),
    ],
)
def test_every_method_leads_to_a_plan(
    emulated: str, repository: PolicyRepository, auth: dict[str, Any], hosts: list[str]
) -> None:
    assert_planned(plan(repository, emulated, auth, hosts=dict.fromkeys(hosts, emulated)))


@pytest.mark.parametrize(
    ("auth", "said"),
    [
        ({"method": "password", **PASSWORD}, r"POST /api/v1/login: 401: .*does not let 'administrator' in"),
        ({"method": "saas-password", **PASSWORD}, r"POST /v2/signin: 403: Access denied; .*method api-key"),
        ({"method": "api-key", **KEY}, r"POST /v2/tokens: 403: Access denied; .*refuses this API key: check auth.key"),
    ],
)
def test_wrong_credentials_are_told_and_not_shown(
    emulated: str, repository: PolicyRepository, auth: dict[str, Any], said: str
) -> None:
    repository.environ.update(CONSOLE_PASSWORD="hunter-2222", CONSOLE_SECRET="hunter-2222")
    ran = plan(repository, emulated, auth, hosts={"token": emulated})
    assert ran.status == 1
    assert re.search(said, ran.err), ran.err
    assert "hunter-2222" not in ran.out + ran.err


def test_a_key_for_reading_plans_and_does_not_apply(emulated: str, repository: PolicyRepository) -> None:
    auth = {**KEY, "allowed_endpoints": ["GET"]}
    assert_planned(plan(repository, emulated, auth, hosts={"token": emulated}))
    ran = repository.run("apply", "--stage", "dev", "--yes")
    assert ran.status not in (0, 2)
    assert "403" in ran.out + ran.err


def test_secrets_come_from_a_program_and_a_file(emulated: str, repository: PolicyRepository) -> None:
    del repository.environ["CONSOLE_KEY"], repository.environ["CONSOLE_SECRET"]
    repository.write("keys/secret", f"{SETTINGS.api_secret}\n")
    repository.write("keys/print.py", f"import sys; sys.stderr.write('asked'); print({SETTINGS.api_key!r})")
    auth = {"key": f"${{cmd:{sys.executable} keys/print.py}}", "secret": "${file:keys/secret}"}
    assert_planned(plan(repository, emulated, auth, hosts={"token": emulated}))
    repository.write("keys/print.py", "import sys; sys.exit('the vault is locked')")
    failed = repository.run("plan", "--stage", "dev")
    assert failed.status == 1
    assert "ended with status 1: the vault is locked" in failed.err


def test_a_program_is_not_run_for_a_document(emulated: str, repository: PolicyRepository) -> None:
    secret = "${cmd:touch ran}"
    document = {
        "apiVersion": "policysync/v1",
        "kind": "Registry",
        "metadata": {"name": "hub"},
        "spec": {"type": "HUB", "url": "https://docker.io", "username": "joe", "password": secret},
    }
    repository.write("policies/base/registry.yaml", json.dumps(document))
    ran = plan(repository, emulated, PASSWORD)
    assert ran.status == 1
    assert "only policysync.yaml may ask for that" in ran.err + ran.out
    assert not (repository.root / "ran").exists()


# The vendor's cloud under its real names: a proxy leads them here, and a private authority vouches for them.

TENANT = "abc123.eu-1.cloud.aquasec.com"
NAMES = ("*.cloud.aquasec.com", "*.eu-1.cloud.aquasec.com", "*.api.cloudsploit.com", "api.cloudsploit.com")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


@pytest.fixture(scope="module")
def cloud(certificates: Path) -> Iterator[Front]:
    console = Console(load_kinds(), Store(), settings=Settings(console_host=TENANT))
    server = Server(console)
    server.start()
    context = authority(certificates, *(f"DNS:{name}" for name in NAMES), "IP:127.0.0.1")
    front = Front(context, server.port)
    yield front
    front.close()
    server.stop()
    console.close()


@pytest.fixture
def behind_a_proxy(repository: PolicyRepository, cloud: Front, certificates: Path) -> PolicyRepository:
    repository.write("certificates/ca.pem", (certificates / "ca.pem").read_text())
    repository.environ.update(HTTPS_PROXY=f"http://127.0.0.1:{cloud.port}", NO_PROXY="")
    cloud.tunnels.clear()
    return repository


@pytest.mark.parametrize(
    ("url", "auth", "hosts"),
    [
        ("https://eu-1.cloud.aquasec.com/#/home", KEY, ["eu-1.api.cloudsploit.com", TENANT]),
        ("EU-1.cloud.aquasec.com", PASSWORD, ["eu-1.api.cloudsploit.com", TENANT]),
        (TENANT, KEY, ["eu-1.api.cloudsploit.com", TENANT]),
        ("cloud.aquasec.com:443/", KEY, ["api.cloudsploit.com", TENANT]),
    ],
)
def test_the_cloud_is_reached_by_its_names(
    behind_a_proxy: PolicyRepository, cloud: Front, url: str, auth: dict[str, Any], hosts: list[str]
) -> None:
    assert_planned(plan(behind_a_proxy, url, auth, ca_file="certificates/ca.pem"))
    assert sorted(set(cloud.tunnels)) == sorted(f"{host}:443" for host in hosts)


def test_a_gateway_is_refused_before_anything_is_sent(behind_a_proxy: PolicyRepository, cloud: Front) -> None:
    ran = plan(behind_a_proxy, "https://abc123-gw.eu-1.cloud.aquasec.com", KEY, ca_file="certificates/ca.pem")
    assert ran.status == 1
    assert "use https://abc123.eu-1.cloud.aquasec.com" in ran.err
    assert cloud.tunnels == []


def test_a_private_authority_has_to_be_named(repository: PolicyRepository, cloud: Front, certificates: Path) -> None:
    url = f"https://127.0.0.1:{cloud.port}"
    ran = plan(repository, url, PASSWORD)
    assert ran.status == 1
    assert "certificate that is not trusted" in ran.err
    repository.write("certificates/ca.pem", (certificates / "ca.pem").read_text())
    assert_planned(plan(repository, url, PASSWORD, ca_file="certificates/ca.pem"))
    loud = plan(repository, url, PASSWORD, verify=False)
    assert_planned(loud)
    assert "NOT verified" in loud.err
