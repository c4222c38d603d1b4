"""A few words about an image → what a console that has scanned it would say.

Source: reference, policies 14. Ages are in days before now. Ids and digests follow from the names, so that the
same seed is the same estate everywhere.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from policysync.emulator.estate.records import Record

_LEVELS = {"critical": "crit_vulns", "high": "high_vulns", "medium": "med_vulns", "low": "low_vulns"}
_SYSTEM = "CVSS V3"


def record_of(few: Mapping[str, Any], vulnerabilities: Mapping[str, Any], now: datetime) -> Record:
    """Return the record of an image, without what policies say of it."""
    name = f"{few['repository']}:{few['tag']}"
    digest = "sha256:" + hashlib.sha256(f"{few['registry']}/{name}".encode()).hexdigest()
    image = _image(few, name, digest, now)
    findings = [_finding(one, few, image, vulnerabilities[one["cve"]]) for one in few.get("findings", ())]
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
    os, version = few.get("os", "linux"), few.get("os_version", "")
    labels = list(few.get("docker_labels", ()))
    size = few.get("size", 0)
    base = few.get("base_image", "")
    layers = [_layer(digest, 0, built, f"FROM {base}", size // 2), _layer(digest, 1, built, "COPY . /app", size // 2)]
    return {
        "registry": few["registry"],
        "registry_type": few.get("registry_type", ""),
        "repository": few["repository"],
        "tag": few["tag"],
        "name": name,
        "digest": digest,
        "labels": [],
        "image_uid": number_of(digest),
        **dict.fromkeys(("vulns_found", *_LEVELS.values(), "neg_vulns"), 0),
        "created": built,
        "author": "system",
        "size": size,
        "os": os,
        "os_version": version,
        "scan_status": few.get("scan_status", "finished"),
        "scan_date": ago(now, few.get("scanned_days_ago", 0)),
        "scan_error": "",
        "sensitive_data": len(few.get("sensitive", ())),
        "malware": len(few.get("malware", ())),
        "disallowed": False,
        "pending_disallowed": False,
        "whitelisted": "allowed" in few,
        "blacklisted": "blocked" in few,
        "permission": "allow" if "allowed" in few else "block" if "blocked" in few else "",
        "permission_author": "administrator" if {"allowed", "blocked"} & few.keys() else "",
        "permission_comment": few.get("allowed", few.get("blocked", "")),
        "is_vulns_per_layer_view": False,
        "newer_image_exists": False,
        "partial_results": False,
        "microenforcer_detected": False,
        "dta_severity_score": "",
        "dta_skipped": True,
        "dta_skipped_reason": "not licensed",
        "policy_failures": [],
        "first_found_date": ago(now, few.get("found_days_ago", 0)),
        "base_image_name": base,
        "metadata": {
            "docker_id": digest,
            "parent": "",
            "repo_digests": [f"{few['repository']}@{digest}"],
            "comment": "",
            "created": built,
            "docker_version": "",
            "author": "",
            "architecture": few.get("architecture", "amd64"),
            "os": "linux",
            "os_version": version,
            "size": size,
            "virtual_size": size,
            "default_user": few.get("user", ""),
            "env": list(few.get("env", ())),
            "docker_labels": labels,
            "image_type": "docker",
        },
        "history": layers,
        "assurance_results": {"disallowed": False, "checks_performed": []},
    }


def _layer(digest: str, place: int, created: str, command: str, size: int) -> dict[str, Any]:
    ident = hashlib.sha256(f"{digest} {place}".encode()).hexdigest()
    return {"id": f"sha256:{ident}", "size": size, "comment": "", "created": created, "created_by": command}


def _finding(
    one: Mapping[str, Any], few: Mapping[str, Any], image: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    cve, score, severity = one["cve"], about["score"], about["severity"]
    first = few.get("workloads") or [{}]
    address = f"https://nvd.nist.gov/vuln/detail/{cve}"
    # No policy reads these; they are there because real rows have them.
    silent = ("vendor_statement", "classification", "aqua_custom_severity", "aqua_custom_notes", "temporal_vector")
    empty = ("ancestor_pkg", "sibling_pkg", "v_patch_applied_by", "v_patch_applied_on", "v_patch_policy_name")
    unacknowledged = ("acknowledged_date", "ack_scope", "ack_comment", "ack_author", "ack_expiration_configured_at")
    return {
        **dict.fromkeys((*silent, *empty, *unacknowledged), ""),
        "name": cve,
        "vulnerability_id": number_of(cve),
        "scan_resource_id": number_of(f"{image['digest']} {one['package']} {one['path']}"),
        "description": about["description"],
        "publish_date": about["published"],
        "modification_date": about["published"],
        **_scores("vendor", score, severity, about["vectors"]),
        **_scores("nvd", score, severity, about["vectors"]),
        "vendor_url": address,
        "nvd_url": address,
        "fix_version": one["fix"],
        "solution": f"Upgrade package {one['package']} to version {one['fix']} or above." if one["fix"] else "",
        "aqua_score": score,
        "aqua_severity": severity,
        "aqua_vectors": about["vectors"],
        "aqua_scoring_system": _SYSTEM,
        "severity_classification": "NVD CVSS V3 Severity",
        "aqua_severity_classification": "NVD CVSS V3 Severity",
        "aqua_score_classification": "NVD CVSS V3 Score",
        "cwe_info": [{"Id": about["cwe"], "name": about["cwe"]}],
        "epss_score": about["epss"],
        "epss_percentile": min(0.999, round(0.5 + about["epss"] / 2, 3)),
        "exploitability": "",
        "exploit_availability": "available" if about["exploit_type"] else "",
        "exploit_type": about["exploit_type"],
        "first_found_date": image["first_found_date"],
        "last_found_date": image["scan_date"],
        "base_image_vulnerability": bool(few.get("base_image")) and one["format"] in ("deb", "apk"),
        "base_image_name": few.get("base_image", ""),
        "registry": image["registry"],
        "image_repository_name": image["repository"],
        "image_name": image["name"],
        "image_digest": image["digest"],
        "image_uid": image["image_uid"],
        "image_build_date": image["created"],
        "os": image["os"],
        "os_version": image["os_version"],
        "architecture": image["metadata"]["architecture"],
        "docker_labels": image["metadata"]["docker_labels"],
        "permission": "Write",
        "num_running_workloads": len(few.get("workloads") or ()),
        "has_running_workloads": bool(few.get("workloads")),
        "cluster": first[0].get("cluster", ""),
        "name_space": first[0].get("namespace", ""),
        "ack_expiration_days": 0,
        "v_patch_status": "",
        "v_patch_policy_enforce": False,
        "audit_events_count": 0,
        "block_events_count": 0,
        "resource": _resource(one),
    }


def _scores(source: str, score: float, severity: str, vectors: str) -> dict[str, Any]:
    return {
        f"{source}_severity": severity,
        f"{source}_cvss2_score": 0,
        f"{source}_cvss2_vectors": "",
        f"{source}_cvss3_severity": severity,
        f"{source}_cvss3_score": score,
        f"{source}_cvss3_vectors": vectors,
    }


def _resource(one: Mapping[str, Any]) -> dict[str, Any]:
    packaged = one["format"] in ("deb", "apk", "rpm")
    return {
        "type": "package" if packaged else "library",
        "format": one["format"],
        "path": one["path"],
        "name": one["package"],
        "version": one["version"],
        "arch": "amd64" if packaged else "",
        "cpe": f"cpe:/a:{one['package']}:{one['package']}:{one['version']}",
        "purl": f"pkg:{one['format']}/{one['package']}@{one['version']}",
        "licenses": [],
        "hash": "",
    }


def number_of(text: str) -> int:
    """Return a number that stands for a text."""
    return zlib.crc32(text.encode())


def ago(now: datetime, days: float) -> str:
    return (now - timedelta(days=days)).isoformat(timespec="seconds").replace("+00:00", "Z")
