"""Whatever stands in a file, a plan, the ledger or an answer: a problem or a named failure, soon, no traceback.

`make fuzz` tries each law thousands of times.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from laws.hostile import odd, often, spoilt

from policysync.apply.attest.envelope import Signature, opened
from policysync.apply.attest.statement import PAYLOAD, disagreements, statement_of
from policysync.apply.ledger import Ledger
from policysync.apply.record import Record, State
from policysync.apply.verify import verify
from policysync.backends.answer import Answer, failure
from policysync.backends.connect import connect
from policysync.backends.token import token_life
from policysync.clock import FakeClock
from policysync.commands.saved_plan import saved_plans
from policysync.documents.desired import desired_state
from policysync.documents.parse import parse
from policysync.documents.project import Limits, Project, Stage, Target, load_project
from policysync.documents.worktree import WorkTree
from policysync.errors import BackendError, PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.plan.change import Action, Change, Plan
from policysync.plan.codec import dump
from policysync.secret import Secret
from policysync.state.normalize import digest
from policysync.state.resource import Address, Resource

KINDS = load_kinds()
READ = sorted(name for name, kind in KINDS.items() if "aqua" in kind.backends and not kind.manual)
ENVIRON = {**{n: v for n, v in os.environ.items() if not n.startswith("GIT_")}, "GIT_CONFIG_GLOBAL": "/dev/null"}

DOCUMENT = {
    "apiVersion": "policysync/v1",
    "kind": "ImageAssurancePolicy",
    "metadata": {"name": "one", "labels": {"team": "a"}, "targets": ["console"], "protect": True},
    "spec": {
        "maximum_score_enabled": True,
        "maximum_score": 7,
        "scope": {"expression": "v1", "variables": [{"attribute": "image.name", "value": "x"}]},
        "application_scopes": ["Global"],
        "custom_checks": [{"name": "n", "snippet": "true"}],
        "packages_black_list": [{"format": "rpm", "name": "x"}],
    },
}
CONFIGURATION = {
    "version": 1,
    "stages": [
        {
            "name": "dev",
            "targets": [
                {
                    "name": "console",
                    "backend": "aqua",
                    "url": "https://console.example.com",
                    "auth": {"user": "robot", "password": "${env:X}"},
                    "options": {"verify": True, "hosts": {"account": "https://a.example.com"}},
                }
            ],
            "vars": {"a": 1},
            "gates": {"soaked": "24h"},
        }
    ],
    "guards": {"deletes": {"percent": 30, "floor": 10}},
    "limits": {"parallelism": 10, "requests_per_second": 10, "timeout": 3},
    "ledger": {"remote": "origin"},
    "schemas": [],
    "references": {"external": ["Registry/*"]},
}


APPLIED = Record("a", State.FINISHED, "dev", "console", "me", FakeClock().now())


class Nobody:
    """Trusts nobody."""

    def signer(self, content: bytes, signature: Signature) -> str:
        return ""


@often(200)
@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,-&*!<>|'\"#%@ \n\tab0.eE~\\", max_size=80).map(str.encode))
def test_no_bytes_break_the_parser(content: bytes) -> None:
    for name in ("x.yaml", "x.json"):
        documents, problems = parse(content, name)
        assert not (documents and problems)
        for problem in problems:
            assert str(problem).isprintable() or "\n" not in str(problem)


@pytest.mark.parametrize("opening", ["[", "{a: ", '{"a":', "- ", "&a [", "? "])
@pytest.mark.parametrize("name", ["x.yaml", "x.json"])
def test_nesting_of_any_depth_is_a_problem(opening: str, name: str) -> None:
    documents, problems = parse((opening * 50_000).encode(), name)
    assert not documents
    assert problems


@often(60)
@given(base=spoilt(DOCUMENT), overlay=spoilt(DOCUMENT), form=st.sampled_from(["json", "yaml"]))
def test_no_document_breaks_what_is_desired(
    base: Any, overlay: Any, form: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("hostile")
    if form == "yaml":
        # PyYAML writes references to what it has seen already; the same value twice is not meant here.
        yaml.SafeDumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]  # there is no setting for it
    for folder, value in (("base", base), ("stages/dev", overlay)):
        file = root / "policies" / folder / f"x.{form}"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(value) if form == "json" else yaml.safe_dump(value), encoding="utf-8")
    stage = Stage("dev", (Target("console", "aqua"),), {"a": 1}, first=True)
    desired = desired_state(WorkTree(root), Project(root, (stage,)), stage, KINDS)
    for problem in desired.problems:
        assert len(str(problem)) < 20_000


@often(100)
@given(value=spoilt(CONFIGURATION))
def test_no_configuration_breaks_loading_it_nor_connecting(
    value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("hostile")
    (root / "policysync.yaml").write_text(json.dumps(value), encoding="utf-8")
    with suppress(PolicySyncError):
        project = load_project(root, {})
        for target in (target for stage in project.stages for target in stage.targets):
            with suppress(PolicySyncError):
                connect(target, KINDS, secrets=Secret, again=once, limits=project.limits, root=root).close()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def once(call: Callable[[], Any]) -> Any:
    return call()


def plan() -> dict[str, Any]:
    label = Resource(Address("Label", "one"), {"description": "x"})
    made = Plan("dev", "console", revision="abc", waves=((Change(Action.CREATE, label.address, None, label),),))
    return dump(made, "salt")


@often(100)
@given(value=spoilt({"format_version": 1, "plans": [plan()]}), signed=st.booleans())
def test_no_plan_file_breaks_reading_it(value: Any, signed: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    if signed:
        # Whoever spoils a plan may also know how its digest is made.
        with suppress(TypeError, KeyError, AttributeError):
            for each in value["plans"]:
                each["digest"] = digest({name: inner for name, inner in each.items() if name != "digest"})
    file = tmp_path_factory.mktemp("hostile") / "plan.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    with suppress(PolicySyncError):
        saved_plans(file, "dev")


@pytest.mark.parametrize(("piece", "times"), [("[", 200_000), ('{"plans":', 50_000), ("9", 10_000), ("\xff", 9)])
def test_no_bytes_break_reading_a_plan(piece: str, times: int, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_bytes(piece.encode("latin-1") * times)
    with pytest.raises(PolicySyncError):
        saved_plans(file, "dev")


BODY = {"name": "one", "id": 1, "description": "x", "scope": {"expression": "v1", "variables": []}, "author": "me"}
LIST = {"count": 1, "page": 1, "result": [BODY], "data": [BODY], "permissions": [BODY]}
whole = spoilt(LIST) | spoilt(BODY) | odd
answers = st.tuples(
    st.sampled_from([200, 200, 200, 200, 204, 302, 401, 404, 409, 500]),
    whole.map(as_json) | st.binary(max_size=30) | st.just(b"[" * 5000) | st.just(b'{"a":' * 900),
    st.sampled_from([{}, {"retry-after": "٣"}, {"retry-after": "9" * 400}, {"content-type": "text/html"}]),
)


@often(80)
@given(name=st.sampled_from(READ), login=answers | st.none(), answer=st.lists(answers, min_size=1, max_size=4))
def test_no_answer_breaks_reading_and_writing(name: str, login: Any, answer: list[Any]) -> None:
    asked = [0]

    def console(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        asked[0] += 1
        assert asked[0] < 200, "this does not end"
        if "login" in path or "token" in path or "signin" in path:
            status, said, extra = login or (200, b'{"token": "t", "data": "t"}', {})
        else:
            status, said, extra = answer[asked[0] % len(answer)]
        return status, list(extra.items()), said

    target = Target("dev", "aqua", "embedded:dev")
    backend = connect(target, KINDS, secrets=Secret, again=once, limits=Limits(2), local=console, clock=FakeClock())
    kind = KINDS[name]
    made = Resource(Address(name, "one"), {"name": "one"}, raw=dict(BODY), id="1")
    tried: list[Callable[[], object]] = [
        backend.probe,
        lambda: list(backend.read(kind)),
        lambda: list(backend.read(kind, frozenset({"one"}))),
        lambda: list(backend.list(kind)),
        lambda: backend.write(Change(Action.CREATE, made.address, None, made), kind),
        lambda: backend.write(Change(Action.UPDATE, made.address, made, made), kind),
        lambda: backend.write(Change(Action.DELETE, made.address, made, None), kind),
    ]
    try:
        for each in tried:
            asked[0] = 0
            with suppress(BackendError):
                each()
    finally:
        backend.close()


@often(100)
@given(whole.map(as_json) | st.binary(max_size=40))
def test_no_token_breaks_reading_it(payload: bytes) -> None:
    token_life(Secret("h." + base64.urlsafe_b64encode(payload).decode() + ".s"), 0.0)


@often(100)
@given(body=whole.map(as_json) | st.binary(max_size=40), status=st.integers(400, 599), page=st.booleans())
def test_no_error_of_a_console_breaks_telling_it(body: bytes, status: int, page: bool) -> None:
    headers = {"content-type": "text/html" if page else "application/json"}
    error = failure(Answer("PUT", "/x", status, headers, FakeClock().now(), body), writes=True)
    assert len(str(error)) < 6_000


@often(100)
@given(
    envelope=spoilt({"payloadType": PAYLOAD, "payload": "e30=", "signatures": [{"keyid": "a", "sig": "e30="}]}),
    statement=spoilt(statement_of(APPLIED)),
)
def test_no_attestation_breaks_checking_it(envelope: Any, statement: Any) -> None:
    with suppress(PolicySyncError):
        opened(json.dumps(envelope)).signers(Nobody())
    list(disagreements(statement, APPLIED))


RECORD = {
    "format_version": 1,
    "id": "2026-01-01T00:00:00Z-abc",
    "state": "finished",
    "stage": "dev",
    "target": "console",
    "by": "a <b@c>",
    "at": "2026-01-01T00:00:00+00:00",
    "entries": [],
}
PLACES = (
    "record.json",
    "salt",
    "last-applied/console/Label/one.json",
    "unrepaired/console/Label/one.json",
    "adopted/console/Label/one.json",
)
OPEN = ("open/x/record.json", "open/x/stated/Label/one.json", "last-applied/console/odd")


def git(root: Path, *args: str, stdin: bytes = b"") -> str:
    ran = subprocess.run(["git", *args], cwd=root, env=ENVIRON, input=stdin, capture_output=True, check=True)
    return ran.stdout.decode().strip()


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ledger")
    git(root, "init", "-q")
    return root


@often(12)
@given(
    files=st.dictionaries(
        st.sampled_from(PLACES + OPEN),
        spoilt(RECORD).map(as_json)
        | spoilt({"spec": {"a": 1}, "protect": True}).map(as_json)
        | st.binary(max_size=20)
        | st.just(b"[" * 5000),
        min_size=1,
        max_size=4,
    )
)
def test_nothing_planted_in_the_ledger_breaks_reading_it(files: dict[str, bytes], repo: Path) -> None:
    stream = b"commit refs/policysync/ledger/dev\ncommitter a <a@b> 0 +0000\ndata 0\ndeleteall\n"
    for path, content in files.items():
        stream += b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(content), content)
    git(repo, "fast-import", "--quiet", "--force", stdin=b"reset refs/policysync/ledger/dev\n\n" + stream)
    ledger = Ledger(repo, "dev", FakeClock(), environ=ENVIRON)
    tried: list[Callable[[], object]] = [
        lambda: ledger.salt,
        lambda: ledger.last_applied("console"),
        lambda: ledger.remembered("console").protected,
        lambda: ledger.unrepaired("console"),
        lambda: list(ledger.history()),
        lambda: ledger.unfinished("console"),
        lambda: ledger.adopted("console"),
        lambda: verify(ledger),
    ]
    for each in tried:
        with suppress(PolicySyncError):
            each()
