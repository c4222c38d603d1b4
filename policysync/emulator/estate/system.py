"""Calls about the console itself: its processes, licences, queue and settings.

Source: reference, platform 5 and 9; what stands in them beyond that is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from policysync.emulator.estate.estate import Estate
from policysync.emulator.estate.narrowing import paged
from policysync.emulator.exchange import Response, answer, refuse
from policysync.emulator.quirks.platform import VERSION
from policysync.emulator.rest import Call

_ACTIONS = "/api/access_mgmt/permissions/actions"
_DTA = {"enabled": False, "url": "", "token": ""}
_BENCHMARKS = ("cis", "kube_bench", "linux", "openshift", "disa_stig")
_CONSOLE = {"id": "console-1", "hostname": "aqua-console-0", "version": VERSION, "status": "connect"}


class System:
    """The calls about one console. `actions` are the permission actions of the whole platform that are known."""

    def __init__(self, estate: Estate, actions: tuple[str, ...]) -> None:
        self._estate = estate
        self._actions = actions

    def views(self) -> dict[tuple[str, str], Callable[[Call], Response]]:
        return {
            ("GET", "/api/v1/consoles"): lambda _: answer(200, [_CONSOLE]),
            ("GET", "/api/v2/licenses"): self._licenses,
            ("GET", "/api/v1/settings/system/system"): lambda _: answer(200, {"dta": _DTA, "version": VERSION}),
            ("POST", "/api/v2/dta/license_status"): lambda _: answer(200, {"used": 0, "total": 0}),
            ("GET", "/api/v1/scanqueue"): self._queue,
            ("GET", "/api/v1/scanqueue/summary"): self._summary,
            ("GET", "/api/v1/dashboard"): self._dashboard,
            ("GET", "/api/v2/infrastructure"): lambda call: paged([], call.request.query),
            ("GET", "/api/v2/risks/bench/{}/bench_results"): self._bench,
            ("GET", _ACTIONS): self._catalogue,
        }

    def _licenses(self, call: Call) -> Response:
        held = self._estate.records.facts("licenses") or {}
        one = {"id": 1, "status": "active", "type": "Standard", **held}
        listed = {"count": 1, "page": 1, "pagesize": 25, "result": [one]}
        resources = {"active_production": held}
        return answer(200, {**listed, "resources": resources, "details": {"num_active": 1 if held else 0}})

    def _states(self) -> Mapping[str, int]:
        counted = dict.fromkeys(("pending", "in_progress", "finished", "failed"), 0)
        for record in self._estate.records.all():
            status = record["image"]["scan_status"]
            counted[status] = counted.get(status, 0) + 1
        return counted

    def _summary(self, call: Call) -> Response:
        states = self._states()
        return answer(200, {"total": sum(states.values()), **states})

    def _queue(self, call: Call) -> Response:
        members = ("registry", "name", "scan_status", "scan_date")
        rows = [{name: record["image"][name] for name in members} for record in self._estate.records.all()]
        wanted = call.request.query.get("status")
        return paged([row for row in rows if not wanted or row["scan_status"] == wanted], call.request.query)

    def _dashboard(self, call: Call) -> Response:
        images = [record["image"] for record in self._estate.records.all()]
        shown = {"images": len(images), "disallowed_images": sum(image["disallowed"] for image in images)}
        return answer(200, shown)

    def _bench(self, call: Call) -> Response:
        """Source: reference, policies 14.1; the members are those a known client reads."""
        found = self._estate.store.get(["Enforcer"], call.parts[0])
        if found is None:
            raise refuse(404, f"host {call.parts[0]} doesn't exist")
        enforcer = orjson.loads(found.body)
        host = {"name": enforcer["id"], "logical_name": enforcer.get("logicalname", ""), "file": ""}
        reports = {name: {"host": host, "result": {"tests": []}} for name in _BENCHMARKS}
        return answer(200, {**reports, "enforcer_status": enforcer.get("status", "")})

    def _catalogue(self, call: Call) -> Response:
        modules: dict[str, list[dict[str, Any]]] = {}
        for action in self._actions:
            reads = action.removesuffix(".write") + ".read"
            needs = [reads] if action.endswith(".write") and reads in self._actions else []
            modules.setdefault(action.partition(".")[0], []).append({"name": action, "dependencies": needs})
        return answer(200, {"modules": [{"name": name, "actions": actions} for name, actions in modules.items()]})
