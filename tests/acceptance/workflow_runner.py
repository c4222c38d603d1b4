"""Runs a workflow file without GitHub: every job in a fresh clone, every `run:` step by bash, as a runner does it.

Actions of others are played: checkout clones, artifacts are folders, SARIF files are kept. What a step is given is what
the file says and nothing else, so that a variable, output or artifact that is missing is missing here too.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml
from acceptance.expression import filled, holds, shown
from acceptance.github_stand_in import REPOSITORY, TOKEN
from zygote import process

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Job:
    """How one job of a matrix ended. `result` is success, failure or skipped."""

    name: str
    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    summary: str = ""
    permissions: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""


@dataclass
class Runner:
    """GitHub, and the machines it hands out. `consoles` is a folder they all see, as they would see a console."""

    folder: Path
    origin: Path
    api: str
    consoles: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    sarif: list[Any] = field(default_factory=list)
    _runs: Iterator[int] = field(default_factory=itertools.count)

    def run(self, file: Path, event_name: str, event: Mapping[str, Any], ref: str = "main") -> dict[str, list[Job]]:
        """Run a workflow for an event and return its jobs, each with one entry for each cell of its matrix."""
        workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
        there = self.folder / f"run-{next(self._runs)}"
        (there / "artifacts").mkdir(parents=True)
        (there / "event.json").write_text(json.dumps(event), encoding="utf-8")
        sha = _git(self.origin, "rev-parse", ref).strip()
        github = {
            "event": event,
            "event_name": event_name,
            "repository": REPOSITORY,
            "sha": sha,
            "ref": f"refs/heads/{ref}",
            "token": TOKEN,
            "actor": "ann",
            "actor_id": "7",
        }
        inputs = event.get("inputs") or {}
        base = {"github": github, "secrets": self.secrets, "vars": {}, "inputs": inputs, "runner": {}}
        ended: dict[str, list[Job]] = {}
        for name, job in workflow["jobs"].items():
            assert set(job["permissions"]) <= {"contents", "pull-requests", "issues", "security-events"}
            ended[name] = list(self._job(there, name, {**_defaults(workflow), **job}, base, ended))
        return ended

    def _job(
        self, there: Path, name: str, job: dict[str, Any], base: dict[str, Any], ended: Mapping[str, list[Job]]
    ) -> Iterator[Job]:
        needed = job.get("needs", [])
        needed = [needed] if isinstance(needed, str) else needed
        context = {**base, "needs": {one: _needed(ended[one]) for one in needed}}
        failed = any(context["needs"][one]["result"] != "success" for one in needed)
        if not holds(job.get("if"), context, failed):
            yield Job(name, "skipped")
            return
        matrix = filled(job.get("strategy", {}).get("matrix", {}), context)
        for index, cell in enumerate(_cells(matrix)):
            inner = {**context, "matrix": cell, "strategy": {"job-index": index}}
            machine = Machine(self, there, there / f"{name}-{index}", job, inner)
            yield machine.work(name)


@dataclass
class Machine:
    """A fresh machine for one job."""

    runner: Runner
    run: Path
    home: Path
    job: Mapping[str, Any]
    context: dict[str, Any]

    def work(self, name: str) -> Job:
        """Carry out the steps."""
        self.temp, self.workspace = self.home / "temp", self.home / "workspace"
        for folder in (self.temp, self.workspace):
            folder.mkdir(parents=True)
        self.context |= {"runner": {"temp": str(self.temp)}, "steps": {}}
        self.log: list[str] = []
        (self.home / "summary").touch()
        failed = False
        for number, step in enumerate(self.job["steps"]):
            if not holds(step.get("if"), self.context, failed):
                continue
            good = self._step(number, step)
            failed = failed or not (good or step.get("continue-on-error"))
        outputs = {key: shown(value) for key, value in filled(self.job.get("outputs", {}), self.context).items()}
        return Job(
            name,
            "failure" if failed else "success",
            outputs,
            "\n".join(self.log),
            (self.home / "summary").read_text(encoding="utf-8"),
            self.job["permissions"],
            shown(filled(self.job.get("environment", ""), self.context)),
        )

    def _step(self, number: int, step: Mapping[str, Any]) -> bool:
        if "uses" in step:
            action = step["uses"].partition("@")[0]
            return ACTIONS[action](self, filled(step.get("with", {}), self.context))
        if step["name"] == "Install":
            assert re.fullmatch(r"pip install '(?:policysync|\.)\[github\](?:==[\d.]+)?'", step["run"])
            return True
        assert "${{" not in step["run"], "an expression inside a script is an injection"
        stated = filled({**self.job.get("env", {}), **step.get("env", {})}, self.context)
        output = self.home / f"output-{number}"
        output.touch()
        script = self.home / f"step-{number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self._environ(), "GITHUB_OUTPUT": str(output), **{k: shown(v) for k, v in stated.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        self.log.append(ended.stdout + ended.stderr)
        pairs = [line.partition("=") for line in output.read_text(encoding="utf-8").splitlines()]
        self.context["steps"][step.get("id", f"#{number}")] = {"outputs": {key: value for key, _, value in pairs}}
        return ended.returncode == 0

    def _environ(self) -> dict[str, str]:
        github = self.context["github"]
        return {
            "PATH": f"{process.scripts()}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            # Whoever runs the tests has a git identity; a runner has none.
            "HOME": str(self.home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.runner.api,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_ACTOR": github["actor"],
            "GITHUB_SHA": github["sha"],
            "GITHUB_REF": github["ref"],
            "GITHUB_REF_NAME": github["ref"].rpartition("/")[2],
            "GITHUB_RUN_ID": "4711",
            "GITHUB_EVENT_NAME": github["event_name"],
            "GITHUB_EVENT_PATH": str(self.run / "event.json"),
            "GITHUB_STEP_SUMMARY": str(self.home / "summary"),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temp),
        }

    def checkout(self, stated: Mapping[str, Any]) -> bool:
        """Clone; without credentials origin is out of reach afterwards, as it is in a private repository."""
        assert "persist-credentials" in stated
        depth = stated.get("fetch-depth", 1)
        shallow = [] if depth == 0 else [f"--depth={depth}"]
        # Only branches are fetched, as the action does it.
        _git(self.home, "clone", "--quiet", *shallow, self.runner.origin.as_uri(), str(self.workspace))
        _git(self.workspace, "checkout", "--quiet", "--detach", self.context["github"]["sha"])
        if not stated["persist-credentials"]:
            _git(self.workspace, "remote", "set-url", "origin", "https://127.0.0.1:1/no-credentials.git")
        if self.runner.consoles:
            (self.workspace / ".policysync").mkdir()
            (self.workspace / ".policysync" / "consoles").symlink_to(self.runner.consoles)
        return True

    def setup_python(self, stated: Mapping[str, Any]) -> bool:
        """Python is there."""
        return bool(stated["python-version"])

    def upload(self, stated: Mapping[str, Any]) -> bool:
        """Keep files as an artifact. The action warns, and goes on, where there are none."""
        path = Path(stated["path"])
        if path.is_dir():
            shutil.copytree(path, self.run / "artifacts" / stated["name"])
        return True

    def download(self, stated: Mapping[str, Any]) -> bool:
        """Bring artifacts; a name that is not there is an error, a pattern that matches nothing is none."""
        held = self.run / "artifacts"
        if "name" in stated:
            found = [held / stated["name"]]
            if not found[0].is_dir():
                self.log.append(f"no artifact {stated['name']}")
                return False
        else:
            assert stated["merge-multiple"]
            found = [one for one in sorted(held.iterdir()) if fnmatchcase(one.name, stated["pattern"])]
        for artifact in found:
            shutil.copytree(artifact, stated["path"], dirs_exist_ok=True)
        return True

    def sarif(self, stated: Mapping[str, Any]) -> bool:
        """Take the findings."""
        self.runner.sarif.append(json.loads(Path(stated["sarif_file"]).read_text(encoding="utf-8")))
        return True


ACTIONS = {
    "actions/checkout": Machine.checkout,
    "actions/setup-python": Machine.setup_python,
    "actions/upload-artifact": Machine.upload,
    "actions/download-artifact": Machine.download,
    "github/codeql-action/upload-sarif": Machine.sarif,
}


def _defaults(workflow: Mapping[str, Any]) -> dict[str, Any]:
    assert workflow["defaults"] == {"run": {"shell": "bash"}}
    assert workflow["permissions"] == {}
    return {"env": workflow.get("env", {})}


def _needed(jobs: list[Job]) -> dict[str, Any]:
    results = {job.result for job in jobs}
    result = "failure" if "failure" in results else "skipped" if "skipped" in results else "success"
    return {"result": result, "outputs": jobs[-1].outputs if jobs else {}}


def _cells(matrix: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    names = list(matrix)
    for values in itertools.product(*matrix.values()):
        yield dict(zip(names, values, strict=True))


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True).stdout
