from __future__ import annotations

import pytest

from policysync.backends.address import REGIONS, host_url, place_of, region_named
from policysync.errors import Refused


@pytest.mark.parametrize(
    ("written", "region", "is_portal"),
    [
        ("https://cloud.aquasec.com/#/home", "us", True),
        ("EU-1.cloud.aquasec.com:443", "eu-1", True),
        ("asia-1.cloud.aquasec.com", "asia-1", True),
        ("asia-2.cloud.aquasec.com", "asia-2", True),
        ("ap-2.cloud.aquasec.com/", "ap-2", True),
        ("cloud-dev.aquasec.com", "dev", True),
        ("https://abc123.cloud.aquasec.com", "us", False),
        ("https://abc123.eu-1.cloud.aquasec.com", "eu-1", False),
        ("https://abc123.ap-2.cloud.aquasec.com/login", "ap-2", False),
        ("https://abc123.mars-1.cloud.aquasec.com", None, False),
        ("https://cloud.aquasec.com:8443", None, False),
        ("http://cloud.aquasec.com", None, False),
        ("https://aqua.example.com", None, False),
        ("https://cloud.aquasec.com.example.com", None, False),
    ],
)
def test_the_region_is_recognised(written: str, region: str | None, is_portal: bool) -> None:
    place = place_of(written)
    assert (place.region and place.region.name, place.is_portal) == (region, is_portal)


def test_the_region_can_be_named_where_the_address_does_not() -> None:
    assert place_of("https://console.example.com", "eu-1").region == region_named("eu-1")
    assert place_of("https://cloud.aquasec.com", "eu-1").region == region_named("us")
    with pytest.raises(Refused, match="there is no region 'eu'; want one of us, eu-1, asia-1, asia-2, ap-2, dev"):
        place_of("https://console.example.com", "eu")


def test_the_hosts_of_a_region() -> None:
    eu = region_named("eu-1")
    assert eu.token == "https://eu-1.api.cloudsploit.com"
    assert eu.prov == "https://prov-eu-1.cloud.aquasec.com"
    assert eu.edge == "https://eu-central-1.edge.cloud.aquasec.com/supply_chain"
    assert region_named("us").prov == "https://prov.cloud.aquasec.com"
    assert region_named("us").token == "https://api.cloudsploit.com"
    assert region_named("asia-2").edge == ""


@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_where_one_signs_in_is_no_console(region: object) -> None:
    for name in ("token", "prov"):
        with pytest.raises(Refused, match="write the portal https://"):
            place_of(getattr(region, name))


def test_no_two_regions_share_a_host() -> None:
    hosts = [host for region in REGIONS for host in (region.portal, region.token, region.prov)]
    assert len(hosts) == len(set(hosts))


def test_a_further_host_may_have_a_path() -> None:
    assert host_url("edge.example.com/supply_chain/") == "https://edge.example.com/supply_chain"
    assert host_url("http://127.0.0.1:8085") == "http://127.0.0.1:8085"
    with pytest.raises(Refused, match="is not the address"):
        host_url("ftp://edge.example.com")
