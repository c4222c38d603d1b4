"""The vendor's gateways, by code and by name.

Source: reference, skyhigh-pops. The list is the vendor's own and may grow; `gateway.host` takes any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

DOMAIN = "pa-wgcs.skyhigh.cloud"


class Pop(NamedTuple):
    """One gateway: its code, its name, and about where it stands, as latitude and longitude in degrees."""

    code: str
    name: str
    latitude: float
    longitude: float

    @property
    def host(self) -> str:
        """Where the tunnels lead to."""
        return f"{self.code}.{DOMAIN}"


# The vendor names the country or coast only: the places are those of its large data centres, and a guess.
POPS: tuple[Pop, ...] = (
    Pop("us-west", "US West", 37.4, -121.9),
    Pop("us-east", "US East", 39.0, -77.5),
    Pop("de", "Germany", 50.1, 8.7),
    Pop("sg", "Singapore", 1.35, 103.8),
    Pop("gb", "England", 51.5, -0.1),
    Pop("br", "Brazil", -23.5, -46.6),
    Pop("jp", "Japan", 35.7, 139.7),
    Pop("hk", "Hong Kong", 22.3, 114.2),
    Pop("fr", "France", 48.9, 2.4),
    Pop("se", "Sweden", 59.3, 18.1),
)


def gateway_host(gateway: Mapping[str, Any]) -> str:
    """Return the host a document's gateway means: a code, a name, or the host itself."""
    said = gateway.get("pop")
    for pop in POPS:
        if said in (pop.code, pop.name):
            return pop.host
    return str(gateway.get("host") or "").rstrip(".").lower()
