"""Files on their way to others, a pin or documents: written, committed, pushed, or offered as a pull request."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import click

from policysync.apply.gitstore import GitStore, failed
from policysync.commands.session import Session
from policysync.documents.git import git
from policysync.documents.pin import Pin, file_of, read_pin
from policysync.documents.project import Stage
from policysync.documents.source_file import SourceFile
from policysync.errors import InvalidInput, PolicySyncError
from policysync.forges.listed import FORGES, open_forge
from policysync.promotion.releases import pin_text


@dataclass(frozen=True, slots=True)
class Ways:
    """How far files go. `push` commits as well; `pull_request` and `branch` leave the work tree and its branch alone.

    `branch` is the one to make, in place of the usual name; `base` is where the pull request goes.
    """

    commit: bool = False
    push: bool = False
    pull_request: bool = False
    base: str = ""
    branch: str = ""

    @property
    def asked(self) -> bool:
        """Whether files go further than the work tree."""
        return self.commit or self.push or self.beside

    @property
    def beside(self) -> bool:
        """Whether the commit is made beside what is checked out."""
        return self.pull_request or bool(self.branch)


@dataclass(frozen=True, slots=True)
class Published:
    """Where the files are now; empty attributes did not happen. `file` is that of a pin."""

    file: str = ""
    commit: str = ""
    branch: str = ""
    pull_request: str = ""


def committed_pin(session: Session, stage: Stage) -> Pin | None:
    """Return the pin of a stage as it is committed; None when none is, or it is wrong."""
    path = file_of(stage.name)
    content = git(session.project.root, "show", f"HEAD:./{path}", missing=b"")
    try:
        return read_pin(SourceFile(path, content), lambda _: True) if content else None
    except InvalidInput:
        return None


def publish(session: Session, pin: Pin, ways: Ways, message: str) -> Published:
    """Write a pin, and do with it what was asked. The first line of `message` is the title.

    Raises:
        PolicySyncError: git or the git host refused.
    """
    path = file_of(pin.stage)
    branch = f"policysync/{pin.stage}-{pin.id.replace('+', '-')}"[:100]
    text = (_offered_before(session, pin, ways.branch or branch) if ways.beside else "") or pin_text(pin)
    return replace(publish_files(session, {path: text}, ways, message, branch), file=path)


def _offered_before(session: Session, pin: Pin, branch: str) -> str:
    """Return what a branch says that offers the same pin already; only when and how it was judged may differ."""
    store = GitStore(session.project.root, session.environ)
    path = file_of(pin.stage)
    tip = _fetched(session, store, branch)
    content = next(store.read([f"{tip}:{_prefix(store)}{path}"]), b"") if tip else b""
    try:
        same = bool(content) and read_pin(SourceFile(path, content), lambda _: True) == pin
    except InvalidInput:
        same = False
    return content.decode() if same else ""


def publish_files(session: Session, files: Mapping[str, str], ways: Ways, message: str, branch: str) -> Published:
    """Write files, by their paths below the policy root, and do with them what was asked.

    `branch` is the name for a branch of their own.

    Raises:
        PolicySyncError: git or the git host refused.
    """
    store = GitStore(session.project.root, session.environ)
    if ways.push or ways.pull_request:
        _hold_to_remote(session, store)
    if ways.beside:
        return _offered(session, store, files, replace(ways, branch=ways.branch or branch), message)
    for path, text in files.items():
        file = session.project.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    if not (ways.commit or ways.push):
        return Published()
    store.ask("add", "--", *files)
    if store.run("diff", "--cached", "--quiet", "--", *files).returncode:
        _ask(store, "commit", "--quiet", "-m", message, "--", *files, environ=_who(store))
    commit = store.ask("rev-parse", "HEAD").decode().strip()
    if not ways.push:
        return Published("", commit)
    try:
        return Published("", commit, _push(session, store, "HEAD", _branch(store)))
    except PolicySyncError as error:
        raise PolicySyncError(f"{error}\ncommitted as {commit[:12]}, and not pushed") from error


def _offered(session: Session, store: GitStore, files: Mapping[str, str], ways: Ways, message: str) -> Published:
    commit, branch = _beside(store, files, message), ways.branch
    if not (ways.push or ways.pull_request):
        # Nothing is pushed, so the branch is made here; one that is there already is somebody's.
        _ask(store, "update-ref", f"refs/heads/{branch}", commit, "0" * len(commit))
        return Published("", commit, branch)
    base = (ways.base or _branch(store)) if ways.pull_request else ""
    commit = _standing(session, store, files, commit, branch) or _pushed(session, store, commit, branch)
    if not ways.pull_request:
        return Published("", commit, branch)
    if not any(session.environ.get(known.sign) for known in FORGES.values()):
        click.echo(f"no git host is known here: open a pull request from {branch} into {base}", err=True)
        return Published("", commit, branch)
    title, _, body = message.partition("\n")
    address = open_forge(session.environ, session.clock).pull_request(branch, base, title, body.strip())
    return Published("", commit, branch, address)


def _beside(store: GitStore, files: Mapping[str, str], message: str) -> str:
    """Return a commit after HEAD that holds the files; neither the work tree nor the index nor a branch is touched."""
    prefix = _prefix(store)
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        _ask(store, "read-tree", "HEAD", environ=index)
        for path, text in files.items():
            blob = store.ask("hash-object", "-w", "--stdin", stdin=text.encode()).decode().strip()
            _ask(store, "update-index", "--add", "--cacheinfo", f"100644,{blob},{prefix}{path}", environ=index)
        tree = _ask(store, "write-tree", environ=index).decode().strip()
    sign = ["-S"] if store.signs else []
    made = _ask(store, "commit-tree", *sign, tree, "-p", "HEAD", "-m", message.strip(), environ=_who(store))
    return made.decode().strip()


def _standing(session: Session, store: GitStore, files: Mapping[str, str], commit: str, branch: str) -> str:
    """Return the tip of a branch that offers the same already; to push it anew would take its reviews away."""
    tip = _fetched(session, store, branch)
    if not tip:
        return ""
    pairs = ((tip, commit), (f"{tip}^", f"{commit}^"))
    same = all(not store.run("diff", "--quiet", one, other, "--", *files).returncode for one, other in pairs)
    return tip if same else ""


def _fetched(session: Session, store: GitStore, branch: str) -> str:
    """Return the tip of a branch of the remote; nothing when there is none."""
    if store.run("fetch", "--quiet", _remote(session, store, branch), f"refs/heads/{branch}").returncode:
        return ""
    return store.ask("rev-parse", "FETCH_HEAD").decode().strip()


def _prefix(store: GitStore) -> str:
    return store.ask("rev-parse", "--show-prefix").decode().strip()


def _pushed(session: Session, store: GitStore, commit: str, branch: str) -> str:
    _push(session, store, commit, branch)
    return commit


def _push(session: Session, store: GitStore, commit: str, branch: str) -> str:
    """Push to a branch, of our own name by force: an earlier attempt at the same release may be there."""
    force = ["--force"] if branch.startswith("policysync/") else []
    _ask(store, "push", "--quiet", *force, _remote(session, store, branch), f"{commit}:refs/heads/{branch}")
    return branch


def _hold_to_remote(session: Session, store: GitStore) -> None:
    """Go on only where there is something to push to: noticed later, a commit would stand that nobody asked for."""
    remote = _remote(session, store, store.run("branch", "--show-current").stdout.decode().strip())
    # git also takes an address in the place of a name.
    if not {"/", ":"} & set(remote) and store.run("remote", "get-url", remote).returncode:
        raise PolicySyncError(f"there is no remote {remote} to push to; `git remote add {remote} URL` adds it")


def _remote(session: Session, store: GitStore, branch: str) -> str:
    return session.project.ledger.remote or _configured(store, f"branch.{branch}.remote") or "origin"


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
