"""The secrets a connector uses → where they are kept, as far as that can be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from policysync.backends.helm.secrets import Held, Vault
from policysync.backends.secret_source import another
from policysync.render.aqua_helm import stated

Holdings = Mapping[str, Held]
"""What a target holds for each member of a login, in the order of its fingerprint."""


class Seen(NamedTuple):
    """Where each secret of a login is kept, and the members whose secret got another value there since."""

    sources: dict[str, Any]
    rotated: tuple[str, ...]


def seen(vault: Vault, held: Holdings, declared: Mapping[str, Any], mark: str) -> Seen:
    """Return where the secrets in use are kept.

    Whoever sends a secret writes the fingerprint of the login. While that fits what the target holds, nobody touched
    it there: what differs then was rotated at its place.

    Args:
        declared: the login as git has it.
        mark: the fingerprint, empty where there is none.
    """
    sources: dict[str, Any] = {}
    rotated = []
    untouched = vault.marked(mark, held.values())
    for name, one in held.items():
        wanted = stated(declared.get(name))
        if isinstance(one, Mapping):
            place = {"kubernetesSecret": dict(one)}
            # The pods read it when they started; the mark is of what they read.
            moved, known = untouched is False, _same_place(wanted, one)
            sources[name] = another(place) if moved else place
        else:
            same = bool(wanted and one) and vault.same(wanted, one)
            moved, known = bool(wanted) and not same and bool(untouched), True
            sources[name] = wanted if same else another(wanted) if moved else {}
        if moved and known:
            rotated.append(name)
    return Seen(sources, tuple(rotated))


def _same_place(wanted: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    where = wanted.get("kubernetesSecret") or {}
    return all(where.get(member) == held.get(member) for member in ("name", "key"))
