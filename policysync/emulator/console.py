"""One console: a request goes in, a response comes out, and nothing here knows about sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from policysync.clock import Clock, SystemClock
from policysync.emulator.auth import Tokens, identify
from policysync.emulator.exchange import Answered, Request, Response, answer, refuse
from policysync.emulator.faults import FaultPlan, Faults
from policysync.emulator.openapi import description
from policysync.emulator.planes import GATEWAY, Plane, in_form, is_elsewhere, is_gateway, plane_of
from policysync.emulator.rate import Rate
from policysync.emulator.rest import Call, Rest
from policysync.emulator.rights import check_rights
from policysync.emulator.routes import Route, Routes, routes_of
from policysync.emulator.seed import is_seeded, seed_builtins, seed_folder
from policysync.emulator.settings import Settings
from policysync.emulator.sign_in import ENVIRONMENTS, LOGIN, SIGN_IN, TOKENS, api_token, environments, login, sign_in
from policysync.emulator.store import Store
from policysync.emulator.views import Views, views_of
from policysync.kinds.kind import Kind

_BACKEND = "aqua"
_ONLY_SAAS = ("account", "prov", "front", "supply-chain")
_METHODS = ("GET", "POST", "PUT", "DELETE")
_RETIRED = "/api/access_mgmt/scopes"
"""Once the scopes of a SaaS account; now it says nothing at all (reference, policies 8)."""
_VIEW = Route("view", (), {})
_FRONT_PAGE = Response(200, b"<html><body>an emulated console</body></html>", (("content-type", "text/html"),))


class Console:
    """A console with the kinds it is given. Answers from many threads at once."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        store: Store,
        *,
        settings: Settings | None = None,
        clock: Clock | None = None,
        seed: Path | None = None,
        faults: FaultPlan | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock or SystemClock()
        self.store = store
        self._given = kinds
        self._rest = Rest(store, self.settings, self.clock, self._every_kind)
        self._tokens = Tokens(store, self.clock)
        self._rate = Rate(self.settings.rate, self.clock) if self.settings.rate else None
        self._faults = Faults(faults, self.clock) if faults else None
        if not is_seeded(store):
            seed_builtins(self.kinds, self._rest)
        if seed is not None:
            seed_folder(seed, self.kinds, self._rest, self._given)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds a console serves. Reading their files takes longer than anything else here."""
        edition = self.settings.edition
        return {
            k.name: k
            for k in self._given.values()
            if _BACKEND in k.backends and k.api and (edition == "both" or not k.editions or edition in k.editions)
        }

    def _every_kind(self) -> Iterable[Kind]:
        return self.kinds.values()

    @cached_property
    def routes(self) -> Routes:
        return routes_of(self.kinds.values())

    @cached_property
    def _views(self) -> Views:
        return views_of(self.kinds, self.routes, self._rest)

    def handle(self, request: Request) -> Response:
        """Return the answer to a request. A refusal is an answer as well.

        Raises:
            Dropped: a fault breaks the connection.
        """
        if self._faults is None:
            return self._handle(request)
        route, _, _ = self.routes.find(request.method, request.path)
        names = [kind.name for kind in route.kinds] if route else []
        return self._faults.around(request, names, self._handle)

    def close(self) -> None:
        self.store.close()

    def _handle(self, request: Request) -> Response:
        plane = plane_of(request.path)
        try:
            return self._answer(request, plane)
        except Answered as early:
            return in_form(plane, early.response)

    def _answer(self, request: Request, plane: Plane) -> Response:
        if request.method == "HEAD":
            # The server leaves the body away.
            request = replace(request, method="GET")
        limited = self._rate.refusal() if self._rate else None
        if limited is not None:
            return limited
        if is_gateway(request):
            return GATEWAY
        if is_elsewhere(request) or (plane in _ONLY_SAAS and self.settings.edition == "self-hosted"):
            raise refuse(404, "Not Found")
        opened = self._open(request)
        if opened is not None:
            return opened
        visitor = identify(request, plane, self.settings, tokens=self._tokens, store=self.store, clock=self.clock)
        check_rights(visitor, request, plane, self.store)
        if (request.method, request.path) == ("GET", ENVIRONMENTS):
            return environments(request, self.settings)
        return self._dispatch(request, visitor.user)

    def _open(self, request: Request) -> Response | None:
        """Answer what needs no token."""
        path = request.path.rstrip("/") or "/"
        if path == "/api":
            return answer(200, {"authorization_header": self.settings.authorization_header})
        opened = self._opened.get((request.method, path))
        return opened(request) if opened else None

    @cached_property
    def _opened(self) -> Mapping[tuple[str, str], Callable[[Request], Response]]:
        settings, tokens, store = self.settings, self._tokens, self.store
        return {
            ("GET", "/"): lambda _: _FRONT_PAGE,
            ("GET", "/openapi.json"): lambda _: answer(200, self.description()),
            ("POST", LOGIN): lambda request: login(request, settings, tokens, store),
            ("POST", SIGN_IN): lambda request: sign_in(request, settings, tokens),
            ("POST", TOKENS): lambda request: api_token(request, settings, tokens, store, self.clock),
        }

    def description(self) -> dict[str, Any]:
        """Return the OpenAPI description of this console."""
        return description(self.kinds.values(), self.routes, self._views.paths)

    def _dispatch(self, request: Request, user: str) -> Response:
        path = request.path.rstrip("/")
        if path.startswith(_RETIRED):
            return Response(404)
        view = self._views.exact(request.method, path)
        if view is not None:
            return view(Call(_VIEW, "", request, user))
        route, name, known = self.routes.find(request.method, request.path)
        if route is not None:
            return self._rest.answer(Call(route, name, request, user))
        view, parts, viewed = self._views.named(request.method, path)
        if view is not None:
            return view(Call(_VIEW, "", request, user, parts))
        if not (known or viewed):
            raise refuse(404, "Not Found")
        raise refuse(405, "Method Not Allowed", ("allow", ", ".join(self._allowed(path))))

    def _allowed(self, path: str) -> Iterator[str]:
        """Yield the methods that a path knows."""
        for method in _METHODS:
            route, _, _ = self.routes.find(method, path)
            if route or self._views.exact(method, path) or self._views.named(method, path)[0]:
                yield method
