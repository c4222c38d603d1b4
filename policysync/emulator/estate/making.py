"""A few words about an image → what a console that has scanned it would say.

Source: reference, policies 14. Ages are in days before now. Ids and digests follow from the names, so that the
same seed is the same estate everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from policysync.emulator.estate.records import Record
from policysync.emulator.estate.rows import finding_of, number_of

_LEVELS = {"critical": "crit_vulns", "high": "high_vulns", "medium": "med_vulns", "low": "low_vulns"}
_SILENT: Mapping[str, Any] = {
    "author": "system",
    "labels": [],
    "scan_error": "",
    "disallowed": False,
    "pending_disallowed": False,
    "is_vulns_per_layer_view": False,
    "newer_image_exists": False,
    "partial_results": False,
    "microenforcer_detected": False,
    "dta_severity_score": "",
    "dta_skipped": True,
    "dta_skipped_reason": "not licensed",
    "policy_failures": [],
}
"""What every image says until somebody has something to say about it."""


def record_of(few: Mapping[str, Any], vulnerabilities: Mapping[str, Any], now: datetime) -> Record:
    """Return the record of an image, without what policies say of it."""
    name = f"{few['repository']}:{few['tag']}"
    digest = "sha256:" + hashlib.sha256(f"{few['registry']}/{name}".encode()).hexdigest()
    image = _image(few, name, digest, now)
    findings = [finding_of(one, few, image, vulnerabilities[one["cve"]]) for one in few.get("findings", ())]
    for found in findings:
        level = _LEVELS.get(found["aqua_severity"], "neg_vulns")
        image[level] += 1
    image["vulns_found"] = len(findings)
    scan = {"date": image["scan_date"], "scan_status": "finished", "digest": digest, "vulns_found": len(findings)}
    return {
        "image": image,
        "findings": findings,
        "sensitive": [{**one, "filename": one["path"]} for one in few.get("sensitive", ())],
        "malware": [{**one, "hash": hashlib.sha1(one["path"].encode()).hexdigest()} for one in few.get("malware", ())],  # noqa: S324  a label, not a guard
        "layers": image["history"],
        "scans": [scan],
        "workloads": list(few.get("workloads", ())),
    }


def _image(few: Mapping[str, Any], name: str, digest: str, now: datetime) -> dict[str, Any]:
    built = ago(now, few.get("built_days_ago", 0))
    size, base = few.get("size", 0), few.get("base_image", "")
    layers = [_layer(digest, 0, built, f"FROM {base}", size // 2), _layer(digest, 1, built, "COPY . /app", size // 2)]
    return {
        **_SILENT,
        **dict.fromkeys(("vulns_found", *_LEVELS.values(), "neg_vulns"), 0),
        "registry": few["registry"],
        "registry_type": few.get("registry_type", ""),
        "repository": few["repository"],
        "tag": few["tag"],
        "name": name,
        "digest": digest,
        "image_uid": number_of(digest),
        "created": built,
        "size": size,
        "os": few.get("os", "linux"),
        "os_version": few.get("os_version", ""),
        "scan_status": few.get("scan_status", "finished"),
        "scan_date": ago(now, few.get("scanned_days_ago", 0)),
        "sensitive_data": len(few.get("sensitive", ())),
        "malware": len(few.get("malware", ())),
        **_verdict(few),
        "first_found_date": ago(now, few.get("found_days_ago", 0)),
        "base_image_name": base,
        "metadata": _metadata(few, digest, built),
        "history": layers,
        "assurance_results": {"disallowed": False, "checks_performed": []},
    }


def _verdict(few: Mapping[str, Any]) -> dict[str, Any]:
    """Return what somebody has decided by hand about an image."""
    return {
        "whitelisted": "allowed" in few,
        "blacklisted": "blocked" in few,
        "permission": "allow" if "allowed" in few else "block" if "blocked" in few else "",
        "permission_author": "administrator" if {"allowed", "blocked"} & few.keys() else "",
        "permission_comment": few.get("allowed", few.get("blocked", "")),
    }


def _metadata(few: Mapping[str, Any], digest: str, built: str) -> dict[str, Any]:
    return {
        **dict.fromkeys(("parent", "comment", "docker_version", "author"), ""),
        "docker_id": digest,
        "repo_digests": [f"{few['repository']}@{digest}"],
        "created": built,
        "architecture": few.get("architecture", "amd64"),
        "os": "linux",
        "os_version": few.get("os_version", ""),
        "size": few.get("size", 0),
        "virtual_size": few.get("size", 0),
        "default_user": few.get("user", ""),
        "env": list(few.get("env", ())),
        "docker_labels": list(few.get("docker_labels", ())),
        "image_type": "docker",
    }


def _layer(digest: str, place: int, created: str, command: str, size: int) -> dict[str, Any]:
    ident = hashlib.sha256(f"{digest} {place}".encode()).hexdigest()
    return {"id": f"sha256:{ident}", "size": size, "comment": "", "created": created, "created_by": command}


def ago(now: datetime, days: float) -> str:
    return (now - timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")
