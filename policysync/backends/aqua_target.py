"""An aqua target → a console one can be signed in to: which edition it is, which hosts, which way in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from policysync.backends.address import Place, place_of
from policysync.backends.aqua import Aqua, Password, announced_header
from policysync.backends.aqua_options import BASES, Options, options_of
from policysync.backends.auth import Auth
from policysync.backends.connection import Timeouts
from policysync.backends.http import Http
from policysync.backends.means import Means
from policysync.backends.port import Backend
from policysync.backends.saas import ApiKey, Lookup, SaasPassword
from policysync.backends.session import Method, Session
from policysync.clock import Clock
from policysync.documents.project import Target
from policysync.errors import Refused

EMBEDDED = "embedded:"
EMBEDDED_AUTH: Mapping[str, str] = {
    "user": "administrator",
    "email": "administrator",
    "password": "emulator",
    "key": "emulator",
    "secret": "emulator",
}
"""The published defaults of a console that lives in this process."""

_log = logging.getLogger(__name__)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HERE = "http://embedded"


Edition = Literal["", "self-hosted", "saas"]
"""Which of the two products a target is; empty where it serves the kinds of both."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where one target is and how one gets there.

    `token` and `prov` are empty on a console of one's own. `hosts` maps each `x-api.base` but "console" to its address.
    """

    base: str
    edition: Edition
    token: str
    prov: str
    looks_up: bool
    hosts: Mapping[str, str]


def aqua(target: Target, means: Means) -> Backend:
    """Return the console of a target.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    options = options_of(target.options, means.root)
    embedded = target.url.startswith(EMBEDDED)
    if embedded and means.local is None:
        raise Refused(f"{target.url} needs an embedded console, and none was given")
    place = Place(_HERE) if embedded else place_of(target.url, options.region)
    name = _method_name(target.auth, place)
    way = _embedded_way(options, name) if embedded else _way(place, options, name)
    if means.local is None:
        _warn_of_clear_text(target.name, way)
    session = Session(
        _http(options, means),
        way.base,
        _method(name, target, way, means, embedded=embedded),
        means.clock,
        header=str(target.auth.get("header", "")),
        announced=announced_header,
        locate=Lookup(way.prov) if way.looks_up else None,
    )
    identity = target.url if embedded else "" if way.looks_up else way.base
    settings = {"hosts": way.hosts, "parallelism": means.limits.parallelism, "edition": way.edition}
    return Aqua(session, means.kinds, identity=identity, again=means.again, clock=means.clock, **settings)


def _method_name(auth: Mapping[str, Any], place: Place) -> str:
    """Return the method a target names, or the one its members and its address speak for."""
    usual = "api-key" if "key" in auth else "saas-password" if place.region else "password"
    name = auth.get("method", usual)
    if name not in METHODS:
        raise Refused(f"auth.method {name!r} is not known; want {' or '.join(sorted(METHODS))}")
    return str(name)


def _embedded_way(options: Options, method: str) -> Way:
    hosts = dict.fromkeys(BASES, _HERE)
    return Way(_HERE, "", _HERE, _HERE, method != "password", {**hosts, **_bases(options.hosts)})


def _way(place: Place, options: Options, method: str) -> Way:
    given, region = options.hosts, place.region
    token = given.get("token", region.token if region else "")
    prov = given.get("prov", region.prov if region else "")
    if method == "password":
        if place.is_portal:
            raise Refused(f"{place.url} is a SaaS portal; want auth.method api-key or saas-password")
    elif not token:
        advice = "name options.region, or options.hosts.token"
        raise Refused(
            f"method {method} signs in at a token host of the vendor's cloud; {place.url} tells none: {advice}"
        )
    if method == "api-key" and region and region.name == "dev" and "token" not in given:
        raise Refused(f"{place.url}: API keys do not work at the vendor's development portal; use saas-password")
    usual = {"account": token, **({"supply-chain": region.edge, "front": region.portal} if region else {})}
    hosts = {name: address for name, address in {**usual, **_bases(given)}.items() if address}
    # A host that tells consoles is named for a portal only: a console of its own needs no looking up.
    looks_up = method != "password" and (place.is_portal or (region is None and "prov" in given))
    return Way(place.url, _edition(place, method, hosts), token, prov, looks_up, hosts)


def _edition(place: Place, method: str, hosts: Mapping[str, str]) -> Edition:
    """Return the edition of a console; empty for one on its own that has been given hosts of the other edition."""
    if place.region or method != "password":
        return "saas"
    return "" if hosts.keys() & BASES else "self-hosted"


def _bases(hosts: Mapping[str, str]) -> dict[str, str]:
    return {name: address for name, address in hosts.items() if name in BASES}


def _http(options: Options, means: Means) -> Http:
    return Http(
        means.clock,
        # The limit spares a shared console; one in this process has nobody else to serve.
        rate=None if means.local else means.limits.requests_per_second,
        local=means.local,
        tls=options.tls,
        timeouts=Timeouts(connect=min(10.0, means.limits.timeout), read=means.limits.timeout),
    )


def _warn_of_clear_text(target: str, way: Way) -> None:
    for address in dict.fromkeys(each for each in (way.base, way.token, way.prov, *way.hosts.values()) if each):
        if address.startswith("http://") and urlsplit(address).hostname not in _LOOPBACK:
            _log.warning("target %s: %s is not encrypted: credentials travel in the clear", target, address)


def _method(name: str, target: Target, way: Way, means: Means, *, embedded: bool) -> Method:
    members, make = METHODS[name]
    auth = Auth(target.auth, means.secrets, EMBEDDED_AUTH if embedded else {})
    auth.only(name, members)
    return make(Entrance(auth, way, means.clock))


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a way to sign in is made from."""

    auth: Auth
    way: Way
    clock: Clock

    def password(self) -> Method:
        return Password(self.way.base, self.auth.text("user"), self.auth.secret("password"))

    def saas_password(self) -> Method:
        return SaasPassword(self.way.token, self.auth.text("email", "user"), self.auth.secret("password"))

    def api_key(self) -> Method:
        return ApiKey(
            self.way.token,
            self.auth.secret("key"),
            self.auth.secret("secret"),
            self.clock,
            self.auth.whole("validity", 240, 1, 1500),
            self.auth.texts("roles", ("Administrator",)),
            # A bare ANY is refused by the supply-chain API. Source: reference, testing.
            self.auth.texts("allowed_endpoints", ("ANY:*",)),
        )


METHODS: Mapping[str, tuple[tuple[str, ...], Callable[[Entrance], Method]]] = {
    "password": (("user", "password"), Entrance.password),
    "saas-password": (("email", "user", "password"), Entrance.saas_password),
    "api-key": (("key", "secret", "validity", "roles", "allowed_endpoints"), Entrance.api_key),
}
"""Each way to sign in: its members of `auth` besides `method` and `header`, and what makes it."""
