"""Secrets that come from the keyring, Vault and AWS: given out, refused, and said back in the refusal."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.errors
import pytest
from acceptance.canaries import MARK, canary
from acceptance.secret_world import World, secret_world
from unit.documents.test_secret_stores import GET, InMemory, Store

USER = """\
apiVersion: policysync/v1
kind: User
metadata: {{name: {name}, targets: [dev-c]}}
spec: {{id: {name}, email: {name}@example.com, password: "{reference}", roles: [Administrator]}}
"""
REFERENCES = {
    "ring": "${keyring:aqua/joe}",
    "vault": "${vault:secret/data/aqua#password}",
    "aws": "${aws-secret:aqua#password}",
}


class Holding(InMemory):
    """A keyring that holds a canary, and may be locked."""

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked("it is locked")
        return canary("ring")


@pytest.fixture
def store() -> Iterator[Store]:
    server = Store()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.table["GET /v1/secret/data/aqua"] = (200, {"data": {"password": canary("vault")}})
    server.table[GET] = (200, {"SecretString": f'{{"password": "{MARK}-aws-0001"}}'})
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ring() -> Iterator[Holding]:
    before, ours = keyring.get_keyring(), Holding()  # type: ignore[no-untyped-call]  # the library's
    keyring.set_keyring(ours)
    yield ours
    keyring.set_keyring(before)


@pytest.fixture
def world(tmp_path: Path, store: Store) -> Iterator[World]:
    with secret_world(tmp_path) as world:
        world.repository.environ |= {
            "VAULT_ADDR": store.url,
            "VAULT_TOKEN": f"s.{MARK}-vault-token",
            "AWS_ENDPOINT_URL": store.url,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": f"{MARK}-aws-key-0001",
            "AWS_SESSION_TOKEN": f"{MARK}-aws-session-0001",
            "AWS_REGION": "eu-central-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, reference in REFERENCES.items():
            world.repository.write(f"policies/base/user-{name}.yaml", USER.format(name=name, reference=reference))
        world.repository.commit()
        yield world


def test_what_stores_give_out_is_left_nowhere(world: World, ring: Holding, store: Store) -> None:
    only = ("--only", "User/*")
    assert world.run("plan", "--stage", "dev", *only, "--format", "json") == 0, world.printed[-1]
    assert world.run("apply", "--stage", "dev", "--yes", *only) == 0, world.printed[-1]
    assert world.run("plan", "--stage", "dev", *only, "--detailed-exitcode") == 0, world.printed[-2:]
    assert {what for what, _, _ in store.asked} >= {"GET /v1/secret/data/aqua", GET}
    assert world.leaks() == []


@pytest.mark.parametrize("name", sorted(REFERENCES))
def test_a_store_that_says_secrets_where_it_refuses(world: World, ring: Holding, store: Store, name: str) -> None:
    ring.locked = True
    environ = world.repository.environ
    store.table["GET /v1/secret/data/aqua"] = (403, {"errors": [f"{environ['VAULT_TOKEN']} may not"]})
    told = f"{environ['AWS_SECRET_ACCESS_KEY']} {environ['AWS_SESSION_TOKEN']} may not"
    store.table[GET] = (400, {"__type": "AccessDeniedException", "message": told})
    for other in set(REFERENCES) - {name}:
        (world.repository.root / f"policies/base/user-{other}.yaml").unlink()
    world.repository.commit()
    assert world.run("plan", "--stage", "dev") == 1
    assert REFERENCES[name] in world.printed[-1][1].decode()
    assert world.leaks() == []
