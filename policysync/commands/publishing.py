"""A pin on its way to others: written, committed, pushed, or offered as a pull request."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from policysync.apply.gitstore import GitStore, failed
from policysync.commands.session import Session
from policysync.documents.pin import Pin, file_of
from policysync.errors import PolicySyncError
from policysync.forges.listed import FORGES, open_forge
from policysync.promotion.releases import pin_text


@dataclass(frozen=True, slots=True)
class Ways:
    """How far a pin goes. `push` commits as well; `pull_request` leaves the work tree and its branch alone."""

    commit: bool = False
    push: bool = False
    pull_request: bool = False
    base: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """Where the pin is now; empty attributes did not happen."""

    file: str = ""
    commit: str = ""
    branch: str = ""
    pull_request: str = ""


def publish(session: Session, pin: Pin, ways: Ways, message: str) -> Published:
    """Write a pin, and do with it what was asked. The first line of `message` is the title.

    Raises:
        PolicySyncError: git or the git host refused.
    """
    store = GitStore(session.project.root, session.environ)
    if ways.pull_request:
        return _offered(session, store, pin, ways, message)
    file = session.project.root / file_of(pin.stage)
    file.parent.mkdir(exist_ok=True)
    file.write_text(pin_text(pin), encoding="utf-8")
    if not (ways.commit or ways.push):
        return Published(file_of(pin.stage))
    path = file_of(pin.stage)
    store.ask("add", "--", path)
    if store.run("diff", "--cached", "--quiet", "--", path).returncode:
        _ask(store, "commit", "--quiet", "-m", message, "--", path, environ=_who(store))
    commit = store.ask("rev-parse", "HEAD").decode().strip()
    branch = _push(session, store, "HEAD", _branch(store)) if ways.push else ""
    return Published(path, commit, branch)


def _offered(session: Session, store: GitStore, pin: Pin, ways: Ways, message: str) -> Published:
    base = ways.base or _branch(store)
    branch = f"policysync/{pin.stage}-{pin.id.replace('+', '-')}"[:100]
    commit = _beside(store, pin, message)
    _push(session, store, commit, branch)
    if not any(session.environ.get(known.sign) for known in FORGES.values()):
        click.echo(f"no git host is known here: open a pull request from {branch} into {base}", err=True)
        return Published(file_of(pin.stage), commit, branch)
    title, _, body = message.partition("\n")
    address = open_forge(session.environ, session.clock).pull_request(branch, base, title, body.strip())
    return Published(file_of(pin.stage), commit, branch, address)


def _beside(store: GitStore, pin: Pin, message: str) -> str:
    """Return a commit after HEAD that holds the pin; neither the work tree nor the index nor a branch is touched."""
    prefix = store.ask("rev-parse", "--show-prefix").decode().strip()
    blob = store.ask("hash-object", "-w", "--stdin", stdin=pin_text(pin).encode()).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _ask(store, "read-tree", "HEAD", environ=index)
        place = f"100644,{blob},{prefix}{file_of(pin.stage)}"
        _ask(store, "update-index", "--add", "--cacheinfo", place, environ=index)
        tree = _ask(store, "write-tree", environ=index).decode().strip()
    sign = ["-S"] if store.signs else []
    made = _ask(store, "commit-tree", *sign, tree, "-p", "HEAD", "-m", message.strip(), environ=_who(store))
    return made.decode().strip()


def _push(session: Session, store: GitStore, commit: str, branch: str) -> str:
    """Push to a branch, of our own name by force: an earlier attempt at the same release may be there."""
    remote = session.project.ledger.remote or _configured(store, f"branch.{branch}.remote") or "origin"
    force = ["--force"] if branch.startswith("policysync/") else []
    _ask(store, "push", "--quiet", *force, remote, f"{commit}:refs/heads/{branch}")
    return branch


def _branch(store: GitStore) -> str:
    done = store.run("symbolic-ref", "--quiet", "--short", "HEAD")
    if done.returncode:
        raise PolicySyncError("no branch is checked out: say with --base where the pull request goes, or check one out")
    return done.stdout.decode().strip()


def _configured(store: GitStore, name: str) -> str:
    return store.run("config", "--get", name).stdout.decode().strip()


def _who(store: GitStore) -> Mapping[str, str]:
    """Return who commits, with the stand-in where git knows nobody."""
    author = store.author()
    return {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", author.name), ("EMAIL", author.email))
    }


def _ask(store: GitStore, *args: str, environ: Mapping[str, str] | None = None) -> bytes:
    done = store.run(*args, environ=environ)
    if done.returncode:
        raise failed(args[0], done)
    return done.stdout
