"""References to secrets → `Secret`s."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from policysync.documents.secret_reference import parts, secret_trouble
from policysync.documents.secret_sources import from_command, from_env, from_file
from policysync.documents.secret_stores import from_aws, from_keyring, from_vault
from policysync.errors import PolicySyncError
from policysync.secret import Secret


def resolver(environ: Mapping[str, str], root: Path, *, commands: bool = False) -> Callable[[str], Secret]:
    """Return what resolves references to secrets; each is looked up once, from whatever thread.

    A relative path starts at the policy root and may not leave it, not even through a symbolic link; an absolute
    path says openly where it leads. One line break at the end of a file is not part of the secret.
    The function returned raises PolicySyncError when there is nothing behind a reference.

    Args:
        commands: `${cmd:…}` is run; right for policysync.yaml and never for documents.
    """
    inside = root.resolve()
    sources: Mapping[str, Callable[[str], str]] = {
        "env": lambda name: from_env(environ, name),
        "file": lambda name: from_file(inside, name),
        "cmd": lambda name: from_command(inside, environ, name),
        "keyring": from_keyring,
        "vault": lambda name: from_vault(environ, name),
        "aws-secret": lambda name: from_aws(environ, name),
    }
    known: dict[str, Secret] = {}
    lock = threading.Lock()

    def resolve(reference: str) -> Secret:
        trouble = secret_trouble(reference, commands=commands)
        if trouble:
            raise PolicySyncError(trouble)
        with lock:
            if reference not in known:
                scheme, name = parts(reference)
                known[reference] = Secret(sources[scheme](name), reference)
            return known[reference]

    return resolve
