"""Commits of the ledger signed with an OpenPGP key that is made for the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from unit.apply.test_ledger import ENVIRON, apply, create
from unit.apply.world import git, resource

from policysync.apply.ledger import Ledger
from policysync.apply.verify import verify
from policysync.clock import FakeClock
from policysync.kinds.load import Kinds

ADA, EVE = "ada@example.com", "eve@example.com"

STAND_IN = """\
#!{python}
import hashlib, os, pathlib, sys
home, args = pathlib.Path(os.environ["GNUPGHOME"]), sys.argv[1:]
if "--verify" in args:
    signature, content = pathlib.Path(args[-2]).read_text().split(), sys.stdin.buffer.read()
    known = (home / signature[3]).exists()
    good = known and signature[4] == hashlib.sha256(content).hexdigest()
    print("[GNUPG:] NEWSIG\\n[GNUPG:] " + ("GOODSIG" if good else "BADSIG" if known else "ERRSIG"), signature[3], "x")
    print("the stand-in for gpg says", "good" if good else "bad" if known else "unknown", file=sys.stderr)
    sys.exit(0 if good else 1)
who, content = args[-1], sys.stdin.buffer.read()
if not (home / who).exists():
    sys.exit(2)
print("[GNUPG:] SIG_CREATED D", file=sys.stderr)
print("-----BEGIN PGP SIGNATURE-----\\n", who, hashlib.sha256(content).hexdigest(), "\\n-----END PGP SIGNATURE-----")
"""


class Keys:
    """A folder of keys: gpg's own, or where gpg is not installed, one that a stand-in understands."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.gpg = shutil.which("gpg")
        self.environ = {**ENVIRON, "GNUPGHOME": str(home)}
        self.program = self.gpg or str(home / "stand-in")
        home.chmod(0o700)
        if not self.gpg:
            (home / "stand-in").write_text(STAND_IN.format(python=sys.executable))
            (home / "stand-in").chmod(0o755)

    def make(self, who: str) -> None:
        if self.gpg:
            options = (
                "--batch",
                "--quiet",
                "--passphrase",
                "",
                "--quick-generate-key",
                who,
                "ed25519",
                "sign",
                "never",
            )
            self._gpg(*options)
        else:
            (self.home / who).touch()

    def forget(self, who: str) -> None:
        if self.gpg:
            listed = self._gpg("--batch", "--list-keys", "--with-colons", who).splitlines()
            print_of_it = next(line.split(":")[9] for line in listed if line.startswith("fpr"))
            self._gpg("--batch", "--yes", "--delete-secret-and-public-key", print_of_it)
        else:
            (self.home / who).unlink()

    def close(self) -> None:
        if self.gpg and shutil.which("gpgconf"):
            subprocess.run(["gpgconf", "--kill", "all"], env=os.environ | self.environ, check=False)

    def _gpg(self, *args: str) -> str:
        command = [str(self.gpg), *args]
        done = subprocess.run(command, env=os.environ | self.environ, capture_output=True, text=True, check=True)
        return done.stdout


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    made = Keys(tmp_path_factory.mktemp("k"))
    print(f"signatures by {made.program}")  # noqa: T201  # which of the two a failure is about
    yield made
    made.close()


@pytest.fixture
def signing(repo: Path, clock: FakeClock, keys: Keys) -> Ledger:
    keys.make(ADA)
    for name, value in {
        "user.name": "Ada",
        "user.email": ADA,
        "user.signingkey": ADA,
        "gpg.program": keys.program,
        "commit.gpgsign": "true",
    }.items():
        git(repo, "config", name, value)
    return Ledger(repo, "dev", clock, environ=keys.environ)


@pytest.fixture
def applied(signing: Ledger, kinds: Kinds) -> Ledger:
    apply(signing, create(resource(kinds, "Policy", "web")))
    return signing


def problems(ledger: Ledger) -> str:
    return "\n".join(verify(ledger).problems)


def test_signatures_hold(applied: Ledger) -> None:
    found = verify(applied)
    assert (found.problems, found.commits, found.signed) == ((), 2, 2)
    assert "BEGIN PGP SIGNATURE" in git(applied.root, "cat-file", "commit", applied.ref)


def test_a_key_nobody_knows(applied: Ledger, keys: Keys) -> None:
    keys.forget(ADA)
    assert problems(applied).count("its signature does not hold") == 2


def test_a_signature_of_something_else(applied: Ledger) -> None:
    """Somebody who has no key puts an old signature on a commit of their own."""
    raw = git(applied.root, "cat-file", "commit", applied.ref)
    forged = raw.replace("1 applied", "9 applied")
    assert forged != raw
    done = subprocess.run(
        ["git", "-C", str(applied.root), "hash-object", "-t", "commit", "-w", "--stdin"],
        input=forged.encode(),
        capture_output=True,
        check=True,
    )
    git(applied.root, "update-ref", applied.ref, done.stdout.decode().strip())
    applied.seen.file.unlink()
    assert problems(applied).count("its signature does not hold") == 1


def test_a_key_that_is_known_and_another_that_is_not(applied: Ledger, keys: Keys, kinds: Kinds) -> None:
    keys.make(EVE)
    git(applied.root, "config", "user.signingkey", EVE)
    apply(Ledger(applied.root, "dev", applied.clock, environ=keys.environ), create(resource(kinds, "Policy", "b")))
    assert verify(applied).problems == ()
    keys.forget(EVE)
    found = verify(applied)
    assert (found.commits, found.signed) == (4, 4)
    assert "\n".join(found.problems).count("its signature does not hold") == 2
