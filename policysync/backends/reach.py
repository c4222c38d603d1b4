"""How the calls of a kind reach its console: which host they go to, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policysync import pointer
from policysync.backends.answer import Answer, decoded, failure
from policysync.backends.port import Again
from policysync.backends.routes import Call, Routes, item_path, routes_of
from policysync.backends.session import Session
from policysync.errors import NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING

_NO_ADDRESS = (
    "the console has no such address for its list of {noun} objects: its version keeps them elsewhere; name the path it"
    " serves in a schema of your own, below `schemas` in policysync.yaml"
)


class Reach:
    """Sends the calls of kinds to the hosts that serve them."""

    def __init__(self, session: Session, hosts: Mapping[str, str], again: Again[Any], edition: str = "") -> None:
        """`hosts` maps each `x-api.base` but "console" to its address; `edition` is empty where it is not known."""
        self._session = session
        self._hosts = hosts
        self._again = again
        self._edition = edition
        self._routes: dict[str, Routes] = {}

    def routes(self, kind: Kind) -> Routes:
        """Return the calls of a kind.

        Raises:
            NotServed: this edition of the product does not have it.
            Refused: nothing is known about calls.
        """
        if kind.editions and self._edition and self._edition not in kind.editions:
            there = " and ".join(kind.editions)
            raise NotServed(
                f"{kind.name} is there on {there} only, and this console is {self._edition}; leave it out with"
                " metadata.targets, or with `absent: true` in the stage's folder",
                "edition",
            )
        if kind.name not in self._routes:
            self._routes[kind.name] = routes_of(kind)
        return self._routes[kind.name]

    def read(self, routes: Routes, path: str, call: Call | None = None) -> Any:
        """Return the decoded answer to a GET; None when `call` takes it to mean that there is no such object."""

        def once() -> Any:
            answer = self._session.call("GET", path, base=self.base(routes))
            if call is None and answer.status == 404:
                raise Refused(f"{answer} ({_NO_ADDRESS.format(noun=routes.noun)})")
            return None if call and is_missing(answer, call) else decoded(accepted(answer, writes=False))

        return self._again(once)

    def one(self, routes: Routes, call: Call, ident: str = "") -> dict[str, Any] | None:
        """Return the body of one object, None when it is not there."""
        found = self.read(routes, item_path(call, ident, routes.noun), call)
        body = inside(found, call)
        return body if isinstance(body, dict) else None

    def send(self, routes: Routes, call: Call, path: str, payload: Any) -> Answer:
        """Return the answer to a write, whatever its status.

        Raises:
            Refused: the call is never made.
        """
        if call.withheld:
            raise Refused(f"{call.method} {path}: {call.withheld}")
        return self._session.call(call.method, path, payload, base=self.base(routes), writes=True)

    def base(self, routes: Routes) -> str:
        """Return the address of the host that serves a kind.

        Raises:
            NotServed: this target has none.
        """
        if routes.base == "console":
            return self._session.base
        if routes.base not in self._hosts:
            advice = (
                f"only SaaS has it; elsewhere name its host in the target's options (hosts: {{{routes.base}: URL}})"
            )
            raise NotServed(
                f"no address of the {routes.base} API, which serves each {routes.noun}: {advice}", "no-host"
            )
        return self._hosts[routes.base]


def accepted(answer: Answer, *, writes: bool) -> Answer:
    """Return an answer that is a success.

    Raises:
        Refused, Unavailable, OutcomeUnknown: it is none.
    """
    error = failure(answer, writes=writes)
    if error is not None:
        raise error
    return answer


def is_missing(answer: Answer, call: Call) -> bool:
    """Return whether an answer says that there is no such object: by its status, or by an error that says so."""
    if answer.status in call.missing:
        return True
    return bool(call.missing_text) and not answer.ok and call.missing_text in _said(answer)


def inside(found: Any, call: Call) -> Any:
    """Return what stands where the call's answers hold the object; None when nothing does."""
    within = pointer.resolve(found, call.item) if call.item else found
    return None if within is MISSING else within


def _said(answer: Answer) -> str:
    text = answer.body.decode("utf-8", "replace")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return str(said.get("message", "")) if isinstance(said, Mapping) else text
