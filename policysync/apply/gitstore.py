"""A ref of git as a store of small files: read in two processes and written in two, however many files there are.

Nothing here touches the work tree, the index or a branch. It works in a repository without any commit.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from policysync.apply.holding import HOLDING, LISTED, left, new_ref
from policysync.errors import PolicySyncError
from policysync.secret import MASK, told

NOBODY = ("policysync", "policysync@localhost")

# A hook runs with these set, relative to another folder than the one git is asked about here.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


class RefMoved(PolicySyncError):
    """Somebody else wrote the ref meanwhile; nothing of ours was kept."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who a commit is by."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class GitStore:
    """Files below a ref. `notice` is a sentence about what cannot be known at the moment, or empty.

    Raises:
        PolicySyncError: git refused, with what it said.
    """

    shared = False

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.root = root
        self.notice = ""
        # What `git replace` puts in place of a commit was never part of the chain.
        ours = {"LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1"}
        self._environ = {name: value for name, value in environ.items() if name not in _FOREIGN} | ours

    def inside(self) -> bool:
        """Say whether the folder belongs to a git repository."""
        done = self.run("rev-parse", "--git-dir")
        if done.returncode and b"not a git repository" not in done.stderr:
            raise failed("rev-parse", done)
        return not done.returncode

    def refresh(self) -> None:
        """Look at what others wrote; here nobody has to be asked."""

    @cached_property
    def _config(self) -> dict[str, str]:
        """What git is configured to; a name without a value is switched on."""
        lines = self.run("config", "-z", "--get-regexp", r"^(user\.(name|email)|commit\.gpgsign)$").stdout.decode()
        pairs = (line.partition("\n") for line in lines.split("\0") if line)
        return {name: value if sign else "true" for name, sign, value in pairs}

    @property
    def signs(self) -> bool:
        """Whether git is configured to sign commits."""
        return self._config.get("commit.gpgsign", "").lower() in ("true", "yes", "on", "1")

    def author(self) -> Author:
        """Return git's own user; a stand-in where git has none."""
        name = self._environ.get("GIT_COMMITTER_NAME") or self._config.get("user.name") or NOBODY[0]
        email = self._environ.get("GIT_COMMITTER_EMAIL") or self._config.get("user.email") or NOBODY[1]
        return Author(_plain(name), _plain(email))

    def tips(self, prefix: str) -> dict[str, str]:
        """Return the commits of all refs below `prefix`, by ref."""
        text = self.ask("for-each-ref", "--format=%(refname) %(objectname)", prefix).decode()
        return dict(line.split(" ", 1) for line in text.splitlines())

    def tree(self, commit: str) -> dict[str, str]:
        """Return every path of a commit with its blob."""
        listing = self.ask("ls-tree", "-r", "-z", "--full-tree", commit)
        entries = (entry.split(b"\t", 1) for entry in listing.split(b"\0") if entry)
        return {path.decode(): about.rsplit(b" ", 1)[1].decode() for about, path in entries}

    def commits(self, tip: str) -> list[str]:
        """Return a commit and those before it, the newest first."""
        return self.ask("rev-list", "--first-parent", tip).decode().split()

    def contains(self, commit: str, older: str) -> bool:
        """Say whether a commit is another one or comes after it."""
        return commit == older or not self.run("merge-base", "--is-ancestor", older, commit).returncode

    def is_cut(self, tip: str) -> bool:
        """Say whether the history below a commit was left out when it was fetched (a shallow clone)."""
        file = self.root / self.ask("rev-parse", "--git-path", "shallow").decode().rstrip("\n")
        return file.exists() and not set(file.read_text().split()).isdisjoint(self.commits(tip))

    def read(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield what each name (`blob` or `commit:path`) holds, in order; nothing for one that is not there."""
        yield from (content for content in self.contents(names) if content is not None)

    def contents(self, names: Iterable[str]) -> Iterator[bytes | None]:
        """Yield what each name holds, in order; None for one that is not there."""
        wanted = "".join(f"{name}\n" for name in names).encode()
        if not wanted:
            return
        answer = self.ask("cat-file", "--batch", "--buffer", stdin=wanted)
        at = 0
        while at < len(answer):
            end = answer.index(b"\n", at)
            line, at = answer[at:end], end + 1
            if line.endswith(b" missing"):
                yield None
                continue
            size = int(line.rsplit(b" ", 1)[1])
            yield answer[at : at + size]
            at += size + 1

    def commit(
        self,
        ref: str,
        parent: str,
        files: Mapping[str, bytes | None],
        *,
        message: str,
        author: Author,
        at: datetime,
        sign: bool = False,
    ) -> str:
        """Add a commit to `ref` and return it. None takes a file away; an empty `parent` means a new ref.

        With `sign` it is signed where git is configured to sign commits.

        Raises:
            RefMoved: the ref is no longer at `parent`.
        """
        written = self._write(parent, files, message, f"{author} {int(at.timestamp())} +0000")
        if sign and self.signs:
            written = self._signed(parent, written, message, author, at)
        return self._swap(ref, parent, written)

    def delete(self, ref: str, tip: str) -> None:
        """Take a ref away.

        Raises:
            RefMoved: the ref is no longer at `tip`.
        """
        done = self.run("update-ref", "-d", ref, tip)
        if done.returncode:
            raise RefMoved(f"{ref} was written by another run") from failed("update-ref", done)

    def sweep(self, now: datetime) -> None:
        """Take away what writers left behind that were killed before their ref had what they wrote."""
        listed = self.ask("for-each-ref", f"--format={LISTED}", HOLDING).decode()
        gone = "".join(f"delete {ref}\n" for ref in left(listed.splitlines(), now))
        if gone:
            # Whoever sweeps at the same time may be faster.
            self.run("update-ref", "--stdin", stdin=gone.encode())

    def _write(self, parent: str, files: Mapping[str, bytes | None], message: str, who: str) -> tuple[str, str]:
        """Return a new commit and the ref that holds it for the moment."""
        holding = new_ref()
        said = message.encode()
        parts = [f"commit {holding}\nmark :1\nauthor {who}\ncommitter {who}\ndata {len(said)}\n".encode(), said, b"\n"]
        if parent:
            parts.append(f"from {parent}\n".encode())
        for path, content in files.items():
            if content is None:
                parts.append(f"D {path}\n".encode())
            else:
                parts += (f"M 100644 inline {path}\ndata {len(content)}\n".encode(), content, b"\n")
        parts.append(b"\nget-mark :1\ndone\n")
        answer = self.ask("fast-import", "--quiet", "--done", stdin=b"".join(parts))
        return answer.decode().strip(), holding

    def _signed(
        self, parent: str, written: tuple[str, str], message: str, author: Author, at: datetime
    ) -> tuple[str, str]:
        """Return the commit again, made by git's own command, which knows every way to sign."""
        unsigned, holding = written
        who = {"NAME": author.name, "EMAIL": author.email, "DATE": f"{int(at.timestamp())} +0000"}
        environ = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in who.items()}
        after = ["-p", parent] if parent else []
        args = ("commit-tree", "-S", *after, "-F", "-", f"{unsigned}^{{tree}}")
        done = self.run(*args, stdin=message.encode(), environ=environ)
        if done.returncode:
            self.ask("update-ref", "-d", holding)
            raise failed("commit-tree", done)
        commit = done.stdout.decode().strip()
        self.ask("update-ref", holding, commit)
        return commit, holding

    def _swap(self, ref: str, parent: str, written: tuple[str, str]) -> str:
        commit, holding = written
        move = f"update {ref} {commit} {parent}\n" if parent else f"create {ref} {commit}\n"
        done = self.run("update-ref", "--stdin", stdin=f"{move}delete {holding}\n".encode())
        if not done.returncode:
            return commit
        self.ask("update-ref", "-d", holding)
        if self.tips(ref).get(ref, "") != parent:
            raise RefMoved(f"{ref} was written by another run")
        raise failed("update-ref", done)

    def ask(self, *args: str, stdin: bytes = b"") -> bytes:
        """Return what git prints.

        Raises:
            PolicySyncError: git refused.
        """
        done = self.run(*args, stdin=stdin)
        if done.returncode:
            raise failed(args[0], done)
        return done.stdout

    def run(
        self, *args: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git in the repository and return how it ended; `environ` is added to what it knows."""
        command = ["git", "-C", str(self.root), *args]
        environment = {**self._environ, **(environ or {})}
        try:
            return subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
        except FileNotFoundError as error:
            raise PolicySyncError("git is not installed, or not on the PATH") from error


def blob_id(content: bytes, like: str) -> str:
    """Return the name git gives to a blob, in the hash that the name `like` was made with."""
    algorithm = hashlib.sha256 if len(like) == 64 else hashlib.sha1  # the repository chose it, for naming only
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()


def _plain(text: str) -> str:
    return "".join(c for c in text if c not in "<>\n\0").strip()


def failed(verb: str, done: subprocess.CompletedProcess[bytes]) -> PolicySyncError:
    """Return the error that says what git said."""
    lines = (
        line.strip().removesuffix(".") for line in (done.stderr or done.stdout).decode(errors="replace").splitlines()
    )
    said = "; ".join(line for line in lines if line)
    # An address may hold a token, and git repeats the address.
    said = told(re.sub(r"://[^/@\s]+@", f"://{MASK}@", said))
    return PolicySyncError(f"git {verb} failed: {said or f'exit status {done.returncode}'}")
