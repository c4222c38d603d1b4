"""Who said yes to a release: reviews on the git host, and signed commits with trailers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from policysync.clock import Clock
from policysync.documents.git import git
from policysync.documents.pin import Pin, file_of
from policysync.forges.codeowners import PLACES, owners
from policysync.forges.listed import FORGES, open_forge
from policysync.promotion.case import Approval

_FIELDS = "%x00".join(
    ("%G?", "%GS", "%(trailers:key=Approved-by,valueonly)", "%(trailers:key=Approved-release,valueonly)")
)
_ADDRESS = re.compile(r"<([^<>\s]+@[^<>\s]+)>\s*\Z|\A([^<>\s]+@[^<>\s]+)\Z")
_SHORTEST = 12


def approvals_of(
    root: Path, pin: Pin, revisions: Iterable[str], clock: Clock, environ: Mapping[str, str] = os.environ
) -> tuple[tuple[Approval, ...], str]:
    """Return who approved a release, and in words whose word counts.

    `revisions` are those that what is promoted comes from; a review counts when its author approved all of them.

    Raises:
        BackendError: the git host did not answer.
    """
    prefix = git(root, "rev-parse", "--show-prefix").decode().strip()
    path = prefix + file_of(pin.stage)
    named, revisions = _owners(root, path), frozenset(revisions)
    found = list(_signed(root, pin, named, {pin.revision, *revisions}))
    if any(environ.get(known.sign) for known in FORGES.values()):
        forge = open_forge(environ, clock)
        people = [{review.who for review in forge.approvals(path, revision)} for revision in sorted(revisions)]
        found += [Approval(who, "review") for who in sorted(set.intersection(*people) if people else set())]
    whose = f"{path} is owned by {', '.join(named)}" if named else f"CODEOWNERS names nobody for {path}"
    how = f"a signed commit with `Approved-by: NAME <ADDRESS>` and `Approved-release: {pin.stage} {pin.id}` counts"
    return tuple(found), f"{whose}; {how}"


def _owners(root: Path, path: str) -> tuple[str, ...]:
    """Return the owners as they are committed: what only lies in the work tree was approved by nobody."""
    for place in PLACES:
        text = git(root, "show", f"HEAD:{place}", missing=b"").decode(errors="replace")
        if text:
            return owners(text, path)
    return ()


def _signed(root: Path, pin: Pin, named: tuple[str, ...], revisions: Iterable[str]) -> Iterator[Approval]:
    """Yield the approvals in commits after the revision whose signature git trusts.

    The signer has to be who the trailer names, not an author of the revisions and not who promotes.
    """
    asking = {*_authors(root, revisions), git(root, "config", "user.email", missing=b"").decode().strip().lower()}
    owning = {name.lower() for name in named}
    span = f"{pin.revision}..HEAD"
    listed = git(root, "log", "-z", "--extended-regexp", "--grep=^Approved-by:", f"--format={_FIELDS}%x01", span)
    for entry in listed.decode(errors="replace").split("\x01"):
        good, signer, by, release = ([*entry.lstrip("\0\n").split("\0"), "", "", "", ""])[:4]
        address = _address(by.strip().splitlines()[0]) if by.strip() else ""
        mine = any(_names(line, pin) for line in release.splitlines())
        if good != "G" or not mine or not address or address in asking or not _is(signer, address):
            continue
        if not named or address in owning:
            yield Approval(address, "signed commit")


def _authors(root: Path, revisions: Iterable[str]) -> Iterator[str]:
    """Yield who wrote revisions; for a merge also who wrote what it brought."""
    for revision in revisions:
        for commits in (("-1", revision), (f"{revision}^1..{revision}",)):
            yield from git(root, "log", "--format=%ae", *commits, "--", missing=b"").decode().lower().split()


def _names(line: str, pin: Pin) -> bool:
    """Return whether a trailer names this release in this stage; only a plain revision may be cut short."""
    stage, _, release = line.strip().partition(" ")
    short = not pin.resources and len(release) >= _SHORTEST and pin.id.startswith(release)
    return stage == pin.stage and (release == pin.id or short)


def _is(signer: str, address: str) -> bool:
    return _address(signer) == address


def _address(text: str) -> str:
    found = _ADDRESS.search(text.strip())
    return (found[1] or found[2]).lower() if found else ""
