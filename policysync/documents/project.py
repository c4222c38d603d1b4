"""policysync.yaml: stages in order, their targets, guards, gates and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from policysync.documents.accepted import Accepted, accepted
from policysync.documents.attest_settings import AttestSettings, attest_settings
from policysync.documents.cache import NoCache, ParseCache
from policysync.documents.gate_settings import GateSettings, gate_settings
from policysync.documents.guard_settings import GuardSettings, forbidden, guard_settings
from policysync.documents.parse import only_one, places_of
from policysync.documents.places import Places, Refusals
from policysync.documents.section import Section, shown
from policysync.documents.source_file import SourceFile, blob_id, too_big
from policysync.documents.suggest import did_you_mean, one_of
from policysync.errors import InvalidInput, Location, PolicySyncError, Problem

FILES = ("policysync.yaml", "policysync.yml")
BACKENDS = ("aqua", "kubernetes", "helm", "cloudformation", "skyhigh", "apono", "files", "memory")
_TARGET = ("name", "backend", "url", "auth", "options")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Target(NamedTuple):
    """One console, cluster or account. References in `auth` are unresolved; `options` belong to the backend."""

    name: str
    backend: str
    url: str = ""
    auth: Mapping[str, Any] = _NOTHING
    options: Mapping[str, Any] = _NOTHING


class Stage(NamedTuple):
    """One stage. The first one follows the branch that is checked out, the others follow their pins.

    `forbid_allow` are guards that nobody may lift there, `*` for all. `gates` is as it stands in the file,
    `gate_settings` what it means.
    """

    name: str
    targets: tuple[Target, ...] = ()
    vars: Mapping[str, Any] = _NOTHING
    gates: Mapping[str, Any] = _NOTHING
    first: bool = False
    forbid_allow: tuple[str, ...] = ()
    gate_settings: GateSettings = GateSettings()


class Limits(NamedTuple):
    """How hard a target may be driven: requests at once, requests a second, and seconds a request may take."""

    parallelism: int = 10
    requests_per_second: float = 10.0
    timeout: float = 30.0


class LedgerSettings(NamedTuple):
    """Which git remote the ledger is shared through; None keeps it in the local repository."""

    remote: str | None = None


class Project(NamedTuple):
    """A policy repository.

    `guards` is as it stands in the file, `guard_settings` what it means. `schemas` are folders with further kinds.
    `external` are patterns (`Registry/foo`, `Label/*`) of resources that may be referred to without being in git.
    """

    root: Path
    stages: tuple[Stage, ...] = ()
    guards: Mapping[str, Any] = _NOTHING
    limits: Limits = Limits()
    ledger: LedgerSettings = LedgerSettings()
    schemas: tuple[Path, ...] = ()
    external: tuple[str, ...] = ()
    guard_settings: GuardSettings = GuardSettings()
    accepted: tuple[Accepted, ...] = ()
    attest: AttestSettings = AttestSettings()

    def stage(self, name: str) -> Stage:
        """Return a stage.

        Raises:
            PolicySyncError: there is no such stage.
        """
        for stage in self.stages:
            if stage.name == name:
                return stage
        names = [stage.name for stage in self.stages]
        hint = did_you_mean(name, names) or f"; want one of {one_of(names)}"
        raise PolicySyncError(f"policysync.yaml has no stage `{name}`{hint}")


def find_root(start: Path) -> Path:
    """Return the folder with policysync.yaml, from `start` upward.

    Raises:
        PolicySyncError: there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if any((folder / name).is_file() for name in FILES):
            return folder
    raise PolicySyncError(f"no policysync.yaml in {start.resolve()} or above it; `policysync init` makes one")


def load_project(root: Path, environ: Mapping[str, str], cache: ParseCache | None = None) -> Project:
    """Read policysync.yaml. `POLICYSYNC_PARALLELISM` and its like win over the file.

    Raises:
        InvalidInput: something in it is wrong; carries every problem.
        PolicySyncError: there is no such file.
    """
    file = next((name for name in FILES if (root / name).is_file()), None)
    if file is None:
        raise PolicySyncError(f"no policysync.yaml in {root}; `policysync init` makes one")
    cache = cache or NoCache()
    top, refusals = _open(root, file, cache)
    top.only("version", "stages", "guards", "limits", "ledger", "schemas", "references", "accepted", "attest")
    if top.value.get("version") != 1:
        top.refuse("version" if "version" in top.value else "", "want `version: 1`", "version")
    stages = tuple(_stages(root, top, refusals, cache))
    guards = top.section("guards")
    project = Project(
        root=root,
        stages=stages,
        guards=guards.value,
        limits=_limits(top.section("limits"), environ, refusals),
        ledger=_ledger(top.section("ledger"), environ),
        schemas=tuple(_folders(root, top)),
        external=_external(top.section("references")),
        guard_settings=guard_settings(guards, tuple(stage.name for stage in stages)),
        accepted=accepted(top, tuple(stage.name for stage in stages)),
        attest=attest_settings(top.section("attest")),
    )
    if refusals.problems:
        raise InvalidInput(refusals.problems)
    return project


def _open(root: Path, file: str, cache: ParseCache) -> tuple[Section, Refusals]:
    try:
        content = (root / file).read_bytes()
    except OSError as error:
        raise PolicySyncError(f"{root / file} cannot be read: {error.strerror}") from error
    refusal = too_big(file, len(content))
    if refusal and refusal.problem:
        raise InvalidInput([refusal.problem])
    value = only_one(*cache.parse(SourceFile(file, content, blob_id(content))), file)
    refusals = Refusals(file)

    @lru_cache(maxsize=1)
    def places() -> Places:
        found = places_of(content, file)
        return found[0] if found else Places()

    return Section({} if value is None else value, "", places, refusals), refusals


def _stages(root: Path, top: Section, refusals: Refusals, cache: ParseCache) -> Iterator[Stage]:
    seen: set[str] = set()
    targets_seen: set[str] = set()
    for index, section in enumerate(top.sections("stages", required=True)):
        section.only("name", "targets", "targets_from", "vars", "gates", "forbid_allow")
        name = section.text("name", required=True)
        if "/" in name or name.startswith("."):
            section.refuse("name", f"stage `{name}` cannot be the name of a folder; want letters and digits", "name")
        if name in seen:
            section.refuse("name", f"a second stage `{name}`; want a name of its own", "duplicate")
        seen.add(name)
        targets = [target for target in _targets(section, targets_seen) if target]
        for file in _fleet(root, section):
            fleet, problems = _open(root, file, cache)
            fleet.only("targets")
            targets += [target for target in _targets(fleet, targets_seen) if target]
            refusals.problems += problems.problems
        gates = section.mapping("gates")
        judged = gate_settings(section.section("gates"), first=index == 0)
        yield Stage(name, tuple(targets), section.mapping("vars"), gates, index == 0, forbidden(section), judged)


def _targets(section: Section, seen: set[str]) -> Iterator[Target]:
    for each in section.sections("targets"):
        each.only(*_TARGET)
        name = each.text("name", required=True)
        backend = each.text("backend", required=True)
        if backend and backend not in BACKENDS:
            hint = did_you_mean(backend, BACKENDS) or f"; want one of {one_of(BACKENDS)}"
            each.refuse("backend", f"unknown backend `{backend}`{hint}", "unknown-backend")
        if name in seen:
            each.refuse("name", f"a second target `{name}`; want a name of its own", "duplicate")
        seen.add(name)
        yield Target(name, backend, each.text("url"), each.mapping("auth"), each.mapping("options"))


def _fleet(root: Path, section: Section) -> Iterator[str]:
    for pattern in section.texts("targets_from"):
        if pattern.startswith("/") or ".." in Path(pattern).parts:
            section.refuse("targets_from", f"`{pattern}` leads out of the policy root", "path")
            continue
        files = sorted(path for path in root.glob(pattern) if path.is_file())
        if not files:
            section.refuse("targets_from", f"no file matches `{pattern}`", "no-file")
        yield from (path.relative_to(root).as_posix() for path in files)


def _limits(section: Section, environ: Mapping[str, str], refusals: Refusals) -> Limits:
    defaults = Limits()
    section.only("parallelism", "requests_per_second", "timeout")
    stated = {
        "parallelism": section.number("parallelism", defaults.parallelism, 1),
        "requests_per_second": section.number("requests_per_second", defaults.requests_per_second, 0.001),
        "timeout": section.number("timeout", defaults.timeout, 0.001),
    }
    for name, value in tuple(stated.items()):
        variable = f"POLICYSYNC_{name.upper()}"
        if variable in environ:
            stated[name] = _from_environ(variable, environ[variable], refusals) or value
    return Limits(int(stated["parallelism"]), float(stated["requests_per_second"]), float(stated["timeout"]))


def _from_environ(variable: str, text: str, refusals: Refusals) -> float | None:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if number > 0:
        return number
    message = f"{shown(text)} stands there, want a number above 0"
    refusals.problems.append(Problem(Location(variable), "", message, "environment"))
    return None


def _ledger(section: Section, environ: Mapping[str, str]) -> LedgerSettings:
    section.only("remote")
    return LedgerSettings(environ.get("POLICYSYNC_LEDGER_REMOTE") or section.text("remote") or None)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        # A name that no file system takes is no folder.
        return False


def _folders(root: Path, top: Section) -> Iterator[Path]:
    for folder in top.texts("schemas"):
        if _is_folder(root / folder):
            yield root / folder
        else:
            top.refuse("schemas", f"no folder `{folder}`", "no-file")


def _external(section: Section) -> tuple[str, ...]:
    section.only("external")
    patterns = section.texts("external")
    for pattern in patterns:
        if "/" not in pattern:
            section.refuse("external", f"`{pattern}` is not Kind/name; `Registry/*` means all registries", "name")
    return patterns
