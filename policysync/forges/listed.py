"""Every forge policysync knows. Another one is one module that has the methods of `port.Forge`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from policysync.clock import Clock
from policysync.errors import PolicySyncError
from policysync.forges.port import Forge


@dataclass(frozen=True, slots=True)
class Known:
    """Where a forge is found: `module` has `connect(environ, clock) -> Forge` and needs the extra of that name.

    `sign` is the environment variable by which a pipeline of it is known.
    """

    module: str
    extra: str
    sign: str


FORGES: Mapping[str, Known] = {
    "github": Known("policysync.forges.github", "github", "GITHUB_REPOSITORY"),
}


def open_forge(environ: Mapping[str, str], clock: Clock, name: str = "") -> Forge:
    """Return the forge called `name`, or the one this pipeline belongs to.

    Raises:
        PolicySyncError: there is none, its library is not installed, or the environment lacks what it needs.
    """
    known = FORGES.get(name) if name else next((one for one in FORGES.values() if environ.get(one.sign)), None)
    if known is None:
        signs = ", ".join(one.sign for one in FORGES.values())
        raise PolicySyncError(f"no git host is known here: the environment has no {signs}; docs/github.md says more")
    try:
        module = import_module(known.module)
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("policysync"):
            raise
        raise PolicySyncError(f"this needs a library more: pip install 'policysync[{known.extra}]'") from error
    forge: Forge = module.connect(environ, clock)
    return forge
