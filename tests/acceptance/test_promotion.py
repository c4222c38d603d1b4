"""Promotion, end to end: embedded consoles, a bare remote, every gate in turn, one policy, the rest, and back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, Ran, copied, new_repository

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
  - name: nonprod
    targets: [{name: nonprod-console, backend: aqua, url: "embedded:nonprod"}]
  - name: prod
    targets: [{name: prod-console, backend: aqua, url: "embedded:prod"}]
    gates:
      soaked: {stricter: 1h, looser: 72h, default: 24h}
      no-drift: true
      verified-upstream: true
      verified: {command: [test, -f, fit]}
      window-open: {freeze: [{from: 2999-01-01, to: 2999-12-31, zone: UTC, reason: the party}]}
      looser: {approvals: 1}
      impact: {newly_failing: 0, unavailable: ignore}
      plan-clean: true
ledger: {remote: origin}
"""
HEAD = "apiVersion: policysync/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"
SCOPE = "{categories: {artifacts: {image: {expression: v1, variables: [{attribute: image.repo, value: pay*}]}}}}"


def document(repository: PolicyRepository, kind: str, name: str, spec: str) -> None:
    repository.write(f"policies/base/{name}.yaml", HEAD.format(kind=kind, name=name, spec=spec))


def policy(repository: PolicyRepository, score: int, scope: str = "Global") -> None:
    spec = f"{{application_scopes: [{scope}], maximum_score_enabled: true, maximum_score: {score}}}"
    document(repository, "ImageAssurancePolicy", "strict", spec)


@pytest.fixture
def repository(made: PolicyRepository, tmp_path: Path) -> PolicyRepository:
    return copied(made, tmp_path / "team", tmp_path / "remote.git")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PolicyRepository:
    """Return a team's repository with a remote; all three stages have the same, and prod is fit."""
    folder = tmp_path_factory.mktemp("made")
    remote = folder / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    repository = new_repository(folder / "team")
    repository.git("remote", "add", "origin", str(remote))
    repository.write("policysync.yaml", CONFIGURATION)
    repository.write("fit", "")
    document(repository, "Label", "pci", "{description: cards}")
    document(repository, "Label", "gdpr", "{description: people}")
    policy(repository, 7)
    repository.release("nonprod", "prod")
    for stage in ("dev", "nonprod", "prod"):
        apply(repository, stage)
    return repository


def apply(repository: PolicyRepository, stage: str, *args: str) -> Ran:
    ran = repository.run("apply", "--stage", stage, "--yes", *args)
    assert ran.status == 0, ran.err + ran.out
    return ran


def promoted(repository: PolicyRepository, to: str, *args: str) -> Ran:
    ran = repository.run("promote", "--to", to, "--commit", *args)
    assert ran.status == 0, ran.err + ran.out
    return ran


def refused(repository: PolicyRepository, *args: str) -> dict[str, str]:
    """Return what the gates of prod said that refused."""
    ran = repository.run("promote", "--to", "prod", "--check", "--format", "json", *args)
    assert ran.status == 3, ran.err + ran.out
    return {gate["gate"]: gate["said"] for gate in ran.json()["gates"] if not gate["passed"]}


def live(repository: PolicyRepository, stage: str, kind: str, name: str) -> dict[str, object]:
    with by_hand(repository.root, stage) as console:
        return console.spec(kind, name)


def test_each_gate_refuses_in_turn_and_says_what_is_missing(repository: PolicyRepository) -> None:
    document(repository, "Label", "pci", "{description: new cards}")
    policy(repository, 8)
    repository.commit()
    early = repository.run("promote", "--to", "prod", "--revision", "HEAD", "--check")
    assert early.status == 3
    assert "no  applied-upstream   nonprod-console: not applied: ImageAssurancePolicy/strict, Label/pci" in early.out
    assert early.err == "not released to prod: applied-upstream, soaked, verified-upstream, looser said no\n"
    apply(repository, "dev")
    promoted(repository, "nonprod")
    apply(repository, "nonprod")

    assert set(refused(repository)) == {"soaked", "looser"}
    waits = repository.run("promote", "--to", "prod", "--check")
    assert "ImageAssurancePolicy/strict (looser) was in sync in nonprod for" in waits.out
    assert "of 3d, and 1 more wait; could pass at 2" in waits.out
    repository.environ["POLICYSYNC_CLOCK"] = "+73h"
    assert list(refused(repository)) == ["looser"]
    assert "looser: ImageAssurancePolicy/strict; 0 of 1 approvals" in refused(repository)["looser"]

    with by_hand(repository.root, "nonprod") as console:
        console.edit("Label", "gdpr", description="by hand")
    drifted = refused(repository)
    assert drifted["no-drift"].startswith("changed by hand in nonprod-console: Label/gdpr; ")
    assert drifted["verified-upstream"].endswith("Label/gdpr of nonprod-console")
    apply(repository, "nonprod")
    with by_hand(repository.root, "prod") as console:
        console.edit("Label", "gdpr", description="by hand")
    assert "in prod-console: Label/gdpr; " in refused(repository)["plan-clean"]
    (repository.root / "fit").unlink()
    assert refused(repository)["verified"] == "`test -f fit` ended with 1"
    repository.environ["POLICYSYNC_CLOCK"] = "2999-06-01T00:00:00+00:00"
    assert refused(repository)["window-open"] == "frozen before 3000-01-01 00:00 UTC: the party"


def test_one_policy_goes_alone_with_what_it_refers_to_and_the_rest_follows(repository: PolicyRepository) -> None:
    repository.environ["POLICYSYNC_CLOCK"] = "+1h"
    document(repository, "ApplicationScope", "payments", SCOPE)
    document(repository, "Label", "pci", "{description: new cards}")
    policy(repository, 5, "Global, payments")
    head = repository.commit()
    apply(repository, "dev")
    promoted(repository, "nonprod")
    apply(repository, "nonprod")
    repository.environ["POLICYSYNC_CLOCK"] = "+100h"

    rehearsed = repository.run("promote", "--to", "prod", "--rehearse", "--only", "ImageAssurancePolicy/strict")
    assert rehearsed.status == 0, rehearsed.err
    assert rehearsed.out.endswith("Rehearsed on a copy of prod-console: a second plan is clean.\n")
    assert "Label/pci" not in rehearsed.out
    one = promoted(repository, "prod", "--only", "ImageAssurancePolicy/strict", "--push").out
    assert "+ ApplicationScope/payments" in one
    assert "~ ImageAssurancePolicy/strict  (stricter)" in one
    assert "Label/pci" not in one
    assert repository.git("show", "--stat", "--format=", "HEAD").split()[0] == "releases/prod.yaml"
    assert repository.git("rev-parse", "HEAD") == repository.git("ls-remote", "origin", "main").split()[0] + "\n"
    planned = repository.run("plan", "--stage", "prod", "--out", "plan.json")
    assert "Plan: 1 to add, 1 to change, 0 to destroy." in planned.out
    apply(repository, "prod", "plan.json")
    assert live(repository, "prod", "ImageAssurancePolicy", "strict")["maximum_score"] == 5
    assert live(repository, "prod", "Label", "pci")["description"] == "cards"
    assert repository.run("plan", "--stage", "prod", "--detailed-exitcode").status == 0

    promoted(repository, "prod")
    pin = (repository.root / "releases/prod.yaml").read_text(encoding="utf-8")
    assert f'revision: "{head}"' in pin
    assert "resources:" not in pin
    apply(repository, "prod")
    assert live(repository, "prod", "Label", "pci")["description"] == "new cards"
    assert repository.run("validate").status == 0
    again = repository.run("promote", "--to", "prod")
    assert (again.status, again.out, again.err) == (0, "", f"prod follows {head[:12]} already\n")


def test_what_cannot_go_alone_is_refused_with_the_reason(repository: PolicyRepository) -> None:
    (repository.root / "policies/base/gdpr.yaml").unlink()
    document(repository, "Label", "pci", "{description: new}")
    document(repository, "ApplicationScope", "payments", SCOPE)
    policy(repository, 5, "Global, payments")
    repository.commit()
    repository.release("prod")
    policy(repository, 5)
    (repository.root / "policies/base/payments.yaml").unlink()
    repository.commit()
    apply(repository, "dev")
    refusal = repository.run("promote", "--to", "prod", "--revision", "HEAD", "--only", "ApplicationScope/payments")
    assert refusal.status == 3
    assert "--only ApplicationScope/payments: this cannot go to prod alone" in refusal.err
    assert "policies/base/strict.yaml:4:" in refusal.err
    same = repository.run("promote", "--to", "prod", "--revision", "HEAD", "--only", "Label/pci")
    assert (same.status, "there is nothing to promote" in same.err) == (1, True)
    unknown = repository.run("promote", "--to", "prod", "--revision", "HEAD", "--only", "Label/pcy")
    assert "there is no such resource; did you mean `Label/pci`?" in unknown.err


def test_a_stage_goes_back_to_what_it_had(repository: PolicyRepository) -> None:
    first = repository.git("rev-parse", "HEAD~1").strip()
    policy(repository, 5)
    repository.commit()
    apply(repository, "dev")
    promoted(repository, "nonprod")
    apply(repository, "nonprod")
    applies = repository.run("history", "--stage", "nonprod", "--format", "json").json()["applies"]

    # The newest apply of a revision may be one that no revision holds; an earlier one still does.
    configuration = (repository.root / "policysync.yaml").read_text(encoding="utf-8")
    repository.write("policysync.yaml", f"{configuration}# not committed\n")
    with by_hand(repository.root, "nonprod") as console:
        console.edit("ImageAssurancePolicy", "strict", maximum_score=2)
    apply(repository, "nonprod")
    repository.write("policysync.yaml", configuration)

    back = repository.run("rollback", "--stage", "nonprod", "--to", applies[1]["id"], "--commit")
    assert back.status == 0, back.err
    assert "~ ImageAssurancePolicy/strict  (looser)" in back.out
    pin = (repository.root / "releases/nonprod.yaml").read_text(encoding="utf-8")
    assert f'revision: "{first}"' in pin
    assert f'rollback: "to {applies[1]["id"]}"' in pin
    apply(repository, "nonprod")
    assert live(repository, "nonprod", "ImageAssurancePolicy", "strict")["maximum_score"] == 7

    now = repository.run("rollback", "--stage", "nonprod", "--to", applies[0]["revision"], "--now", "--commit")
    assert now.status == 0, now.err
    assert live(repository, "nonprod", "ImageAssurancePolicy", "strict")["maximum_score"] == 5
    newest = repository.run("history", "--stage", "nonprod").out
    assert f"rollback to {applies[0]['id']}" in newest.split("\n\n")[0]
    assert "lifted guards: not-released" in newest.split("\n\n")[0]

    never = repository.run("rollback", "--stage", "prod", "--to", "HEAD")
    assert (never.status, never.err.startswith("error: prod never had HEAD")) == (1, True)
    dev = repository.run("history", "--stage", "dev", "--format", "json").json()["applies"]
    reverts = repository.run("rollback", "--stage", "dev", "--to", dev[-1]["id"])
    assert (reverts.status, "`git revert` takes back" in reverts.err) == (1, True)


def test_a_pin_that_is_wrong_is_no_reason_not_to_go_back(repository: PolicyRepository) -> None:
    first = repository.run("history", "--stage", "prod", "--format", "json").json()["applies"][0]
    repository.write("releases/prod.yaml", "revision: [a")
    back = repository.run("rollback", "--stage", "prod", "--to", first["id"], "--now")
    assert back.status == 0, back.err
    assert back.err.startswith("releases/prod.yaml:")
    assert "releases/prod.yaml is written anew" in back.err
    assert repository.run("validate").status == 0


def test_a_promotion_goes_on_where_it_stopped(repository: PolicyRepository) -> None:
    document(repository, "Label", "pci", "{description: new}")
    head = repository.commit()
    apply(repository, "dev")
    repository.git("push", "--quiet", "origin", "main")
    assert repository.run("promote", "--to", "nonprod").err.startswith("wrote releases/nonprod.yaml; commit it")
    committed = promoted(repository, "nonprod")
    assert "~ Label/pci" in committed.out, "what was only written is judged again before it is committed"
    assert repository.git("status", "--porcelain") == ""
    ahead = repository.git("rev-parse", "HEAD")
    assert repository.git("ls-remote", "origin", "main").split()[0] == head
    pushed = repository.run("promote", "--to", "nonprod", "--push")
    assert (pushed.status, pushed.err) == (0, "pushed releases/nonprod.yaml to main\n")

    apply(repository, "nonprod")
    (repository.root / "policies/base/pci.yaml").unlink()
    repository.commit("no label")
    apply(repository, "dev", "--prune")
    assert "`policysync apply --stage nonprod --prune` brings it there" in promoted(repository, "nonprod").err
    assert repository.git("ls-remote", "origin", "main").split()[0] == ahead.strip()


def test_a_pull_request_leaves_the_work_tree_alone(repository: PolicyRepository) -> None:
    document(repository, "Label", "pci", "{description: new}")
    head = repository.commit()
    apply(repository, "dev")
    before = (repository.root / "releases/nonprod.yaml").read_text(encoding="utf-8")
    asked = repository.run("promote", "--to", "nonprod", "--pull-request")
    assert asked.status == 0, asked.err
    assert f"open a pull request from policysync/nonprod-{head} into main" in asked.err
    assert (repository.root / "releases/nonprod.yaml").read_text(encoding="utf-8") == before
    assert repository.git("status", "--porcelain") == ""
    offered = repository.git("ls-remote", "origin", f"policysync/nonprod-{head}").split()[0]
    assert repository.git("diff", "--name-only", "HEAD", offered) == "releases/nonprod.yaml\n"
    assert repository.run("promote", "--to", "nonprod", "--pull-request").status == 0
    again = repository.git("ls-remote", "origin", f"policysync/nonprod-{head}").split()[0]
    assert again == offered, "an offer that stands is not pushed anew: its reviews would be lost"
    repository.write("releases/nonprod.yaml", before + "# touched\n")
    repository.commit()
    assert repository.run("promote", "--to", "nonprod", "--pull-request").status == 0
    assert repository.git("ls-remote", "origin", f"policysync/nonprod-{head}").split()[0] != offered


def test_nothing_reaches_a_later_stage_past_its_pin(repository: PolicyRepository) -> None:
    document(repository, "Label", "pci", "{description: new}")
    repository.commit()
    assert repository.run("plan", "--stage", "prod", "--detailed-exitcode").status == 0
    preview = repository.run("plan", "--stage", "prod", "--revision", "HEAD")
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in preview.out
    past = repository.run("apply", "--stage", "prod", "--revision", "HEAD", "--yes")
    assert past.status == 3
    assert "not-released: " in past.err
    (repository.root / "releases/prod.yaml").unlink()
    nothing = repository.run("plan", "--stage", "prod")
    assert (nothing.status, "nothing is released to prod yet: `policysync promote --to prod`" in nothing.err) == (
        1,
        True,
    )


def test_a_clock_is_set_for_embedded_consoles_only(repository: PolicyRepository) -> None:
    repository.environ["POLICYSYNC_CLOCK"] = "tomorrow"
    assert "want an offset such as +26h, or a moment" in repository.run("plan", "--stage", "dev").err
    repository.replace("policysync.yaml", "embedded:prod", "https://aqua.example.com")
    repository.environ["POLICYSYNC_CLOCK"] = "+26h"
    ran = repository.run("plan", "--stage", "dev")
    assert (ran.status, "prod-console is not an embedded console; unset it" in ran.err) == (1, True)


def test_a_signed_approval_lets_what_is_looser_in(repository: PolicyRepository, tmp_path: Path) -> None:
    repository.environ["POLICYSYNC_CLOCK"] = "+1h"
    policy(repository, 9)
    head = repository.commit()
    apply(repository, "dev")
    promoted(repository, "nonprod")
    apply(repository, "nonprod")
    repository.environ["POLICYSYNC_CLOCK"] = "+100h"
    sign(repository, tmp_path, "mallory@example.com", head, trusted=False)
    sign(repository, tmp_path, "test@example.com", head)
    assert "0 of 1 approvals" in refused(repository)["looser"]
    sign(repository, tmp_path, "boss@example.com", head)
    checked = repository.run("promote", "--to", "prod", "--check", "--format", "json")
    assert checked.status == 0, checked.out
    said = {gate["gate"]: gate["said"] for gate in json.loads(checked.out)["gates"]}
    assert said["looser"].endswith("approved by boss@example.com; 1 asked for")


def sign(repository: PolicyRepository, folder: Path, who: str, revision: str, *, trusted: bool = True) -> None:
    """Commit an approval that is signed with a key of its own."""
    key, allowed = folder / who, folder / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with allowed.open("a", encoding="utf-8") as out:
        out.write(f"{who} {key.with_name(f'{who}.pub').read_text()}" if trusted else "")
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "gpg.ssh.allowedSignersFile", str(allowed))
    trailers = (f"--trailer=Approved-by: Somebody <{who}>", f"--trailer=Approved-release: prod {revision}")
    signing = ("-c", f"user.signingkey={key}", "commit", "-S", "--quiet", "--allow-empty", "-m", "approve")
    repository.git(*signing, *trailers)


def test_one_resource_that_was_only_written_can_still_be_committed(repository: PolicyRepository) -> None:
    document(repository, "Label", "pci", "{description: new}")
    document(repository, "Label", "other", "{description: new}")
    repository.commit()
    apply(repository, "dev")
    assert repository.run("promote", "--to", "nonprod", "--only", "Label/pci").status == 0
    done = repository.run("promote", "--to", "nonprod", "--only", "Label/pci", "--commit")
    assert done.status == 0, done.err
    assert repository.git("status", "--porcelain") == ""
    again = repository.run("promote", "--to", "nonprod", "--only", "Label/pci", "--commit")
    assert (again.status, "there is nothing to promote" in again.err) == (1, True)
