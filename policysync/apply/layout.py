"""Where things stand in the ledger's tree.

record.json                                      the apply this commit is about
salt                                             what the digests of secrets are made with
last-applied/<target>/<Kind>/<name>.json         what git stated when it was last applied
unrepaired/<target>/<Kind>/<name>.json           a change that did not succeed, until a later apply makes up for it
adopted/<target>/<Kind>/<name>.json              what live was like when it was taken into git, until it is applied
open/<apply id>/record.json                      an apply that began and did not end yet
open/<apply id>/stated/<Kind>/<name>.json        what it would make last-applied
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from policysync.state.resource import Address

RECORD = "record.json"
SALT = "salt"
LEDGERS = "refs/policysync/ledger/"
LOCKS = "refs/policysync/lock/"


def ref_of(stage: str) -> str:
    """Return the ref of a stage's ledger."""
    return LEDGERS + encode(stage)


def lock_ref(target: str) -> str:
    """Return the ref that is the lock of a target."""
    return LOCKS + encode(target)


def encode(name: str) -> str:
    """Return a name as one step of a path or a ref that no git and no file system trips over."""
    text = quote(name, safe="").replace("~", "%7E")
    return text.replace(".", "%2E") if text.startswith(".") or ".." in text or text.endswith(".lock") else text


def last_applied_folder(target: str) -> str:
    """Return the folder of what was last applied to a target."""
    return f"last-applied/{encode(target)}/"


def unrepaired_folder(target: str) -> str:
    """Return the folder of what an apply to a target left undone."""
    return f"unrepaired/{encode(target)}/"


def adopted_folder(target: str) -> str:
    """Return the folder of what was taken into git from a target, and not applied yet."""
    return f"adopted/{encode(target)}/"


def open_folder(apply: str) -> str:
    """Return the folder of an apply that has not ended."""
    return f"open/{encode(apply)}/"


def stated_folder(apply: str) -> str:
    """Return the folder of what an apply that has not ended would make last-applied."""
    return f"{open_folder(apply)}stated/"


def file_of(folder: str, address: Address) -> str:
    """Return the path of a resource below `folder`."""
    return f"{folder}{encode(address.kind)}/{encode(address.name)}.json"


def address_of(folder: str, path: str) -> Address:
    """Return the resource a path below `folder` is about; the inverse of `file_of`."""
    kind, _, name = path.removeprefix(folder).removesuffix(".json").partition("/")
    return Address(unquote(kind), unquote(name))
