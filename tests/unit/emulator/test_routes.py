"""Method and path → the call that is meant."""

from __future__ import annotations

import pytest

from policysync.emulator.routes import Routes, routes_of
from policysync.kinds.load import Kinds, load_kinds


@pytest.fixture(scope="module")
def routes(small_kinds: Kinds) -> Routes:
    return routes_of(small_kinds.values())


@pytest.mark.parametrize(
    ("method", "path", "operation", "ident"),
    [
        ("GET", "/api/v2/doors", "list", ""),
        ("GET", "/api/v2/doors/", "list", ""),
        ("POST", "/api/v2/doors", "create", ""),
        ("GET", "/api/v2/doors/a%2Fb%20c", "get", "a/b c"),
        ("PUT", "/api/v2/doors/a+b", "update", "a+b"),
        ("DELETE", "/api/v2/doors/%25", "delete", "%"),
        ("DELETE", "/api/v2/notes/multiple", "delete", ""),
        ("GET", "/supply_chain/v2/gadgets/g", "get", "g"),
        ("GET", "/v2/gadgets/g", "get", "g"),
    ],
)
def test_calls_are_found(routes: Routes, method: str, path: str, operation: str, ident: str) -> None:
    route, found, known = routes.find(method, path)
    assert route is not None
    assert (route.operation, found, known) == (operation, ident, True)


@pytest.mark.parametrize(
    ("method", "path", "known"),
    [
        ("PATCH", "/api/v2/doors/a", True),
        ("DELETE", "/api/v2/doors", True),
        ("GET", "/api/v2/doors/a/b", False),
        ("GET", "/", False),
        ("GET", "", False),
        ("GET", "/api/v2/notes/multiple", True),
    ],
)
def test_other_calls_are_not(routes: Routes, method: str, path: str, known: bool) -> None:
    assert routes.find(method, path) == (None, "", known)


def test_kinds_with_one_path_share_a_route(routes: Routes) -> None:
    route, _, _ = routes.find("GET", "/api/v2/windows")
    assert route is not None
    assert [kind.name for kind in route.kinds] == ["GlassWindow", "PaperWindow"]


def test_image_assurance_policies_are_also_where_old_consoles_have_them() -> None:
    routes = routes_of([load_kinds()["ImageAssurancePolicy"], load_kinds()["AssuranceScript"]])
    route, ident, _ = routes.find("GET", "/api/v2/image_assurance/Default")
    assert route is not None
    assert (route.kinds[0].name, ident) == ("ImageAssurancePolicy", "Default")
    scripts, _, _ = routes.find("GET", "/api/v2/image_assurance/user_scripts")
    assert scripts is not None
    assert scripts.kinds[0].name == "AssuranceScript"
