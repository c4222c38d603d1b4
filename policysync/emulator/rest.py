"""The calls of every kind: list, get, create, update, delete, and what follows an update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator import paging
from policysync.emulator.bodies import keys_in, objects_in
from policysync.emulator.envelopes import check_only, inside, nameless, nothing
from policysync.emulator.exchange import JSON, Request, Response, answer, refuse
from policysync.emulator.filters import filtered
from policysync.emulator.hiding import Hiding
from policysync.emulator.keeping import Keeper
from policysync.emulator.ordering import kept_order, ordered
from policysync.emulator.quirks.access import SHORTEST, remember_password
from policysync.emulator.quirks.table import quirk_of
from policysync.emulator.references import check_unused
from policysync.emulator.routes import Route
from policysync.emulator.served import Served
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store, Stored
from policysync.kinds.kind import Kind


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as far as it is understood.

    `ident` is the name in the path, decoded; `parts` are the names where a path has several.
    """

    route: Route
    ident: str
    request: Request
    user: str
    parts: tuple[str, ...] = ()


class Rest:
    """The collections of one console."""

    def __init__(
        self, store: Store, settings: Settings, clock: Clock, kinds: Callable[[], Iterable[Kind]] = tuple
    ) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.keeper = Keeper(store, settings, clock)
        self._kinds = kinds
        self._turn = count()
        self._hiding = Hiding(settings.hidden_for, clock)
        self._operations: Mapping[str, Callable[[Call], Response]] = {
            "list": self._list,
            "get": self._get,
            "create": self._create,
            "update": self._update,
            "delete": self._delete,
            "then": self._then,
        }

    def answer(self, call: Call) -> Response:
        return self._operations[call.route.operation](call)

    def served(self, kind: Kind) -> Served:
        return self.keeper.served(kind)

    def put(self, kind: Kind, body: dict[str, Any], before: Stored | None, call: Call | None) -> Stored:
        """Complete and store one object; see `Keeper.put`. Without a call it is the product's own."""
        if call is None:
            return self.keeper.put(kind, body, before)
        return self.keeper.put(kind, body, before, call.user, call.request.body)

    def _list(self, call: Call) -> Response:
        query, api = call.request.query, call.route.api
        names = [kind.name for kind in call.route.kinds]
        self.store.expire(self.clock.now().timestamp())
        page = paging.page_of(query, api)
        if call.request.path.rstrip("/") == paging.BARE_WITHOUT_PAGE and not query.keys() & {
            "page",
            "pagesize",
            "page_size",
        }:
            api = {"paging": "none"}
            page = replace(paging.page_of({}, api), order=page.order)
        harsh = self.settings.quirks == "harsh"
        start, size = (page.start, page.size) if not harsh else page.shifted
        items, total = self._page(call, names, page, start, size)
        if query.get("skip_count") == "true":
            total = None
        elif harsh and total is not None:
            total += 1
        return paging.wrap(self._shown(call, items), total, page, api, null=harsh)

    def _page(
        self, call: Call, names: list[str], page: paging.Page, start: int, size: int
    ) -> tuple[list[bytes], int | None]:
        """Return one page of bodies and how many there are; most ways to narrow or sort need a look at all of them."""
        hidden = self._hiding.hidden(names)
        kind = call.route.kinds[0]
        keep, order = filtered(kind, call.request.query), kept_order(page.order, kind)
        if keep is None and not hidden and order is not None:
            counted = None if call.request.query.get("skip_count") == "true" else self.store.count(names)
            return self.store.page(names, order, start, size), counted
        items = [item for item in ordered(self.store, names, page.order, kind) if item not in hidden]
        if keep is not None:
            items = [item for item in items if keep(orjson.loads(item))]
        return items[start : start + size], len(items)

    def _shown(self, call: Call, items: list[bytes]) -> list[bytes]:
        kind = call.route.kinds[0]
        scene = self.keeper.scene(kind, call.user)
        quirk = quirk_of(kind)
        return [quirk.shown(scene, item, call.request.query) for item in items]

    def _get(self, call: Call) -> Response:
        kind = call.route.kinds[0]
        found = self.store.get([kind.name for kind in call.route.kinds], _ident(call, kind, {}, ""))
        if found is not None and not self._hiding.is_hidden(found):
            (shown,) = self._shown(call, [found.body])
            return Response(200, inside(shown, call.route.api, kind), (JSON,))
        if self.settings.quirks == "harsh" and kind.key:
            return Response(200, inside(orjson.dumps(nameless(kind)), call.route.api, kind), (JSON,))
        missing = call.route.api.get("missing", [404])
        raise self._missing(call, 404 if 404 in missing else missing[0])

    def _create(self, call: Call) -> Response:
        api = call.route.api
        noun = self.served(call.route.kinds[0]).noun
        made = []
        with self.store.writing():
            bodies = objects_in(call.request.body, api.get("body", "object"), noun)
            if not bodies:
                raise refuse(400, f"no {noun} given")
            for body in bodies:
                check_only(api, body)
                kind = self._kind_for(body, call)
                made.append(self.put(kind, body, None, call))
                self._hiding.hide(kind, made[-1])
            first = quirk_of(kind).created(self.keeper.scene(kind, call.user), made[0])
        if api.get("answer") == "array":
            return self._done(call, b"[" + b",".join(stored.body for stored in made) + b"]")
        done = self._done(call, first)
        # Where an id is only known to the server, an empty answer has to say it (reference, policies 11).
        where = f"{call.request.path}/{made[0].ident}"
        one = self.served(call.route.kinds[0])
        known = done.body or one.by_name or not one.id_member
        return done if known else replace(done, headers=(*done.headers, ("location", where)))

    def _update(self, call: Call) -> Response:
        with self.store.writing():
            one = self.served(call.route.kinds[0])
            # Where objects never go away, writing nothing empties one (reference, platform 4, log_management).
            raw = call.request.body or (b"{}" if one.kind.slots else b"")
            (body,) = objects_in(raw, call.route.api.get("body", "object"), one.noun)
            before = self._existing(call, body)
            kind = next(kind for kind in call.route.kinds if kind.name == before.kind)
            one, quirk = self.served(kind), quirk_of(kind)
            if quirk.instead(self.keeper.scene(kind, call.user), body, before):
                return self._done(call, before.body)
            earlier = orjson.loads(before.body)
            builtin = kind.builtin(before.key, earlier)
            if builtin is not None and not builtin.editable:
                raise refuse(403, f"{one.noun} {before.key} is built in and cannot be changed")
            check_only(call.route.api, body)
            if one.by_name:
                body[one.id_member] = before.ident
            for member in kind.key:
                body.setdefault(member, earlier.get(member))
            stored = self.put(kind, body, before, call)
        return self._done(call, stored.body)

    def _delete(self, call: Call) -> Response:
        form = call.route.api.get("body")
        with self.store.writing():
            gone = self._named(call, form) if form else [self._existing(call, {})]
            for stored in gone:
                kind = next(kind for kind in call.route.kinds if kind.name == stored.kind)
                if kind.builtin(stored.key, orjson.loads(stored.body)) is not None:
                    raise refuse(400, f"{self.served(kind).noun} {stored.key} is built in and cannot be deleted")
                quirk_of(kind).deleting(self.keeper.scene(kind, call.user), stored)
                if self.settings.references == "refuse":
                    check_unused(stored, kind, self._kinds(), self.store)
            self.store.delete([stored.number for stored in gone])
        return self._done(call, gone[0].body)

    def _then(self, call: Call) -> Response:
        """Carry out what follows an update: so far only a password of its own call."""
        kind = call.route.kinds[0]
        (body,) = objects_in(call.request.body, "object", self.served(kind).noun)
        with self.store.writing():
            found = self._existing(call, {})
            member = next((n for n, v in call.route.api["body"].items() if v == "$password"), "")
            password = body.get(member)
            if not isinstance(password, str) or len(password) < SHORTEST:
                raise refuse(400, f"{member} needs {SHORTEST} characters or more")
            remember_password(self.keeper.scene(kind, call.user), found.key, password)
        return self._done(call, found.body)

    def _kind_for(self, body: Mapping[str, Any], call: Call) -> Kind:
        kinds = call.route.kinds
        for kind in kinds:
            where = (kind.api.get("list") or {}).get("where", {})
            if all(
                body.get(name) in ((value, None, "") if kind is kinds[0] else (value,)) for name, value in where.items()
            ):
                return kind
        names = kinds[0].api["list"]["where"]
        raise refuse(400, f"unsupported {', '.join(f'{name} {body.get(name)!r}' for name in names)}")

    def _existing(self, call: Call, body: Mapping[str, Any]) -> Stored:
        """Return the object a call is about: named by the path, or by the body where the path names none."""
        kind = call.route.kinds[0]
        ident = _ident(call, kind, body, self.served(kind).id_member)
        found = self.store.get([kind.name for kind in call.route.kinds], ident)
        if found is None:
            raise self._missing(replace(call, ident=ident), 404)
        return found

    def _named(self, call: Call, form: Any) -> list[Stored]:
        one = self.served(call.route.kinds[0])
        keys: Iterable[str]
        if form == "keys":
            keys = keys_in(call.request.body, one.noun)
        else:
            bodies = objects_in(call.request.body, form, one.noun)
            keys = (one.kind.name_of(one.request_names(body)) for body in bodies)
        found = [stored for key in keys if (stored := self.store.named(one.kind.scope, key))]
        if not found:
            raise self._missing(call, 404)
        return found

    def _missing(self, call: Call, status: int) -> Exception:
        kind = call.route.kinds[0]
        return refuse(status, quirk_of(kind).missing(call.ident, self.served(kind).noun))

    def _done(self, call: Call, body: bytes) -> Response:
        api, kind = call.route.api, call.route.kinds[0]
        accepted = api.get("success", [200])
        usual = status = int(api.get("canonical", accepted[0]))
        if self.settings.success == "varied":
            status = int(accepted[next(self._turn) % len(accepted)])
        status = self.settings.answers.get(f"{kind.name}.{call.route.operation}", status)
        if status == 204:
            return Response(status)
        if api.get("answer", "empty") == "empty":
            return answer(status, nothing(kind)) if status == usual else Response(status)
        return Response(status, inside(body, api, kind), (JSON,))


def _ident(call: Call, kind: Kind, body: Mapping[str, Any], member: str) -> str:
    """Return the name of the object a call is about. Where all names are known, their case says nothing."""
    ident = call.ident or (kind.name_of({}) if kind.singleton else str(body.get(member) or ""))
    return next((slot for slot in kind.slots if slot.lower() == ident.lower()), ident)
