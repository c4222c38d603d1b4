"""Our requests to GitHub, and the stand-in's answers, held against GitHub's own description: `make github`.

Between the two stands Prism, which answers with an error whenever a request or an answer is not as described.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acceptance.github_stand_in import BOT, StandIn, stand_in

from policysync.clock import SystemClock
from policysync.forges.listed import open_forge
from policysync.forges.port import Forge
from systems.github.description import USED, examples, read

HERE = Path(__file__).parent
PLACE = Path(os.environ.get("GITHUB_CONTRACT", ".venv-github")).resolve()
FILE = PLACE / "node_modules/@octokit/openapi/generated/api.github.com.json"
COMMIT, HEAD = "c" * 40, "a" * 40


@pytest.fixture(scope="session")
def described() -> dict[str, Any]:
    """GitHub's description, from the registry on the first run."""
    if not FILE.exists():
        PLACE.mkdir(exist_ok=True)
        shutil.copy(HERE / "package.json", PLACE)
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=PLACE, check=True)
    found = read(FILE)
    version = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"]
    sys.stdout.write(f"\n{found['info']['title']} {found['info']['version']}: {len(USED)} paths; {version}\n")
    return found


@pytest.fixture
def hub(described: dict[str, Any], tmp_path: Path) -> Iterator[StandIn]:
    """The stand-in behind Prism."""
    with stand_in(examples=examples(FILE)) as hub:
        spec = tmp_path / "github.json"
        spec.write_text(json.dumps(described), encoding="utf-8")
        line = [str(PLACE / "node_modules/.bin/prism"), "proxy", "--errors", "--port", "0", str(spec), hub.url]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as prism:
            assert prism.stdout is not None
            said = ""
            for text in prism.stdout:
                said += text
                if found := re.search(r"listening on (http://127\.0\.0\.1:\d+)", text):
                    hub.url = found[1]
                    break
            assert hub.url in said, said
            hub.add_pull(7)
            yield hub
            prism.terminate()


@pytest.fixture
def forge(hub: StandIn) -> Forge:
    return open_forge(hub.environ(), SystemClock())


@pytest.mark.parametrize("user", [None, {"login": "release-team", "id": 3, "type": "User"}])
def test_comments(hub: StandIn, forge: Forge, user: dict[str, Any] | None) -> None:
    hub.user = user
    hub.page = 2
    for number in range(5):
        hub.add_comment(7, f"talk {number}", BOT)
    for text in ("one", "two", "two"):
        forge.comment(7, "plan", text)
    assert len(hub.bodies(7)) == 6
    hub.add_comment(7, hub.bodies(7)[-1], hub.author())
    forge.comment(7, "plan", "three")
    assert len(hub.bodies(7)) == 6


def test_issues(hub: StandIn, forge: Forge) -> None:
    for text in ("one", "two", None):
        forge.issue("drift", "Drift", text, ["drift"])
    assert [issue["state"] for issue in hub.issues] == ["closed"]


def test_pull_requests(hub: StandIn, forge: Forge) -> None:
    for text in ("one", "two"):
        forge.pull_request("promote/prod", "main", "Promote", text)
    assert len(hub.pulls) == 2


def test_approvals(hub: StandIn, forge: Forge) -> None:
    # The description has no path with a folder in it: to Prism there is never a .github/CODEOWNERS.
    hub.files["CODEOWNERS", "b" * 40] = "* @bob @team/security"
    hub.teams["team/security"] = ["carl"]
    hub.of_commit[COMMIT] = [7]
    for login in ("bob", "carl", "dora"):
        hub.add_review(7, login, "APPROVED", HEAD, "2026-03-01T10:00:00Z")
    assert [one.who for one in forge.approvals("releases/prod.yaml", COMMIT)] == ["bob", "carl"]
    asked = dict.fromkeys(re.sub(r"\d+|[0-9a-f]{40}", "N", request) for request in hub.requests)
    sys.stdout.write("\n".join(["", *asked, ""]))
