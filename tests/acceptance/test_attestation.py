"""What was applied, signed: made with `apply --attest`, read by independent libraries, checked by `history`."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from acceptance.policy_repository import PolicyRepository, new_repository, run_here
from cryptography.hazmat.primitives import serialization as pem
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import json_format  # type: ignore[import-untyped]  # it brings no types
from in_toto_attestation.v1 import statement_pb2  # type: ignore[import-untyped]  # it brings no types
from in_toto_attestation.v1.statement import Statement  # type: ignore[import-untyped]  # it brings no types
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]  # exported all the same

FILE = "applied.intoto.jsonl"
LEDGER = "refs/policysync/ledger/dev"
PROJECT = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: eu, backend: aqua, url: "embedded:eu"}
      - {name: us, backend: aqua, url: "embedded:us"}
attest: {sign: WAY, key: "KEY", signers: signers}
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {description: %s}\n"
USER = (
    "apiVersion: policysync/v1\nkind: User\nmetadata: {name: bot}\n"
    'spec: {id: bot, password: "${env:BOT}", roles: [Administrator]}\n'
)
CANARY = "c4nary-of-a-bot"
WAYS = ("ssh", "ed25519")


def ssh_key(file: Path, who: str) -> str:
    """Make a key and return the line by which it is trusted."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)]
    subprocess.run(command, check=True)
    return f"{who} {file.with_suffix('.pub').read_text()}"


def ed25519_key() -> tuple[str, str]:
    private = Ed25519PrivateKey.generate()
    none = pem.NoEncryption()
    secret = private.private_bytes(pem.Encoding.PEM, pem.PrivateFormat.PKCS8, none).decode()
    public = private.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo).decode()
    return secret, public


def signing(folder: Path, way: str) -> PolicyRepository:
    """Return a repository with one label for two consoles, and a key."""
    made = new_repository(folder / "team", BOT=CANARY)
    if way == "ssh":
        made.write("signers", ssh_key(folder / "key", "deploy@example.com"))
        key = str(folder / "key")
    else:
        made.environ["ATTEST_KEY"], public = ed25519_key()
        made.write("signers", public)
        key = "${env:ATTEST_KEY}"
    made.write("policysync.yaml", PROJECT.replace("WAY", way).replace("KEY", key))
    made.write(".gitignore", f".policysync/\n{FILE}\n")
    made.write("policies/base/label.yaml", LABEL % "first")
    made.write("policies/base/user.yaml", USER)
    made.commit()
    ran = run_here(made, "apply", "--stage", "dev", "--yes", "--attest", FILE)
    assert ran.status == 0, ran.err
    assert f"attested in {FILE}: " in ran.err
    return made


@pytest.fixture(params=WAYS)
def signed(request: pytest.FixtureRequest, tmp_path: Path) -> PolicyRepository:
    return signing(tmp_path, request.param)


@pytest.fixture
def by_ssh(tmp_path: Path) -> PolicyRepository:
    return signing(tmp_path, "ssh")


def lines(repository: PolicyRepository) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (repository.root / FILE).read_text().splitlines()]


def payload(envelope: dict[str, Any]) -> dict[str, Any]:
    found = json.loads(base64.b64decode(envelope["payload"]))
    assert isinstance(found, dict)
    return found


def checked(repository: PolicyRepository, status: int = 0, *options: str) -> str:
    ran = run_here(repository, "history", "--stage", "dev", "--attestation", FILE, *options)
    assert ran.status == status, ran.out + ran.err
    return ran.out + ran.err


def test_it_holds_and_says_who_signed(signed: PolicyRepository) -> None:
    out = checked(signed, 0, "--verify")
    assert out.count("; the ledger says the same.") == 2
    assert "to eu, signed by " in out
    assert ("deploy@example.com" in out) or ("sha256:" in out)
    said = run_here(signed, "history", "--stage", "dev", "--attestation", FILE, "--format", "json").json()
    assert [one["problems"] for one in said["attestations"]] == [[], []]
    assert {one["apply"] for one in said["attestations"]} == {apply["id"] for apply in said["applies"]}


def test_it_is_an_in_toto_statement_to_others(signed: PolicyRepository) -> None:
    revision = signed.git("rev-parse", "HEAD").strip()
    for envelope in lines(signed):
        assert envelope["payloadType"] == "application/vnd.in-toto+json"
        found = payload(envelope)
        parsed = json_format.ParseDict(found, statement_pb2.Statement())
        Statement.copy_from_pb(parsed).validate()
        assert found["_type"] == "https://in-toto.io/Statement/v1"
        assert found["predicateType"] == "urn:policysync:attestation:apply:v1"
        about = found["predicate"]
        names = [subject["name"] for subject in found["subject"]]
        assert names == [f"{about['target']}/plan", f"{about['target']}/Label/pci", f"{about['target']}/User/bot"]
        assert all(len(subject["digest"]["sha256"]) == 64 for subject in found["subject"])
        assert (about["revision"], about["dirty"], about["stage"]) == (revision, False, "dev")
        assert [(change["id"], change["outcome"]) for change in about["changes"]] == [
            ("create:Label/pci", "applied"),
            ("create:User/bot", "applied"),
        ]
        assert signed.git("rev-parse", f"{about['ledger']['gitCommit']}^{{commit}}").strip()
    assert CANARY not in (signed.root / FILE).read_text()
    assert CANARY not in str([payload(each) for each in lines(signed)])


def test_an_independent_library_verifies_the_envelope(tmp_path: Path) -> None:
    repository = signing(tmp_path, "ed25519")
    public = pem.load_pem_public_key((repository.root / "signers").read_bytes())
    raw = public.public_bytes(pem.Encoding.Raw, pem.PublicFormat.Raw).hex()
    for each in lines(repository):
        keyid = each["signatures"][0]["keyid"]
        key = SSlibKey(keyid, "ed25519", "ed25519", {"public": raw})
        envelope = Envelope.from_dict(json.loads(json.dumps(each)))
        assert list(envelope.verify([key], 1)) == [keyid]
        envelope.payload += b" "
        with pytest.raises(VerificationError):
            envelope.verify([key], 1)


def test_ssh_keygen_alone_verifies_the_envelope(by_ssh: PolicyRepository, tmp_path: Path) -> None:
    each = lines(by_ssh)[0]
    content = base64.b64decode(each["payload"])
    kind = each["payloadType"].encode()
    signature = tmp_path / "sig"
    body = each["signatures"][0]["sig"]
    signature.write_text(f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n")
    about = ("-f", str(by_ssh.root / "signers"), "-I", "deploy@example.com", "-n", "policysync-attestation")
    subprocess.run(
        ["ssh-keygen", "-Y", "verify", *about, "-s", str(signature)],
        input=b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(content), content),
        check=True,
        capture_output=True,
    )


def test_what_was_changed_afterwards_is_not_attested(signed: PolicyRepository) -> None:
    first, second = lines(signed)
    forged = payload(first)
    forged["predicate"]["by"] = "Mallory"
    first["payload"] = base64.b64encode(json.dumps(forged).encode()).decode()
    signed.write(FILE, f"{json.dumps(first)}\n{json.dumps(second)}\nnot one\n")
    out = checked(signed, 1)
    assert "nobody who is trusted signed it as it is" in out
    assert "this is no DSSE envelope" in out
    assert out.count("; the ledger says the same.") == 1


def test_a_stranger_is_not_trusted(by_ssh: PolicyRepository, tmp_path: Path) -> None:
    by_ssh.write("signers", ssh_key(tmp_path / "other", "other@example.com"))
    assert checked(by_ssh, 1).count("nobody who is trusted signed it as it is") == 2
    (by_ssh.root / "signers").unlink()
    assert "whose signatures to trust" in checked(by_ssh, 1)


def test_a_trusted_lie_is_held_to_the_ledger(by_ssh: PolicyRepository, tmp_path: Path) -> None:
    """Whoever has the key can sign anything; the ledger says otherwise."""
    from policysync.apply.attest.envelope import sealed
    from policysync.apply.attest.ssh import SshSigner
    from policysync.apply.attest.statement import PAYLOAD

    signer = SshSigner(tmp_path / "key", by_ssh._environ())
    lie, unknown = payload(lines(by_ssh)[0]), payload(lines(by_ssh)[1])
    lie["predicate"]["changes"][0]["outcome"] = "failed"
    lie["subject"].pop()
    unknown["predicate"]["apply"] = "20200101T000000Z-abcdef"
    odd: list[Any] = [lie, unknown, {}, [], {"predicate": {"apply": 7}}]
    by_ssh.write(FILE, "".join(f"{sealed(one, PAYLOAD, signer)}\n" for one in odd))
    out = checked(by_ssh, 1)
    assert "/subject is not what the ledger says; /predicate/changes is not what the ledger says" in out
    assert "the ledger of dev has no apply 20200101T000000Z-abcdef" in out
    assert out.count("Not attested: ") == len(odd)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "nothing is signed: policysync.yaml does not say how"),
        ("attest: {sign: pgp}", "want ssh or ed25519"),
        ("attest: {sign: ed25519, key: MC4CAQAwBQYDK2Vw}", "want a reference such as ${env:ATTEST_KEY}"),
        ('attest: {sign: ed25519, key: "${env:BOT}"}', "attest.key is no ed25519 private key in PEM"),
        ("attest: {sign: ssh, key: nowhere}", "nowhere does not sign: "),
    ],
)
def test_a_key_that_is_not_there(by_ssh: PolicyRepository, settings: str, said: str) -> None:
    """It is noticed before anything is applied."""
    text = (by_ssh.root / "policysync.yaml").read_text()
    by_ssh.write("policysync.yaml", text[: text.index("attest:")] + settings + "\n")
    by_ssh.write("policies/base/label.yaml", LABEL % "second")
    by_ssh.commit()
    before = by_ssh.git("rev-parse", LEDGER)
    ran = run_here(by_ssh, "apply", "--stage", "dev", "--yes", "--attest", FILE)
    assert ran.status == 1
    assert said in ran.err
    assert CANARY not in ran.err
    assert by_ssh.git("rev-parse", LEDGER) == before


def test_where_nothing_was_applied_nothing_is_attested(by_ssh: PolicyRepository) -> None:
    (by_ssh.root / FILE).unlink()
    ran = run_here(by_ssh, "apply", "--stage", "dev", "--yes", "--attest", FILE)
    assert (ran.status, (by_ssh.root / FILE).exists()) == (0, False)
    assert "nothing was applied, so nothing is attested" in ran.err
