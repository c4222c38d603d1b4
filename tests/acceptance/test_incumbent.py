"""Troubles that users of other tools for this console report, each held not to happen here."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from acceptance.faulty import CONFIGURATION, KINDS, World, start
from acceptance.policy_repository import PolicyRepository, Ran, new_repository

from policysync.backends.paging import PAGE_SIZE
from policysync.emulator.exchange import Request, Response
from policysync.emulator.faults import Fault

Opens = Callable[..., World]
SAAS = """\
version: 1
stages:
  - name: dev
    targets:
      - name: console
        backend: aqua
        url: http://127.0.0.1:{port}
        auth: {{method: saas-password, email: robot, password: "${{env:ROBOT}}"}}
        options: {{hosts: {{token: "http://127.0.0.1:{port}"}}}}
limits: {{parallelism: 2, requests_per_second: 1000}}
"""


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Opens]:
    """Returns a function that starts a console with these settings, and a policy repository that points to it."""
    worlds: list[World] = []

    def open_console(configuration: str = CONFIGURATION, **settings: Any) -> World:
        repository = new_repository(tmp_path / "team")
        world = start(repository.root, None, **settings)
        worlds.append(world)
        repository.write("policysync.yaml", configuration.format(port=world.server.port))
        return world

    yield open_console
    for world in worlds:
        world.close()


class Hand:
    """Somebody who changes a console by its own API."""

    def __init__(self, world: World) -> None:
        self._handle = world.console.handle
        self.headers: dict[str, str] = {}
        login = self.call("POST", "/api/v1/login", {"id": "robot", "password": "acceptance-password"})
        self.headers["authorization"] = f"Bearer {login['token']}"

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON of the answer."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._handle(Request(method, path, {**self.headers, "content-type": "application/json"}, content))
        assert answer.status < 300, (method, path, answer)
        return json.loads(answer.body) if answer.body else {}

    def edit(self, path: str, **members: object) -> None:
        """Read, change, write back."""
        self.call("PUT", path, {**self.call("GET", path), **members})


def state(world: World, kind: str, name: str, **spec: object) -> None:
    """State a resource in git."""
    document = {"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    repository = PolicyRepository(world.root)
    repository.write(f"policies/base/{kind}-{name}.json", json.dumps(document))
    repository.commit()


def apply(world: World) -> None:
    applied = world.run("apply", "--stage", "dev", "--yes")
    assert applied.status == 0, applied.err + applied.out


def plan(world: World, *options: str) -> Ran:
    return world.run("plan", "--stage", "dev", "--detailed-exitcode", *options)


def in_sync(world: World) -> None:
    for _ in range(2):
        planned = plan(world)
        assert planned.status == 0, planned.out + planned.err


IMAGE = "/api/v2/assurance_policy/image/p"
KUBERNETES = "/api/v2/assurance_policy/kubernetes/p"
RUNTIME = "/api/v2/runtime_policies/p"


@pytest.mark.parametrize("quirks", ["off", "mild", "harsh"])
def test_kubernetes_controls_do_not_differ_for_ever(console: Opens, quirks: str) -> None:
    world = console(quirks=quirks)
    controls = [{"avd_id": f"AVD-KSV-{n:04}", "enabled": True, "severity": "high"} for n in (121, 8, 17)]
    state(world, "KubernetesAssurancePolicy", "p", kubernetes_controls=controls)
    apply(world)
    in_sync(world)
    # What a console adds by itself: numbers of its own, names, texts, and an order of its own.
    theirs = [
        {**c, "script_id": n, "name": f"Control {n}", "description": "a text", "kind": "workload", "ootb": True}
        for n, c in enumerate(reversed(controls))
    ]
    Hand(world).edit(KUBERNETES, kubernetes_controls=theirs)
    in_sync(world)
    Hand(world).edit(KUBERNETES, kubernetes_controls=[{**theirs[0], "enabled": False}, *theirs[1:]])
    assert "kubernetes_controls[avd_id=AVD-KSV-0017].enabled: false → true" in plan(world).out


@pytest.mark.parametrize("member", ["enabled", "enforce"])
@pytest.mark.parametrize(
    ("kind", "path"),
    [("ImageAssurancePolicy", IMAGE), ("KubernetesAssurancePolicy", KUBERNETES), ("ContainerRuntimePolicy", RUNTIME)],
)
def test_switching_a_policy_off_by_hand_is_seen(console: Opens, kind: str, path: str, member: str) -> None:
    world = console()
    state(world, kind, "p", enabled=True, enforce=True)
    apply(world)
    Hand(world).edit(path, **{member: False})
    found = plan(world)
    assert found.status == 2
    assert f"{member}: false → true  (drift" in found.out
    assert world.run("drift", "--stage", "dev").status == 2
    apply(world)
    assert Hand(world).call("GET", path)[member] is True


def test_an_edit_of_a_runtime_scope_is_seen(console: Opens) -> None:
    world = console()
    variables = [{"attribute": "kubernetes.namespace", "value": "web"}]
    state(world, "ContainerRuntimePolicy", "p", scope={"expression": "v1", "variables": variables})
    apply(world)
    in_sync(world)
    wider = [{"attribute": "kubernetes.namespace", "value": "*"}]
    Hand(world).edit(RUNTIME, scope={"expression": "v1", "variables": wider})
    found = plan(world)
    assert found.status == 2
    assert "scope.variables" in found.out
    assert '"*"' in found.out
    apply(world)
    assert Hand(world).call("GET", RUNTIME)["scope"]["variables"][0]["value"] == "web"


MANY: dict[str, tuple[str, dict[str, Any]]] = {
    "PermissionSet": ("/api/v2/access_management/permissions", {"actions": ["images.read"]}),
    "Role": ("/api/v2/access_management/roles", {"permission": "Auditor", "scopes": ["Global"]}),
    "ScannerGroup": ("/api/v2/scanner_groups", {"application_scopes": ["Global"]}),
}


@pytest.mark.parametrize("kind", MANY)
def test_more_than_the_first_page_is_read(console: Opens, kind: str) -> None:
    world = console()
    hand = Hand(world)
    path, body = MANY[kind]
    count = 2 * PAGE_SIZE + 5
    for number in range(count):
        hand.call("POST", path, {**body, "name": f"n{number:04}"})
    adopted = world.run("adopt", "--stage", "dev", "--kind", kind)
    assert adopted.status == 0, adopted.err
    assert f"adopted {count} resources" in adopted.err
    in_sync(world)
    assert plan(world, "--fail-unmanaged", "--only", f"{kind}/*").status == 0


GONE = [
    Fault("GET", IMAGE, status=404),
    Fault("GET", IMAGE, status=404, body={"message": "policy not found", "code": 404}),
    Fault("GET", IMAGE, status=404, body="<html>not found</html>"),
    Fault("GET", IMAGE, status=200, body={"name": ""}),
]


@pytest.mark.parametrize("answer", GONE, ids=["no body", "a message", "a page", "an empty object"])
def test_a_deletion_is_noticed_whatever_the_text(console: Opens, answer: Fault) -> None:
    world = console()
    state(world, "ImageAssurancePolicy", "p", maximum_score_enabled=True, maximum_score=7)
    apply(world)
    Hand(world).call("DELETE", IMAGE)
    world.fails(answer)
    found = plan(world)
    assert found.status == 2, found.err
    assert "+ ImageAssurancePolicy/p  (drift" in found.out
    world.well_again()
    apply(world)
    in_sync(world)


def test_an_error_that_speaks_of_not_found_is_no_deletion(console: Opens) -> None:
    world = console()
    state(world, "ImageAssurancePolicy", "p", maximum_score_enabled=True, maximum_score=7)
    apply(world)
    world.fails(Fault("GET", IMAGE, status=400, body={"message": "host not found", "code": 400}))
    found = plan(world)
    assert found.status == 1
    assert "host not found" in found.err


def test_members_nobody_knows_survive_an_update(console: Opens) -> None:
    world = console()
    schema = dict(KINDS["ImageAssurancePolicy"].schema)
    older = {name: sub for name, sub in schema["properties"].items() if name != "cvss_severity"}
    repository = PolicyRepository(world.root)
    repository.write("schemas/image_assurance_policy.json", json.dumps({**schema, "properties": older}))
    configuration = (world.root / "policysync.yaml").read_text(encoding="utf-8")
    repository.write("policysync.yaml", f"{configuration}schemas: [schemas]\n")
    state(world, "ImageAssurancePolicy", "p", maximum_score_enabled=True, maximum_score=7)
    apply(world)
    Hand(world).edit(IMAGE, cvss_severity="critical")
    in_sync(world)
    state(world, "ImageAssurancePolicy", "p", maximum_score_enabled=True, maximum_score=5)
    apply(world)
    live = Hand(world).call("GET", IMAGE)
    assert (live["cvss_severity"], live["maximum_score"]) == ("critical", 5)


def test_allowed_images_may_come_as_texts_and_go_as_objects(console: Opens) -> None:
    world = console()
    sent: list[dict[str, Any]] = []
    handle = world.console._handle

    def old_console(request: Request) -> Response:
        if request.path == IMAGE and request.method == "PUT":
            sent.append(json.loads(request.body))
        answer = handle(request)
        if request.path != IMAGE or request.method != "GET" or answer.status != 200:
            return answer
        body = json.loads(answer.body)
        body["allowed_images"] = [image["imagename"] for image in body.get("allowed_images") or ()]
        return Response(200, json.dumps(body).encode(), answer.headers)

    world.console._handle = old_console  # type: ignore[method-assign]  # a console of years ago answers like this
    image = {"registry": "", "imagename": "base:1"}
    state(world, "ImageAssurancePolicy", "p", allowed_images=[image])
    apply(world)
    in_sync(world)
    (world.root / "policies/base/ImageAssurancePolicy-p.json").unlink()
    state(world, "ImageAssurancePolicy", "p", description="no word about images")
    apply(world)
    assert sent
    assert all(isinstance(one, dict) for body in sent for one in body["allowed_images"])
    (world.root / "policies/base/ImageAssurancePolicy-p.json").unlink()
    adopted = world.run("adopt", "--stage", "dev", "--kind", "ImageAssurancePolicy")
    assert adopted.status == 0, adopted.err
    in_sync(world)


@pytest.mark.parametrize(
    ("member", "value"),
    [("enable_fork_guard", True), ("readonly_files", {"enabled": True, "readonly_files": ["/etc"]})],
)
def test_a_control_that_current_consoles_refuse_is_named(console: Opens, member: str, value: object) -> None:
    world = console(SAAS, edition="saas", email="robot")
    state(world, "ContainerRuntimePolicy", "p", **{member: value})
    warned = world.run("validate")
    assert warned.status == 0
    assert f"/spec/{member}: " in warned.out
    assert "Current consoles refuse container policies" in warned.out
    refused = world.run("apply", "--stage", "dev", "--yes")
    assert refused.status == 1
    said = refused.out + refused.err
    assert f"{member} is not supported" in said
    assert "Current consoles refuse container policies" in said


def test_a_list_that_moved_is_said_plainly(console: Opens) -> None:
    world = console()
    state(world, "ApplicationScope", "web", categories={})
    world.fails(Fault("GET", "/api/v2/access_management/scopes*", status=404))
    for options in ((), ("--show-unmanaged",)):
        moved = plan(world, *options)
        assert moved.status == 1
        assert "GET /api/v2/access_management/scopes" in moved.err
        assert "404" in moved.err
        assert "no such address for its list of" in moved.err


def test_a_success_without_effect_is_a_failure(console: Opens) -> None:
    world = console()
    state(world, "ImageAssurancePolicy", "p", maximum_score_enabled=True, maximum_score=7)
    apply(world)
    state(world, "ImageAssurancePolicy", "p", maximum_score_enabled=True, maximum_score=5)
    world.fails(Fault("PUT", IMAGE, forget=("maximum_score",)))
    applied = world.run("apply", "--stage", "dev", "--yes")
    assert applied.status == 1
    assert "maximum_score" in applied.out + applied.err
    world.well_again()
    assert plan(world).status == 2


def counted(world: World) -> list[int]:
    """Return the statuses of all answers from now on."""
    statuses: list[int] = []
    lock = threading.Lock()
    handle = world.console.handle

    def counting(request: Request) -> Response:
        answer = handle(request)
        with lock:
            statuses.append(answer.status)
        return answer

    world.console.handle = counting  # type: ignore[method-assign]  # what passes between the two
    return statuses


@pytest.mark.parametrize(("speed", "count"), [(None, 15), ("200", 45)])
def test_thirty_requests_a_second_are_enough(console: Opens, speed: str | None, count: int) -> None:
    default_pace = CONFIGURATION.partition("limits:")[0]
    world = console(default_pace, rate=30)
    repository = PolicyRepository(world.root)
    for number in range(count):
        document = {"kind": "Label", "metadata": {"name": f"n{number}"}, "spec": {"description": "x"}}
        repository.write(f"policies/base/{number}.json", json.dumps({"apiVersion": "policysync/v1", **document}))
    repository.commit()
    statuses = counted(world)
    options = ("--max-rps", speed) if speed else ()
    applied = world.run("apply", "--stage", "dev", "--yes", *options)
    assert applied.status == 0, applied.err
    assert len(world.labels()) == count
    assert len(statuses) > 30
    # A busy machine may be too slow to be told so, however fast it is meant to be.
    assert speed or 429 not in statuses
