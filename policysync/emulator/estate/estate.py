"""The images of a console together with what its policies, scopes and acknowledges make of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator.estate.evaluate import assurance_results
from policysync.emulator.estate.making import ago, record_of
from policysync.emulator.estate.records import Record, Records
from policysync.emulator.estate.scopes import GLOBAL, in_scope
from policysync.emulator.exchange import refuse
from policysync.emulator.store import Store

FILE = "estate.json"
"""In a seed, the file beside the folders of kinds."""
_POLICIES, _SCOPES, _ACKNOWLEDGES = "ImageAssurancePolicy", "ApplicationScope", "Acknowledge"
_ALL = 1 << 40
_FACTS = ("hosts", "functions", "code_repositories", "licenses")


class Estate:
    """What a console knows of images. Findings are acknowledged when they are read; verdicts are of the last scan."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.records = Records(store)

    def load(self, file: Path) -> None:
        """Store what an estate file says, inside `Store.writing`, judged by the policies that are there now.

        Raises:
            ValueError: the file is not one, or misses something.
        """
        try:
            estate = orjson.loads(file.read_bytes())
            now = self.clock.now()
            made = [record_of(few, estate["vulnerabilities"], now) for few in estate["images"]]
        except (KeyError, TypeError) as error:
            raise ValueError(f"not an estate: {error!r}") from error
        for record in made:
            self.records.put(self.judged(record))
        self.records.remember({name: estate[name] for name in _FACTS if name in estate})

    def all(self) -> Iterator[Record]:
        """Yield every image, its findings acknowledged where an acknowledge says so."""
        known = self._acknowledges()
        for record in self.records.all():
            yield _acknowledged(record, known)

    def find(self, registry: str, repository: str, tag: str) -> Record:
        """Return one image.

        Raises:
            Answered: there is none: 404.
        """
        record = self.records.get(registry, repository, tag)
        if record is None:
            raise refuse(404, f"image {repository}:{tag} of registry {registry} doesn't exist")
        return _acknowledged(record, self._acknowledges())

    def judged(self, record: Record) -> Record:
        """Return a record with the verdict of the policies there are now."""
        seen = _acknowledged(record, self._acknowledges())
        results = assurance_results(seen, self._bodies(_POLICIES), list(self._bodies(_SCOPES)))
        failed = [check for check in results["checks_performed"] if check.get("failed")]
        image = {
            **record["image"],
            "assurance_results": results,
            "disallowed": results["disallowed"],
            "policy_failures": [{"policy_name": c["policy_name"], "control": c["control"]} for c in failed],
        }
        return {**record, "image": image}

    def rescanned(self, record: Record) -> Record:
        """Return a record as after a scan just now."""
        today = ago(self.clock.now(), 0)
        image = {**record["image"], "scan_date": today, "scan_status": "finished"}
        scan = {**record["scans"][0], "date": today} if record["scans"] else {"date": today}
        findings = [{**finding, "last_found_date": today} for finding in record["findings"]]
        return self.judged({**record, "image": image, "findings": findings, "scans": [scan, *record["scans"]]})

    def within(self, scope: str) -> Callable[[Record], bool]:
        """Return whether an image belongs to a scope; one that nobody knows has none."""
        if not scope or scope == GLOBAL:
            return lambda record: True
        found = next((one for one in self._bodies(_SCOPES) if one.get("name") == scope), None)
        return lambda record: found is not None and in_scope(found, record["image"])

    def _bodies(self, kind: str) -> Iterator[dict[str, Any]]:
        yield from map(orjson.loads, self.store.page([kind], "name", 0, _ALL))

    def _acknowledges(self) -> Mapping[str, list[dict[str, Any]]]:
        known: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in self._bodies(_ACKNOWLEDGES):
            known[str(one.get("issue_name"))].append(one)
        return known


def _acknowledged(record: Record, known: Mapping[str, list[dict[str, Any]]]) -> Record:
    if not known:
        return record
    findings = []
    for finding in record["findings"]:
        one = next((a for a in known.get(finding["name"], ()) if _meant(a, finding, record["image"])), None)
        facts = (
            {
                "acknowledged_date": one.get("date", ""),
                "ack_comment": one.get("comment", ""),
                "ack_author": one.get("author", ""),
                "ack_expiration_days": one.get("expiration_days") or 0,
                "ack_scope": "image" if one.get("image") else "repository" if one.get("repository") else "all",
            }
            if one
            else {}
        )
        findings.append({**finding, **facts})
    return {**record, "findings": findings}


def _meant(one: Mapping[str, Any], finding: Mapping[str, Any], image: Mapping[str, Any]) -> bool:
    facts = {
        "resource_name": finding["resource"]["name"],
        "resource_version": finding["resource"]["version"],
        "image": image["name"],
        "registry": image["registry"],
        "repository": image["repository"],
    }
    return all(one.get(name) in (None, "", value) for name, value in facts.items())
