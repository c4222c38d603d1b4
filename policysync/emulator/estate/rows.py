"""A few words about a finding → the row a console lists.

Source: reference, policies 14.2.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

_EMPTY = (
    *("vendor_statement", "classification", "aqua_custom_severity", "aqua_custom_notes", "temporal_vector"),
    *("ancestor_pkg", "sibling_pkg", "exploitability", "v_patch_status", "v_patch_applied_by", "v_patch_applied_on"),
    *("v_patch_policy_name", "acknowledged_date", "ack_scope", "ack_comment", "ack_author"),
    "ack_expiration_configured_at",
)
_SILENT: Mapping[str, Any] = {
    **dict.fromkeys(_EMPTY, ""),
    "aqua_scoring_system": "CVSS V3",
    "severity_classification": "NVD CVSS V3 Severity",
    "aqua_severity_classification": "NVD CVSS V3 Severity",
    "aqua_score_classification": "NVD CVSS V3 Score",
    "permission": "Write",
    "ack_expiration_days": 0,
    "v_patch_policy_enforce": False,
    "audit_events_count": 0,
    "block_events_count": 0,
}
"""What every row says until something is known; no policy reads the most of it."""


def finding_of(
    one: Mapping[str, Any], few: Mapping[str, Any], image: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    cve, score, severity = one["cve"], about["score"], about["severity"]
    work = few.get("workloads") or []
    first = work[0] if work else {}
    return {
        **_SILENT,
        "name": cve,
        "vulnerability_id": number_of(cve),
        "scan_resource_id": number_of(f"{image['digest']} {one['package']} {one['path']}"),
        "description": about["description"],
        "publish_date": about["published"],
        "modification_date": about["published"],
        **_scores("vendor", score, severity, about["vectors"]),
        **_scores("nvd", score, severity, about["vectors"]),
        **dict.fromkeys(("vendor_url", "nvd_url"), f"https://nvd.nist.gov/vuln/detail/{cve}"),
        "fix_version": one["fix"],
        "solution": f"Upgrade package {one['package']} to version {one['fix']} or above." if one["fix"] else "",
        "aqua_score": score,
        "aqua_severity": severity,
        "aqua_vectors": about["vectors"],
        "cwe_info": [{"Id": about["cwe"], "name": about["cwe"]}],
        "epss_score": about["epss"],
        "epss_percentile": min(0.999, round(0.5 + about["epss"] / 2, 3)),
        "exploitability": "",
        "exploit_availability": "available" if about["exploit_type"] else "",
        "exploit_type": about["exploit_type"],
        "first_found_date": image["first_found_date"],
        "last_found_date": image["scan_date"],
        **_place(one, few, image),
        "num_running_workloads": len(work),
        "has_running_workloads": bool(work),
        "cluster": first.get("cluster", ""),
        "name_space": first.get("namespace", ""),
        "resource": _resource(one),
    }


def _place(one: Mapping[str, Any], few: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, Any]:
    """Return in which image a finding is."""
    return {
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
