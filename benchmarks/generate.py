"""Policy repositories and consoles of any size, the same ones every time."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from policysync.kinds.field import Field
from policysync.kinds.load import load_kinds

KIND = "ImageAssurancePolicy"
_LICENSES = ("AGPL-3.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "MPL-2.0", "SSPL-1.0", "EPL-2.0", "CDDL-1.0")


def specs(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and spec of `count` policies of about 90 fields and 5 KB each."""
    fields = [f for f in load_kinds()[KIND].root.properties.values() if f.compared and f.relevant and not f.ref]
    for number in range(count):
        random_ = random.Random(number)
        spec = {field.name: value for field in fields if (value := _value(field, random_)) is not None}
        yield f"policy-{number:05}", {**spec, **_lists(random_)}


def _value(field: Field, random_: random.Random) -> Any:
    if field.types == {"boolean"}:
        return random_.random() < 0.5
    if field.types == {"integer"}:
        return random_.randint(1, 30)
    if field.types == {"number"}:
        return round(random_.uniform(1, 10), 1)
    if field.known:
        return random_.choice([value for value in field.known if value])
    return None


def _lists(random_: random.Random) -> dict[str, Any]:
    labels = [{"key": f"team-{n}", "value": f"value {n}"} for n in range(3)]
    packages = [
        {"format": "deb", "name": f"package-{n}", "version": f"1.{n}", "epoch": "", "arch": ""} for n in range(8)
    ]
    return {
        "description": "What the images of this team have to pass before they may run.",
        "application_scopes": ["Global"],
        "cves_black_list": _cves(random_, 40),
        "cves_white_list": _cves(random_, 40),
        "blacklisted_licenses": random_.sample(_LICENSES, 4),
        "images": [f"registry.example.com/team/image-{n}:*" for n in range(10)],
        "packages_black_list": packages,
        "required_labels": labels,
        "forbidden_labels": [{**label, "value": "forbidden"} for label in labels],
        "policy_settings": {"enforce": True, "warn": True, "warning_message": "Ask the platform team."},
        "aggregated_vulnerability": {"enabled": True, "severity": "high", "score_range": [7, 10]},
    }


def _cves(random_: random.Random, count: int) -> list[str]:
    return sorted({f"CVE-{random_.randint(2015, 2026)}-{random_.randint(1000, 99999)}" for _ in range(count)})


def write_repository(root: Path, count: int, targets: Mapping[str, str]) -> list[Path]:
    """Write and commit a policy repository: one file a policy, a stage `dev` with these targets (name → URL)."""
    listed = [
        {"name": name, "backend": "aqua", "url": url, **({} if url.startswith("embedded:") else {"auth": _AUTH})}
        for name, url in targets.items()
    ]
    folder = root / "policies" / "base"
    folder.mkdir(parents=True)
    files = []
    for name, spec in specs(count):
        document = {"apiVersion": "policysync/v1", "kind": KIND, "metadata": {"name": name}, "spec": spec}
        file = folder / f"{name}.yaml"
        file.write_text(yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False), encoding="utf-8")
        files.append(file)
    project = {"version": 1, "stages": [{"name": "dev", "targets": listed}]}
    (root / "policysync.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
    (root / ".gitignore").write_text(".policysync/\n", encoding="utf-8")
    for words in (["init"], ["add", "--all"], ["commit", "--message", "generated"]):
        subprocess.run(["git", *_AUTHOR, *words], cwd=root, check=True, capture_output=True)
    return files


_AUTHOR = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]
_AUTH = {"method": "password", "user": "administrator", "password": "${env:BENCH_PASSWORD}"}


def write_seed(folder: Path, count: int) -> Path:
    """Write the bodies a console needs so that it agrees with `write_repository`; returns `folder`."""
    below = folder / "image_assurance_policy"
    below.mkdir(parents=True)
    bodies = [{"name": name, **spec} for name, spec in specs(count)]
    (below / "all.json").write_text(json.dumps(bodies), encoding="utf-8")
    return folder
