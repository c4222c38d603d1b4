"""What image assurance policies say of an image.

A simple judge: the controls that findings, labels and the user decide. What only a scan can tell (scripts, SCAP,
dynamic analysis) is left out of the checks, as for an image that was scanned without them.
Source: reference, policies 14.1 and 14.3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from policysync.emulator.estate.records import Record
from policysync.emulator.estate.scopes import in_scope, takes_in

_LEVELS = ("", "negligible", "low", "medium", "high", "critical")
_ROOT = ("", "root", "0")

Policy = Mapping[str, Any]
Findings = Sequence[Mapping[str, Any]]
Check = dict[str, Any]


def assurance_results(record: Record, policies: Iterable[Policy], scopes: Iterable[Policy]) -> dict[str, Any]:
    """Return `assurance_results` of an image under these policies."""
    image = record["image"]
    mine = {scope.get("name") for scope in scopes if in_scope(scope, image)}
    checks: list[Check] = []
    for policy in policies:
        applies = mine & set(policy.get("application_scopes") or ()) and takes_in(policy.get("scope"), image)
        if policy.get("enabled", True) and applies:
            checks += _checks(policy, record)
    disallowed = any(check.get("failed") and check["blocking"] for check in checks)
    allowed, blocked = image["whitelisted"], image["blacklisted"]
    return {"disallowed": (disallowed or blocked) and not allowed, "checks_performed": checks}


def _checks(policy: Policy, record: Record) -> Iterable[Check]:
    findings = [f for f in record["findings"] if not f["acknowledged_date"] and not _excused(policy, f)]
    for switch, judge in _CONTROLS:
        if policy.get(switch):
            failed, facts = judge(policy, findings, record)
            check = {
                "policy_name": policy["name"],
                "assurance_type": "image",
                "control": facts.pop("control"),
                "blocking": bool(policy.get("block_failed")),
                "dta_skipped": False,
                "dta_skipped_reason": "",
                **facts,
            }
            yield {**check, "failed": True} if failed else check


def _excused(policy: Policy, finding: Mapping[str, Any]) -> bool:
    listed = policy.get("cves_white_list_enabled") and finding["name"] in (policy.get("cves_white_list") or ())
    base = policy.get("ignore_base_image_vln") and finding["base_image_vulnerability"]
    unfixed = policy.get("control_exclude_no_fix") and not finding["fix_version"]
    return bool(listed or base or unfixed)


def _fixable(policy: Policy, switch: str, findings: Findings) -> Findings:
    return [finding for finding in findings if finding["fix_version"] or not policy.get(switch)]


def _severity(policy: Policy, findings: Findings, _: Record) -> tuple[bool, Check]:
    counted = _fixable(policy, "cvss_severity_exclude_no_fix", findings)
    highest = max((_level(finding["aqua_severity"]) for finding in counted), default=0)
    allowed = _level(str(policy.get("cvss_severity") or ""))
    found = {"maximum_severity_allowed": _LEVELS[allowed], "maximum_severity_found": _LEVELS[highest]}
    return bool(allowed) and highest >= allowed, {"control": "max_severity", **found}


def _level(name: str) -> int:
    return _LEVELS.index(name) if name in _LEVELS else 0


def _score(policy: Policy, findings: Findings, _: Record) -> tuple[bool, Check]:
    counted = _fixable(policy, "maximum_score_exclude_no_fix", findings)
    highest = max((finding["aqua_score"] for finding in counted), default=0)
    allowed = policy.get("maximum_score") or 0
    return highest >= allowed > 0, {"control": "max_score", "max_score_allowed": allowed, "max_score_found": highest}


def _black_list(policy: Policy, findings: Findings, _: Record) -> tuple[bool, Check]:
    listed = set(policy.get("cves_black_list") or ())
    found = sorted({finding["name"] for finding in findings if finding["name"] in listed})
    return bool(found), {"control": "cve_blacklist", "blacklisted_cves_found": found}


def _packages(policy: Policy, findings: Findings, _: Record) -> tuple[bool, Check]:
    listed = {str(package.get("name")) for package in policy.get("packages_black_list") or ()}
    found = sorted({finding["resource"]["name"] for finding in findings} & listed)
    return bool(found), {"control": "package_blacklist", "blacklisted_packages_found": found}


def _exploits(policy: Policy, findings: Findings, _: Record) -> tuple[bool, Check]:
    wanted = set(policy.get("disallow_exploit_types") or ())
    found = {finding["exploit_type"] for finding in findings} - {""}
    return bool(found & wanted if wanted else found), {"control": "exploitability"}


def _secrets(policy: Policy, findings: Findings, record: Record) -> tuple[bool, Check]:
    found = len(record["sensitive"])
    return bool(found), {"control": "sensitive_data", "sensitive_data_found": found}


def _malware(policy: Policy, findings: Findings, record: Record) -> tuple[bool, Check]:
    found = len(record["malware"])
    return bool(found), {"control": "malware", "malware_found": found}


def _user(policy: Policy, findings: Findings, record: Record) -> tuple[bool, Check]:
    root = record["image"]["metadata"]["default_user"] in _ROOT
    return root, {"control": "root_user", "root_user_found": root}


def _required(policy: Policy, findings: Findings, record: Record) -> tuple[bool, Check]:
    missing = [label for label in policy.get("required_labels") or () if not _carries(record, label)]
    return bool(missing), {"control": "required_labels"}


def _forbidden(policy: Policy, findings: Findings, record: Record) -> tuple[bool, Check]:
    found = [label for label in policy.get("forbidden_labels") or () if _carries(record, label)]
    return bool(found), {"control": "forbidden_labels"}


def _carries(record: Record, label: Mapping[str, Any]) -> bool:
    wanted, value = label.get("key"), label.get("value")
    pairs = (text.partition("=")[::2] for text in record["image"]["metadata"]["docker_labels"])
    return any(name == wanted and value in (None, "", given) for name, given in pairs)


_CONTROLS: tuple[tuple[str, Callable[[Policy, Findings, Record], tuple[bool, Check]]], ...] = (
    ("cvss_severity_enabled", _severity),
    ("maximum_score_enabled", _score),
    ("cves_black_list_enabled", _black_list),
    ("packages_black_list_enabled", _packages),
    ("vulnerability_exploitability", _exploits),
    ("scan_sensitive_data", _secrets),
    ("disallow_malware", _malware),
    ("only_none_root_users", _user),
    ("required_labels_enabled", _required),
    ("forbidden_labels_enabled", _forbidden),
)
