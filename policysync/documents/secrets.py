"""References to secrets → `Secret`s."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from policysync.documents.expand import secret_trouble
from policysync.errors import PolicySyncError
from policysync.secret import Secret

_BYTES = 64 * 1024


def resolver(environ: Mapping[str, str], root: Path) -> Callable[[str], Secret]:
    """Return what resolves `${env:NAME}` and `${file:PATH}`.

    A relative path starts at the policy root and may not leave it, not even through a symbolic link; an absolute
    path says openly where it leads. One line break at the end of a file is not part of the secret.
    The function returned raises PolicySyncError when there is nothing behind a reference.
    """
    inside = root.resolve()

    def resolve(reference: str) -> Secret:
        trouble = secret_trouble(reference)
        if trouble:
            raise PolicySyncError(trouble)
        scheme, _, name = reference[2:-1].partition(":")
        value = environ.get(name, "") if scheme == "env" else _from_file(inside, name)
        if not value:
            empty = "is not set, or is empty" if scheme == "env" else "is empty"
            raise PolicySyncError(f"{reference}: {name} {empty}")
        return Secret(value, reference)

    return resolve


def _from_file(root: Path, name: str) -> str:
    path = root / name
    if not Path(name).is_absolute() and not path.resolve().is_relative_to(root):
        raise PolicySyncError(f"${{file:{name}}}: leads out of the policy root; want a path inside it")
    try:
        if path.stat().st_size > _BYTES:
            raise PolicySyncError(f"${{file:{name}}}: holds more than {_BYTES} bytes; that is no secret")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicySyncError(f"${{file:{name}}}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicySyncError(f"${{file:{name}}}: is not text in UTF-8") from error
    return text.removesuffix("\n").removesuffix("\r")
