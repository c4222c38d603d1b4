"""One console: a request goes in, a response comes out, and nothing here knows about sockets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from policysync.clock import Clock, SystemClock
from policysync.emulator.auth import Tokens, identify, sign_in
from policysync.emulator.exchange import Answered, Request, Response, answer, refuse
from policysync.emulator.faults import SIGN_IN, FaultPlan, Faults
from policysync.emulator.rate import Rate
from policysync.emulator.rest import Call, Rest
from policysync.emulator.routes import Route, Routes, routes_of
from policysync.emulator.seed import is_seeded, seed_builtins, seed_folder
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.emulator.views import View, views_of
from policysync.kinds.kind import Kind

_BACKEND = "aqua"
_VIEW = Route("view", (), {})


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
        self._rest = Rest(store, self.settings, self.clock)
        self._tokens = Tokens(store, self.clock)
        self._rate = Rate(self.settings.rate, self.clock) if self.settings.rate else None
        self._faults = Faults(faults, self.clock) if faults else None
        if not is_seeded(store):
            seed_builtins(self.kinds, self._rest)
        if seed is not None:
            seed_folder(seed, self.kinds, self._rest)

    @cached_property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds a console serves. Reading their files takes longer than anything else here."""
        return {k.name: k for k in self._given.values() if k.backend == _BACKEND and k.api}

    @cached_property
    def routes(self) -> Routes:
        return routes_of(self.kinds.values())

    @cached_property
    def _views(self) -> Mapping[tuple[str, str], View]:
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
        try:
            return self._answer(request)
        except Answered as early:
            return early.response

    def _answer(self, request: Request) -> Response:
        limited = self._rate.refusal() if self._rate else None
        if limited is not None:
            return limited
        if request.path == "/api":
            return answer(200, {"authorization_header": self.settings.authorization_header})
        if (request.method, request.path) == ("POST", SIGN_IN):
            return sign_in(request, self.settings, self._tokens)
        user = identify(request, self.settings, self._tokens)
        return self._dispatch(request, user)

    def _dispatch(self, request: Request, user: str) -> Response:
        view, name = self._view(request)
        if view is not None:
            return view(Call(_VIEW, name, request, user))
        route, name, known = self.routes.find(request.method, request.path)
        if route is None:
            raise refuse(405, "Method Not Allowed") if known else refuse(404, "Not Found")
        return self._rest.answer(Call(route, name, request, user))

    def _view(self, request: Request) -> tuple[View | None, str]:
        path = request.path.rstrip("/")
        view = self._views.get((request.method, path))
        if view is not None:
            return view, ""
        head, _, tail = path.rpartition("/")
        head, _, name = head.rpartition("/")
        return self._views.get((request.method, f"{head}/{{id}}/{tail}")), name
