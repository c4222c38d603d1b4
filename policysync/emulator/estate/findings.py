"""Vulnerabilities over all images, their totals, and the archive a client can have of them.

Source: reference, policies 14.2.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from secrets import token_hex
from typing import Any

import orjson

from policysync.emulator.bodies import objects_in
from policysync.emulator.estate.estate import Estate
from policysync.emulator.estate.narrowing import findings, paged
from policysync.emulator.exchange import Response, answer, refuse
from policysync.emulator.rest import Call

_PATH = "/api/v2/risks/vulnerabilities"
_ENTITIES = ("images", "hosts", "functions", "containers")
_EXPORTER = "Compressed CSV"
_LEVELS = {"crit": "critical", "high": "high", "med": "medium", "low": "low", "neg": "negligible"}
_COLUMNS: Mapping[str, str] = {
    "registry": "Registry",
    "image_name": "Image Name",
    "image_digest": "Image Digest",
    "os": "OS",
    "resource.name": "Resource",
    "resource.type": "Resource Type",
    "resource.path": "Resource Path",
    "resource.version": "Installed Version",
    "name": "Vulnerability Name",
    "publish_date": "Publish Date",
    "nvd_cvss3_score": "NVD CVSS v3 Score",
    "nvd_url": "NVD URL",
    "fix_version": "Fix Version",
    "solution": "Solution",
    "description": "Description",
    "acknowledged_date": "Acknowledged Date",
    "base_image_name": "Base Image Name",
    "aqua_score": "Aqua score",
    "aqua_severity": "Aqua severity",
    "first_found_date": "First Found on Image",
    "last_found_date": "Last Image Scan",
    "exploit_availability": "Exploit Availability",
    "exploit_type": "Exploit Type",
    "epss_score": "EPSS Score",
    "scan_resource_id": "Scan Resource ID",
}

Row = Mapping[str, Any]


class Findings:
    """The vulnerability calls of one console."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def views(self) -> dict[tuple[str, str], Callable[[Call], Response]]:
        exporters = f"{_PATH}/exporters/{{}}"
        return {
            ("GET", _PATH): lambda call: paged(list(self._rows(call.request.query)), call.request.query),
            ("GET", "/api/v2/risks"): lambda _: answer(200, self._totals()),
            ("POST", f"{exporters}/export"): self._start,
            ("GET", f"{exporters}/jobs/{{}}"): self._job,
            ("POST", f"{exporters}/stream"): self._stream,
            ("GET", f"{_PATH}/{{}}/columns/available"): _columns,
            ("GET", "/api/v2/hub/findings/vulnerabilities/{}/exporters"): _exporters,
        }

    def _rows(self, query: Mapping[str, str]) -> Iterator[Row]:
        tests = list(findings(query))
        within = self._estate.within(query.get("scope", ""))
        for record in self._estate.all():
            if within(record):
                yield from (row for row in record["findings"] if all(test(row) for test in tests))

    def _totals(self) -> dict[str, Any]:
        records = list(self._estate.all())
        rows = [row for record in records for row in record["findings"]]
        by_level = {
            f"{short}_vulns": sum(r["aqua_severity"] == level for r in rows) for short, level in _LEVELS.items()
        }
        vulnerable = sum(bool(record["findings"]) for record in records)
        shares = {f"{name}_percent": _percent(count, len(rows)) for name, count in by_level.items()}
        return {
            "registered_images": len(records),
            "vulnerable_images": vulnerable,
            "vulnerable_images_percent": _percent(vulnerable, len(records)),
            "disallowed_images": sum(record["image"]["disallowed"] for record in records),
            "total_vulns": len(rows),
            **by_level,
            **shares,
        }

    def _start(self, call: Call) -> Response:
        """Source: reference, policies 14.2: an unknown exporter and missing columns are 500 there."""
        (body,) = objects_in(call.request.body, "object", "export")
        _check_entity(call.parts[0])
        if body.get("name") != _EXPORTER:
            raise refuse(500, f"Exporter {body.get('name')} not found")
        if not (body.get("columns_name") or body.get("columns")):
            raise refuse(500, "Exporter columns_name or columns must be provided")
        token = token_hex(16)
        wanted = body.get("filter")
        wanted = wanted if isinstance(wanted, dict) else {}
        query = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in wanted.items()}
        query |= {"scope": str(body.get("application_scope") or "")}
        job = {"query": query, "columns": _chosen(body.get("columns")), "entity": call.parts[0]}
        self._estate.store.remember(f"export {token}", orjson.dumps(job).decode())
        return answer(200, {"token": token})

    def _job(self, call: Call) -> Response:
        job = self._kept(call.parts[1])
        return answer(200, {"token": call.parts[1], "status": "finished", "entity_type": job["entity"]})

    def _stream(self, call: Call) -> Response:
        (body,) = objects_in(call.request.body, "object", "export")
        job = self._kept(str(body.get("token")))
        rows = list(self._rows(job["query"])) if job["entity"] == "images" else []
        names = ("content-disposition", 'attachment; filename="aqua_export.zip"')
        return Response(200, _archive(rows, job["columns"]), (("content-type", "application/zip"), names))

    def _kept(self, token: str) -> dict[str, Any]:
        job = self._estate.store.fact(f"export {token}")
        if job is None:
            raise refuse(404, "export job doesn't exist")
        return dict(orjson.loads(job))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0


def _check_entity(entity: str) -> None:
    if entity not in _ENTITIES:
        raise refuse(500, f"entity type {entity} is not one of {', '.join(_ENTITIES)}")


def _check_known(entity: str) -> None:
    if entity not in _ENTITIES:
        raise refuse(404, f"entity type {entity} doesn't exist")


def _chosen(columns: Any) -> list[str]:
    asked = columns.split(",") if isinstance(columns, str) else columns if isinstance(columns, list) else []
    return [name for name in asked if isinstance(name, str) and name in _COLUMNS] or list(_COLUMNS)


def _archive(rows: list[Row], columns: list[str]) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow([_COLUMNS[name] for name in columns])
    writer.writerows([_value(row, name) for name in columns] for row in rows)
    manifest = {"files": ["aqua_export.csv"], "rows": len(rows), "columns": columns}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("aqua_export.csv", table.getvalue())
        archive.writestr("manifest.json", orjson.dumps(manifest))
    return packed.getvalue()


def _value(row: Row, name: str) -> Any:
    outer, _, inner = name.partition(".")
    return row[outer][inner] if inner else row[outer]


def _columns(call: Call) -> Response:
    _check_known(call.parts[0])
    shown = {name: {"display_name": title} for name, title in _COLUMNS.items()}
    return answer(200, [{"category": "Vulnerability", "attributes": shown}])


def _exporters(call: Call) -> Response:
    _check_known(call.parts[0])
    one = {"name": _EXPORTER, "type": "csv", "columns_name": "aqua_recommended", "is_default": True}
    return answer(200, {"count": 1, "page": 1, "pagesize": 50, "result": [one]})
