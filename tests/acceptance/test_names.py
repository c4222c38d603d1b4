"""Names people really give: in addresses, files, references, plans, the ledger and the options that pick resources."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, quick_repository
from conformance.samples import SAMPLES

from policysync.commands.selection import Selection
from policysync.state.resource import Address

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
  - name: nonprod
    targets: [{name: nonprod-console, backend: aqua, url: "embedded:nonprod"}]
"""
NAMES = [
    "with  two spaces",
    " leading and trailing ",
    "a/b",
    "/a//b/",
    "../../etc/passwd",
    "50%",
    "50%25",
    "%2F",
    "ünïcödé",
    "u\u0308ni",
    "üni",
    "עברית",
    "abc\u202edef",
    "日本語 🙂",
    'it\'s "quoted" `so`',
    "v1.2.3",
    "...",
    ".hidden",
    "-v",
    "--only",
    "a*b",
    "axxb",
    "[x]",
    "x",
    "wh?t",
    "a+b&c=d?e#f;g,h",
    "back\\slash",
    "tab\there",
    "~1 ~0",
    "${var.x}",
    "null",
    "017",
    "settings",
    "x.lock",
    "@{0}",
    "n" * 128,
    "n" * 127 + "m",
    "長" * 128,
]
IN_THE_ADDRESS = ("Label", "ApplicationScope", "ImageAssurancePolicy", "ContainerRuntimePolicy")
BESIDE_IT = ("ResponsePolicy", "AssuranceScript")
KINDS = (*IN_THE_ADDRESS, *BESIDE_IT)


def spec(kind: str, name: str) -> dict[str, object]:
    """Return an object of a name; policies refer to the scope of the same name."""
    key = "title" if kind == "ResponsePolicy" else "name"
    scopes = {"application_scopes": [name]} if kind.endswith("Policy") and kind != "ResponsePolicy" else {}
    described = {"description": "as adopted"} if kind in {"Label", "ImageAssurancePolicy"} else {}
    return {**SAMPLES[kind][0], **scopes, **described, key: name}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> PolicyRepository:
    """Return a policy repository with a console's objects of every kind and name, adopted and applied elsewhere."""
    repository = quick_repository(tmp_path_factory.mktemp("names") / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    with by_hand(repository.root) as console:
        console.put("Notification", SAMPLES["Notification"][0])
        for kind in sorted(KINDS):
            for name in NAMES:
                console.put(kind, spec(kind, name))
    chosen = [word for kind in (*KINDS, "Notification") for word in ("--kind", kind)]
    adopted = repository.run("adopt", "--stage", "dev", *chosen)
    assert adopted.status == 0, adopted.err
    assert f"adopted {len(KINDS) * len(NAMES) + 1} resources" in adopted.err
    repository.commit()
    return repository


def test_files_are_plain_and_say_the_name(repository: PolicyRepository) -> None:
    for kind in KINDS:
        stem = "".join(f"_{char.lower()}" if char.isupper() else char for char in kind).lstrip("_")
        below = sorted((repository.root / "policies/base" / stem).iterdir())
        assert {yaml.safe_load(file.read_text(encoding="utf-8"))["metadata"]["name"] for file in below} == set(NAMES)
        assert len({file.name.lower() for file in below}) == len(NAMES)
        assert all(file.stem.isascii() and file.stem.replace("-", "").isalnum() for file in below)
        assert max(len(file.name) for file in below) < 100


def test_a_plan_is_clean_and_documents_are_valid(repository: PolicyRepository) -> None:
    validated = repository.run("validate")
    assert validated.status == 0, validated.out
    planned = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert planned.status == 0, planned.out + planned.err


def test_a_saved_plan_makes_them_all_and_the_ledger_remembers(repository: PolicyRepository) -> None:
    repository.release("nonprod")
    planned = repository.run("plan", "--stage", "nonprod", "--out", "plan.json", "--format", "json")
    assert planned.status == 0, planned.err
    wanted = {f"{kind}/{name}" for kind in KINDS for name in NAMES} | {"Notification/email/oncall"}
    changes = [change for wave in planned.json()["plans"][0]["waves"] for change in wave]
    assert {f"{change['kind']}/{change['name']}" for change in changes} == wanted
    applied = repository.run("apply", "--stage", "nonprod", "plan.json")
    assert applied.status == 0, applied.err + applied.out
    assert repository.run("drift", "--stage", "nonprod").status == 0
    with by_hand(repository.root, "nonprod") as console:
        for name in NAMES:
            console.edit("Label", name, description="by hand")
            console.edit("ImageAssurancePolicy", name, enforce=False, description="by hand")
    drift = repository.run("drift", "--stage", "nonprod")
    assert drift.status == 2
    assert f"Drift: {2 * len(NAMES)} edited by hand, 0 deleted by hand." in drift.out
    assert all(line.isprintable() for line in drift.out.splitlines())
    assert "~ Label/abc\\u202edef" in drift.out

    one = repository.run("plan", "--stage", "nonprod", "--only", "Label/[[]x]", "--only", "Label/--only")
    assert "Plan: 0 to add, 2 to change, 0 to destroy." in one.out
    done = repository.run("adopt", "--stage", "nonprod", "--write-back", "--only", "Label/50%25")
    assert done.status == 0, done.err
    assert len(done.out.splitlines()) == 1
    repository.git("checkout", "--quiet", "--", "policies")
    healed = repository.run("apply", "--stage", "nonprod", "--yes")
    assert healed.status == 0, healed.err + healed.out


def test_they_are_deleted_again(repository: PolicyRepository) -> None:
    """Runs last: what git no longer has goes, whatever it is called."""
    repository.release("nonprod")
    assert repository.run("apply", "--stage", "nonprod", "--yes").status == 0
    for file in (repository.root / "policies").rglob("*.yaml"):
        file.unlink()
    repository.write(
        "policies/base/left.yaml", "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: left}\nspec: {}\n"
    )
    repository.release("nonprod")
    allowed = ("--allow", "too-many-deletes", "--allow", "too-many-changes")
    pruned = repository.run("apply", "--stage", "nonprod", "--prune", "--yes", *allowed)
    assert pruned.status == 0, pruned.err + pruned.out
    planned = repository.run("plan", "--stage", "nonprod", "--show-unmanaged")
    assert not any(f"unmanaged {kind} " in planned.out for kind in KINDS), planned.out


@pytest.mark.parametrize("name", NAMES)
def test_every_name_can_be_picked_and_left_out(name: str) -> None:
    address = Address("Label", name)
    assert Selection.of((), [f"Label/{name}"], ()).has(address)
    assert not Selection.of((), (), [f"Label/{name}"]).has(address)
    alone = "".join(f"[{char}]" if char in "*?[" else char for char in name)
    picked = [other for other in NAMES if Selection.of((), [f"Label/{alone}"], ()).has(Address("Label", other))]
    assert picked == [name]


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_no_path_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    text = f"apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: '{name}'}}\nspec: {{}}\n"
    repository.write("policies/base/dots.yaml", text)
    planned = repository.run("plan", "--stage", "dev")
    assert planned.status == 1
    assert f"'{name}'" in planned.err or f'"{name}"' in planned.err or f"/{name}" in planned.err


@pytest.mark.parametrize(("kind", "body"), [("FirewallPolicy", {}), ("Role", {"permission": "Auditor"})])
def test_a_slash_is_refused_where_the_reference_says_so(kind: str, body: dict[str, str], tmp_path: Path) -> None:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    document = {"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": "a/b"}, "spec": body}
    repository.write("policies/base/slash.yaml", yaml.safe_dump(document))
    validated = repository.run("validate")
    assert validated.status == 1
    assert "policies/base/slash.yaml" in validated.out + validated.err
