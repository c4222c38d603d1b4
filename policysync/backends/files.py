"""Rendered artefacts in a folder, as a backend: for teams whose Argo CD, Flux or pipeline does the installing.

    options: {path: deploy/prod}

Each resource has a folder KIND/NAME with its artefacts and `.policysync.json`, which says what they were made of. Live
is what that file says, as long as the artefacts are still those that were written.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from policysync.backends.means import Means
from policysync.backends.port import Backend, Facts
from policysync.documents.project import Target
from policysync.errors import NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.render.artefact import PLACEHOLDER, Artefact
from policysync.render.listed import RENDERERS, Renderer
from policysync.secret import Secret
from policysync.state.normalize import live_spec, new_spec
from policysync.state.resource import Address, Resource

RECORD = ".policysync.json"
_BOUND = ("context", "kubeconfig_env", "account", "region")
"""Options by which documents tell one target from another."""
_VERSION = 1
_INSTALLS = frozenset({"kubernetes", "helm", "cloudformation"})


class Files:
    """A folder of artefacts; see `port.Backend`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def probe(self) -> Facts:
        """Say which folder it is; see `port.Backend`."""
        return Facts(version="files", identity=f"files:{self._folder}")

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """A folder is found without it; see `port.Backend`."""

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the resources that have artefacts; see `port.Backend`."""
        for name in self.list(kind):
            if names is None or name in names:
                yield self._read(kind, name)

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the resources that have artefacts."""
        _renderer(kind)
        yield from sorted(unquote(record.parent.name) for record in (self._folder / kind.name).glob(f"*/{RECORD}"))

    def write(self, change: Change, kind: Kind) -> None:
        """Write the artefacts of a resource, or take them away; see `port.Backend`."""
        folder = self._place(kind, change.address.name)
        if change.action is Action.DELETE:
            shutil.rmtree(folder, ignore_errors=True)
            return
        if change.after is None:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
        spec = new_spec(kind, change.after.spec)
        artefacts = _renderer(kind)(Resource(change.address, spec), kind)
        for artefact in artefacts:
            _refuse_secret(change.address, artefact)
        record = {"version": _VERSION, "spec": spec, "files": {a.name: _digest(a.text) for a in artefacts}}
        text = json.dumps(record, indent=1, sort_keys=True, default=_no_secret) + "\n"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for artefact in artefacts:
            (folder / artefact.name).write_text(artefact.text, encoding="utf-8")
        (folder / RECORD).write_text(text, encoding="utf-8")

    def close(self) -> None:
        """Nothing to let go of."""

    def _place(self, kind: Kind, name: str) -> Path:
        return self._folder / kind.name / quote(name, safe=" ")

    def _read(self, kind: Kind, name: str) -> Resource:
        folder = self._place(kind, name)
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            spec, files = record["spec"], record["files"]
        except (OSError, ValueError, KeyError, TypeError):
            # Without a record nobody knows what the artefacts say: they are written again.
            spec, files = {}, {}
        edited = [file for file, digest in files.items() if _digest_of(folder / file) != digest]
        if edited and "foreign" in kind.root.properties:
            spec = {**spec, "foreign": [f"file {file}" for file in edited]}
        elif edited:
            spec = {}
        key = dict.fromkeys(kind.key[:1], name) if len(kind.key) == 1 else {}
        return Resource(Address(kind.name, name), live_spec(kind, {**spec, **key}))


def files(target: Target, means: Means) -> Backend:
    """Return the folder of a target.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    path = target.options.get("path")
    if set(target.options) - {"path", *_BOUND} or not isinstance(path, str) or not path:
        raise Refused(
            "a files target wants options: {path: FOLDER}, and `context`, `account` or `region` where documents say"
        )
    folder = (means.root / path).resolve()
    if not folder.is_relative_to(means.root.resolve()):
        raise Refused(f"options.path {path} leads out of the policy root")
    return Files(folder)


def in_place_of(target: Target, folder: Path) -> Target | None:
    """Return the target that keeps artefacts below a folder instead of installing them; None where there are none."""
    if target.backend not in _INSTALLS:
        return None
    bound = {name: target.options[name] for name in _BOUND if name in target.options}
    return Target(target.name, "files", options={"path": str(folder / target.name), **bound})


def _renderer(kind: Kind) -> Renderer:
    found = RENDERERS.get(kind.schema.get("x-render", {}).get("by", ""))
    if found is None:
        raise NotServed(f"there are no artefacts of {kind.name}; `policysync kinds` says who serves it", "not-rendered")
    return found


def _refuse_secret(address: Address, artefact: Artefact) -> None:
    if artefact.secret or PLACEHOLDER in artefact.text:
        raise Refused(
            f"{address}: {artefact.name} would hold a secret, and git must not; name a kubernetesSecret instead, or"
            " have a target of its own apply it"
        )


def _no_secret(value: Any) -> Any:
    if isinstance(value, Secret):
        raise Refused("a secret stands in the document, and a file in git must not hold it")
    raise TypeError(type(value).__name__)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _digest_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
