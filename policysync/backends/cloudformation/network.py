"""Whether the network a connector is to run in is there, and leads out.

Source: reference, connectors 4.8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policysync.backends.cloudformation.account import Account
from policysync.backends.port import Level, Sign
from policysync.errors import Refused

_NAME = "preflight/network"
_EVERYWHERE = ("0.0.0.0/0", "::/0")


def network_signs(account: Account, aws: Mapping[str, Any]) -> Iterator[Sign]:
    """Yield what there is to say of the VPC and the subnets a document names."""
    vpc, wanted = aws.get("vpcId", ""), list(aws.get("subnetIds", ()))
    if not vpc:
        return
    try:
        account.call("ec2", "describe_vpcs", VpcIds=[vpc])
        subnets = account.call("ec2", "describe_subnets", SubnetIds=wanted)["Subnets"]
    except Refused as error:
        if "NotFound" not in str(error):
            raise
        yield Sign(_NAME, Level.ERROR, "network-missing", f"{error}; is it in {account.region}?")
        return
    strangers = sorted(subnet["SubnetId"] for subnet in subnets if subnet["VpcId"] != vpc)
    if strangers:
        message = f"{', '.join(strangers)} is not in {vpc}; every subnet has to be in the connector's VPC"
        yield Sign(_NAME, Level.ERROR, "subnet-of-another-vpc", message)
        return
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    tables = [*account.pages("ec2", "describe_route_tables", "RouteTables", Filters=filters)]
    yield from _ways_out(tables, wanted, vpc)


def _ways_out(tables: Sequence[Mapping[str, Any]], subnets: Sequence[str], vpc: str) -> Iterator[Sign]:
    ways = {subnet: _way_out(_table_of(tables, subnet)) for subnet in subnets}
    closed = sorted(subnet for subnet, way in ways.items() if not way)
    if closed:
        message = f"{', '.join(closed)} has no route out of {vpc}; the connector dials out, so it wants a NAT gateway"
        yield Sign(_NAME, Level.ERROR, "no-route-out", message)
        return
    public = sorted(subnet for subnet, way in ways.items() if way.startswith("igw-"))
    if public:
        message = f"{', '.join(public)} goes out through an internet gateway: the task wants a public address there"
        yield Sign(_NAME, Level.WARNING, "public-address", message)
        return
    yield Sign(_NAME, Level.OK, "", f"{vpc} has {', '.join(sorted(subnets))}, and each leads out")


def _table_of(tables: Sequence[Mapping[str, Any]], subnet: str) -> Mapping[str, Any]:
    """Return the route table of a subnet: its own, or the main one of the VPC."""
    for table in tables:
        if any(each.get("SubnetId") == subnet for each in table.get("Associations", ())):
            return table
    main = (table for table in tables if any(each.get("Main") for each in table.get("Associations", ())))
    return next(main, {})


def _way_out(table: Mapping[str, Any]) -> str:
    """Return what the default route of a table leads to; empty where there is none that works."""
    for route in table.get("Routes", ()):
        to = route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock")
        if to in _EVERYWHERE and route.get("State") != "blackhole":
            ways = (route.get(name) for name in route if name.endswith("Id") or name == "CoreNetworkArn")
            return next((str(way) for way in ways if way and way != "local"), "")
    return ""
