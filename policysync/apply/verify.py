"""Proof that a ledger is what applies made it: nothing taken out, put in, or changed afterwards.

What is proven here needs nobody else: each commit follows from the one before it by the rules the ledger is written
by. That the chain is the one it was yesterday is proven by what this folder, and the remote, remember of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policysync.apply.chain import Link, links
from policysync.apply.gitstore import GitStore
from policysync.apply.layout import RECORD
from policysync.apply.ledger import Ledger
from policysync.apply.record import load
from policysync.apply.replay import Replay
from policysync.apply.sharedstore import SharedStore
from policysync.errors import PolicySyncError

SKEW = 600
"""Seconds by which the clocks of two machines may differ."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong with it."""

    tip: str = ""
    commits: int = 0
    signed: int = 0
    problems: tuple[str, ...] = ()


def verify(ledger: Ledger) -> Verified:
    """Check the whole ledger of a stage."""
    before = ledger.seen.tip()
    tip = ledger.store.tips(ledger.ref).get(ledger.ref, "")
    doubt = ledger.seen.doubt(ledger.store, before, tip)
    problems = [doubt] if doubt else []
    problems += _beside_the_remote(ledger, tip)
    if not tip:
        return Verified(problems=tuple(problems))
    problems += _objects(ledger.store, tip)
    if ledger.store.is_cut(tip):
        problems.append("only its newest part is here (a shallow clone); what came before is not proven")
        return Verified(tip, problems=tuple(problems))
    chain = list(links(ledger.store, tip))
    problems += [*_order(chain), *_records(ledger, chain), *_signatures(ledger.store, chain)]
    return Verified(tip, len(chain), sum(link.signed for link in chain), tuple(problems))


def _beside_the_remote(ledger: Ledger, tip: str) -> Iterator[str]:
    store = ledger.store
    if not isinstance(store, SharedStore):
        return
    if store.notice:
        yield f"{store.notice}; only what is here was checked"
        return
    theirs = store.fetched(ledger.ref)
    if tip and not theirs:
        yield f"{store.remote} has no ledger of {ledger.stage}, and this clone has one; the next apply puts it back"


def _objects(store: GitStore, tip: str) -> Iterator[str]:
    """Read every object again and hold it to its name."""
    try:
        store.ask("rev-list", "--quiet", "--verify-objects", tip, "--")
    except PolicySyncError as error:
        yield f"an object is damaged or missing: {error}"


def _order(chain: list[Link]) -> Iterator[str]:
    before: Link | None = None
    for link in chain:
        if link.parents != ((before.commit,) if before else ()):
            yield f"{link.commit[:12]}: it has {len(link.parents)} parents, want the one commit before it"
        if before and link.time < before.time - SKEW:
            yield f"{link.commit[:12]}: it is {before.time - link.time} s older than the commit before it"
        before = link


def _records(ledger: Ledger, chain: list[Link]) -> Iterator[str]:
    replay = Replay(ledger.stage)
    texts = ledger.store.contents(f"{link.commit}:{RECORD}" for link in chain)
    for link, text in zip(chain, texts, strict=True):
        try:
            record = load(text or b"", link.commit)
        except PolicySyncError as error:
            yield str(error)
            replay.take(link)
            continue
        yield from (f"{link.commit[:12]}: {said}" for said in replay.step(link, record))


def _signatures(store: GitStore, chain: list[Link]) -> Iterator[str]:
    """Check the signatures there are. Once commits are signed, one without a signature is odd."""
    signed = [link.commit for link in chain if link.signed]
    for start in range(0, len(signed), _AT_ONCE):
        some = signed[start : start + _AT_ONCE]
        if store.run("verify-commit", *some).returncode:
            yield from _bad(store, some)
    first = next((at for at, link in enumerate(chain) if link.signed), len(chain))
    bare = [link.commit[:12] for link in chain[first:] if not link.signed]
    if bare:
        yield f"{bare[0]}: it is not signed, and commits before it are; {len(bare)} such commits"


def _bad(store: GitStore, commits: list[str]) -> Iterator[str]:
    for commit in commits:
        done = store.run("verify-commit", commit)
        if done.returncode:
            said = " ".join((done.stderr or done.stdout).decode(errors="replace").split())
            yield f"{commit[:12]}: its signature does not hold: {said or 'git verify-commit says no'}"
