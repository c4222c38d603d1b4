"""Lists of what there is: the hub's assets, repositories, containers, functions and hosts.

Source: reference, policies 14.1. The members of hub rows are those a known client reads; the rest is a guess.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policysync.emulator.estate.estate import Estate
from policysync.emulator.estate.narrowing import images, paged
from policysync.emulator.estate.records import Record
from policysync.emulator.exchange import Response, answer, refuse
from policysync.emulator.rest import Call

Rows = Callable[[Mapping[str, str]], list[dict[str, Any]]]
_HUB = "/api/v2/hub/inventory/assets"
_COUNTED = (
    "crit_vulns",
    "high_vulns",
    "med_vulns",
    "low_vulns",
    "neg_vulns",
    "vulns_found",
    "sensitive_data",
    "malware",
)


class Inventory:
    """The inventory calls of one console. Each list also tells how long it is, below `/count`."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def views(self) -> dict[tuple[str, str], Callable[[Call], Response]]:
        lists: dict[str, Rows] = {
            f"{_HUB}/images/list": self._images,
            f"{_HUB}/vms/list": lambda _: self._facts("hosts"),
            f"{_HUB}/code_repositories/list": lambda _: self._facts("code_repositories"),
            "/api/v2/repositories": self._repositories,
            "/api/v2/containers": self._containers,
            "/api/v2/serverless/functions": lambda _: self._facts("functions"),
            "/api/v1/hosts/images": self._host_images,
        }
        views: dict[tuple[str, str], Callable[[Call], Response]] = {}
        for path, rows in lists.items():
            views["GET", path] = _listed(rows)
            views["GET", f"{path}/count"] = _counted(rows)
        for path in ("/v2/build/repositories", "/supply_chain/v2/build/repositories"):
            views["GET", path] = self._build_repositories
        views["DELETE", "/api/v2/repositories/{}/{+}"] = self._forget_repository
        return views

    def _facts(self, name: str) -> list[dict[str, Any]]:
        return list(self._estate.records.facts(name))

    def _narrowed(self, query: Mapping[str, str]) -> Iterator[Record]:
        tests, within = images(query, self._estate.clock.now()), self._estate.within(query.get("scope", ""))
        running = query.get("has_workloads")
        for record in self._estate.all():
            if running in ("true", "false") and bool(record["workloads"]) != (running == "true"):
                continue
            if within(record) and all(test(record["image"]) for test in tests):
                yield record

    def _images(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        shown = ("registry", "repository", "tag", "name", "digest", "image_uid", "first_found_date", "scan_date", "os")
        return [
            {
                **{name: record["image"][name] for name in (*shown, *_COUNTED, "disallowed", "created")},
                "has_workloads": bool(record["workloads"]),
                "num_workloads": len(record["workloads"]),
            }
            for record in self._narrowed(query)
        ]

    def _repositories(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for record in self._narrowed(query):
            grouped[record["image"]["registry"], record["image"]["repository"]].append(record["image"])
        return [_repository(registry, name, members) for (registry, name), members in grouped.items()]

    def _containers(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        rows = [
            {
                "id": f"{image['digest'][7:19]}-{work['name']}",
                "name": work["name"],
                "status": "running",
                "image_name": image["name"],
                "image_digest": image["digest"],
                "registry": image["registry"],
                "cluster": work["cluster"],
                "cluster_name": work["cluster"],
                "namespace": work["namespace"],
                "host_name": f"{work['cluster']}-node",
                "is_disallowed": image["disallowed"],
                "vulns_found": image["vulns_found"],
            }
            for record in self._narrowed({"scope": query.get("scope", "")})
            for image in (record["image"],)
            for work in record["workloads"]
        ]
        asked = {name: query[name] for name in ("cluster", "namespace", "status") if query.get(name)}
        return [row for row in rows if all(row[name] == value for name, value in asked.items())]

    def _host_images(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        found = self._narrowed({"has_workloads": "true", "scope": query.get("scope", "")})
        return [
            {"id": r["image"]["image_uid"], **{n: r["image"][n] for n in ("name", "digest", "registry", *_COUNTED)}}
            for r in found
        ]

    def _build_repositories(self, call: Call) -> Response:
        rows = {row["name"]: row for row in self._facts("code_repositories")}
        facts = {"current_page": 1, "next_page": 0, "returned_count": len(rows), "total_count": len(rows)}
        past = call.request.query.get("page", "1") != "1"
        return answer(200, {**facts, "data": [] if past else list(rows.values())})

    def _forget_repository(self, call: Call) -> Response:
        registry, name = call.parts
        with self._estate.store.writing():
            mine = [
                record
                for record in self._estate.records.all()
                if (record["image"]["registry"], record["image"]["repository"]) == (registry, name)
            ]
            if not mine:
                raise refuse(404, f"repository {name} doesn't exist")
            for record in mine:
                self._estate.records.delete(record)
        return answer(202, {})


def _listed(rows: Rows) -> Callable[[Call], Response]:
    return lambda call: paged(rows(call.request.query), call.request.query)


def _counted(rows: Rows) -> Callable[[Call], Response]:
    return lambda call: answer(200, {"count": len(rows(call.request.query))})


def _repository(registry: str, name: str, members: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "registry": registry,
        "name": name,
        "num_images": len(members),
        "num_disallowed": sum(bool(member["disallowed"]) for member in members),
        "num_failed": sum(member["scan_status"] == "failed" for member in members),
        "is_default_policy": True,
        "policy": "Default",
        **{counted: sum(member[counted] for member in members) for counted in _COUNTED},
    }
