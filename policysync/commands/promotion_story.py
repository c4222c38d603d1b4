"""The story of one pull request: three stages, every gate, drift, an emergency, and back. Nothing in it is made up."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

from policysync.commands.telling import Start, Story, process
from policysync.errors import Exit, PolicySyncError

_GATES = """\
    gates:
      soaked: {stricter: 4h, looser: 72h, default: 24h}
      no-drift: true
      verified-upstream: true
      verified: {command: [test, -e, prod-is-ready]}
      window-open: {open: "Mon-Thu 08:00-16:00 Europe/Berlin", freeze: [
        {from: 2030-01-14, to: 2030-01-14, zone: Europe/Berlin, reason: audit}]}
      approvals: 1
      looser: {approvals: 2}
      impact: {newly_failing: 0}
      plan-clean: true
"""
_VARIABLES = "    vars: {days_to_fix: 7}\n"
_IMAGES = "policies/base/image-assurance.yaml"
_RUNTIME = "policies/base/container-runtime.yaml"
_IMAGE_POLICY = "ImageAssurancePolicy/Default"
_RUNTIME_PATH = "/api/v2/runtime_policies/web-workloads"
_LABEL_PATH = "/api/v1/settings/labels/internet-facing"
_NO = "^  no|^not released"
_PEOPLE = ("boss", "ciso")
_THURSDAY, _MONDAY, _LATER = "2030-01-03T09:00", "2030-01-07T08:00", "2030-01-07T12:30"
_FRIDAY, _FROZEN, _TUESDAY = "2030-01-11T09:00", "2030-01-14T09:00", "2030-01-15T09:00"
_NIGHT, _AFTER = "2030-01-16T02:00", "2030-01-18T02:00"


def play_promotion(folder: Path, pause: float = 0, start: Start = process) -> None:
    """Tell the story in a folder; `start` runs its commands.

    Raises:
        PolicySyncError: ssh-keygen or git is not there, or something ended otherwise than the story has it.
    """
    if not shutil.which("ssh-keygen"):
        raise PolicySyncError("this story signs approvals: install ssh-keygen, which comes with OpenSSH")
    story = Story(folder / "team", pause, _environ(), start)
    _set_up(story)
    _pull_request(story)
    _merged(story)
    _first_look(story)
    _one_policy(story)
    _the_rest(story)
    _drift(story)
    _break_glass(story)
    _rollback(story)


def _environ() -> dict[str, str]:
    """Return an environment in which nobody's configuration of git, policysync or a git host shows."""
    foreign = ("GIT_", "POLICYSYNC_", "GITHUB_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _ANN.items()}
    return {**kept, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


_ANN = {"NAME": "Ann", "EMAIL": "ann@example.com"}


def _set_up(story: Story) -> None:
    story.tell("A team's policies, three stages with embedded consoles, and a remote. It is a Thursday.")
    at(story, _THURSDAY)
    folder = story.root.parent
    replace(story, root=folder).run("init", "team", only="ready")
    story.shell("git", "init", "--quiet", "--bare", "../remote.git")
    story.shell("git", "remote", "add", "origin", "../remote.git")
    story.shell("git", "checkout", "--quiet", "-B", "main")
    story.edit("policysync.yaml", lambda text: text.replace("# ledger: {remote: origin}", "ledger: {remote: origin}"))
    _keys(story, folder)
    commit(story, "the first policies")
    story.tell("The first release goes everywhere, before there are gates.")
    story.run("apply", "--stage", "dev", "--yes", only="^Apply")
    for stage in ("nonprod", "prod"):
        story.run("promote", "--to", stage, "--commit", only="^Gates")
        story.run("apply", "--stage", stage, "--yes", only="^Apply")
    story.tell("From now on prod asks for something.")
    story.edit("policysync.yaml", lambda text: text.replace(_VARIABLES, _VARIABLES + _GATES))
    story.shell("grep", "-A", "10", "    gates:", "policysync.yaml")
    commit(story, "gates for prod")
    story.shell("git", "push", "--quiet", "origin", "main")


def _keys(story: Story, folder: Path) -> None:
    """Make keys for those who approve, and tell git and CODEOWNERS of them."""
    allowed = []
    for name in _PEOPLE:
        made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
        subprocess.run(made, check=True, stdin=subprocess.DEVNULL)
        allowed.append(f"{name}@example.com {(folder / f'{name}.pub').read_text(encoding='ascii')}")
    (folder / "allowed").write_text("".join(allowed), encoding="ascii")
    for name, value in {
        "user.name": _ANN["NAME"],
        "user.email": _ANN["EMAIL"],
        "gpg.format": "ssh",
        "gpg.ssh.allowedSignersFile": str(folder / "allowed"),
    }.items():
        subprocess.run(["git", "config", name, value], cwd=story.root, env=story.environ, check=True)
    owners = " ".join(f"{name}@example.com" for name in _PEOPLE)
    story.edit(".github/CODEOWNERS", lambda text: f"{text}/releases/prod.yaml {owners}\n")


def _pull_request(story: Story) -> None:
    story.tell("Monday, 09:00 in Berlin. Ann makes images stricter and containers looser, and asks for a review.")
    at(story, _MONDAY)
    story.shell("git", "switch", "--quiet", "--create", "no-root")
    story.edit(_IMAGES, lambda text: f"{text}  only_none_root_users: true\n")
    story.edit(_RUNTIME, lambda text: text.replace("no_new_privileges: true", "no_new_privileges: false"))
    commit(story, "no images that run as root; sudo for web workloads")
    story.tell("This is the comment on her pull request.")
    story.run("plan", "--stage", "dev", "--format", "markdown")


def _merged(story: Story) -> None:
    story.tell("It is merged. The workflow plans dev, saves the plan, and applies exactly that; then nonprod gets it.")
    story.shell("git", "switch", "--quiet", "main")
    story.shell("git", "merge", "--quiet", "--no-ff", "-m", "merge no-root", "no-root")
    story.run("plan", "--stage", "dev", "--out", "plan.json", only="^Plan")
    story.run("apply", "--stage", "dev", "plan.json", only="^Apply")
    story.tell("Nobody skips a stage: nonprod does not have it yet.")
    story.run("promote", "--to", "prod", "--revision", "HEAD", "--check", expect=(Exit.BLOCKED,), only="applied-up")
    story.run("promote", "--to", "nonprod", "--commit", only="^Gates")
    story.run("apply", "--stage", "nonprod", "--yes", only="^Apply")
    story.run("status")


def _first_look(story: Story) -> None:
    story.tell("Four and a half hours later: may prod have it?")
    at(story, _LATER)
    story.run("promote", "--to", "prod", "--check", expect=(Exit.BLOCKED,))


def _one_policy(story: Story) -> None:
    story.tell("The stricter policy alone has waited long enough. What else is in its way is done, one after another.")
    one = ("promote", "--to", "prod", "--only", _IMAGE_POLICY)
    asked = story.run(*one, "--check", expect=(Exit.BLOCKED,), only=_NO)
    story.shell("touch", "prod-is-ready")
    story.edit(
        "policysync.yaml", lambda text: text.replace("newly_failing: 0", "newly_failing: 0, unavailable: ignore")
    )
    commit(story, "prod is ready; nobody can say yet which images fail")
    approve(story, "boss", asked)
    story.run(*one, "--rehearse", only="^Rehearsed")
    story.run(*one, "--commit", "--push", only="^  ~|^Gates|^pushed")
    story.run("apply", "--stage", "prod", "--yes", only="^Apply")
    story.run("status", "--stage", "prod")


def _the_rest(story: Story) -> None:
    rest = ("promote", "--to", "prod")
    refused = (Exit.BLOCKED,)
    story.tell("The rest is looser, so it waits three days, and two people have to say yes. Boss is the first.")
    asked = story.run(*rest, "--check", expect=refused, only=_NO)
    approve(story, "boss", asked)
    story.tell("Friday: it has soaked, and the window is closed.")
    at(story, _FRIDAY)
    story.run(*rest, "--check", expect=refused, only=_NO)
    story.tell("Monday there is an audit, and Ciso says yes.")
    at(story, _FROZEN)
    approve(story, "ciso", asked)
    story.run(*rest, "--check", expect=refused, only=_NO)
    story.tell("Tuesday. Somebody has clicked in nonprod, and somebody in prod.")
    at(story, _TUESDAY)
    story.by_hand("nonprod", _LABEL_PATH, {"description": "edited by hand"})
    story.by_hand("prod", _LABEL_PATH, {"description": "edited by hand"})
    story.run(*rest, "--check", expect=refused, only=_NO)
    story.run("apply", "--stage", "nonprod", "--yes", only="^Apply")
    story.run("apply", "--stage", "prod", "--yes", only="^Apply")
    story.tell("Now every gate agrees.")
    story.run(*rest, "--commit", "--push")
    story.run("apply", "--stage", "prod", "--yes", only="^Apply")
    story.run("status")


def _drift(story: Story) -> None:
    story.tell("Somebody makes prod weaker by hand. The nightly run sees it, and the next apply heals it.")
    story.by_hand("prod", _RUNTIME_PATH, {"enforce": False})
    story.run("drift", "--stage", "prod", expect=(Exit.CHANGES,))
    story.run("apply", "--stage", "prod", "--yes", only="^Apply")


def _break_glass(story: Story) -> None:
    story.tell("At night there is an incident, and it has to be weaker for two days. That is taken into git,")
    at(story, _NIGHT)
    story.by_hand("prod", _RUNTIME_PATH, {"enforce": False})
    story.run("adopt", "--stage", "prod", "--write-back", "--branch", "incident-4711")
    story.shell("git", "diff", "--stat", "main", "incident-4711")
    story.tell("or accepted until a date, so that no apply takes it back before.")
    story.edit("policysync.yaml", lambda text: text + _ACCEPTED)
    commit(story, "accept what incident 4711 needs, for two days")
    story.run("plan", "--stage", "prod", "--detailed-exitcode")
    story.tell("After that it is drift again.")
    at(story, _AFTER)
    story.run("drift", "--stage", "prod", expect=(Exit.CHANGES,), only="^  ~|^Drift")
    story.run("apply", "--stage", "prod", "--yes", only="^Apply")


_ACCEPTED = """\
accepted:
  - stage: prod
    resource: ContainerRuntimePolicy/web-workloads
    field: /enforce
    until: 2030-01-17
    reason: incident 4711
"""


def _rollback(story: Story) -> None:
    story.tell("Privileges were a bad idea. Prod goes back to what it had first: a pin and a plan like any other.")
    first = subprocess.run(
        ["git", "log", "--reverse", "--format=%h", "--abbrev=12"],
        cwd=story.root,
        env=story.environ,
        check=True,
        stdout=subprocess.PIPE,
    )
    story.run("rollback", "--stage", "prod", "--to", first.stdout.decode().split()[0], "--commit", "--push")
    story.run("plan", "--stage", "prod")
    story.run("apply", "--stage", "prod", "--yes", only="^Apply")
    story.run("status")
    story.run("history", "--stage", "prod", "--verify")


def at(story: Story, moment: str) -> None:
    """Set the clock to a moment in UTC."""
    story.set("POLICYSYNC_CLOCK", f"{moment}:00+00:00")


def commit(story: Story, message: str) -> None:
    """Commit everything."""
    subprocess.run(["git", "add", "--all"], cwd=story.root, env=story.environ, check=True)
    shown = f"git add --all && git commit --quiet -m '{message}'"
    story.shell("git", "commit", "--quiet", "-m", message, shown=shown)


def approve(story: Story, who: str, said: str) -> None:
    """Commit somebody's signed yes to the release that a gate asked for."""
    found = re.search(r"`Approved-release: (prod \S+)`", said)
    if not found:
        raise PolicySyncError("no gate says which release it wants approved")
    trailers = (f"Approved-by: {who.title()} <{who}@example.com>", f"Approved-release: {found[1]}")
    line = ["git", "-c", f"user.signingkey=../{who}", "commit", "--quiet", "-S", "--allow-empty", "-m", "yes"]
    story.shell(*line, *(f"--trailer={trailer}" for trailer in trailers))
