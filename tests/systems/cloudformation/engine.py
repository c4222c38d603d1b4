"""ministack, a real engine for CloudFormation, on a loopback port; and what somebody does in the AWS console."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from systems.ports import unused_port

HERE = Path(__file__).parent
REGION = "us-east-1"
FOUND = f"ministack {version('ministack')}"
"""The engine, as the report of a test run names it."""


@dataclass(frozen=True)
class Network:
    """A VPC with two subnets that have a way out."""

    vpc: str
    subnets: tuple[str, str]


ANY_NETWORK = Network("vpc-0a1b2c3d4e5f60718", ("subnet-0aa11bb22cc33dd44", "subnet-0ee55ff6600778899"))
"""A network nobody looks at."""


@dataclass(frozen=True)
class Engine:
    """A running engine. An access key of twelve digits is that account."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, account: str, region: str = REGION) -> Any:
        """Return a client that signs in to an account."""
        return _client(service, account, region, self.url)

    def network(self, account: str, *, way_out: bool = True) -> Network:
        """Make a VPC with two subnets."""
        ec2 = self.client("ec2", account)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in (1, 2)]
        if way_out:
            gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
            table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
            for subnet in made:
                ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return Network(vpc, (made[0], made[1]))

    def stack(self, account: str, name: str) -> Mapping[str, Any]:
        """Return a stack as it is described."""
        found: Mapping[str, Any] = self.client("cloudformation", account).describe_stacks(StackName=name)["Stacks"][0]
        return found

    def stacks(self, account: str) -> list[str]:
        """Return the names of all stacks of an account."""
        return sorted(s["StackName"] for s in self.client("cloudformation", account).describe_stacks()["Stacks"])

    def edit(self, account: str, name: str, **values: str) -> None:
        """Change parameters of a stack by hand, and wait until that is done."""
        stack = self.stack(account, name)
        parameters = [
            {"ParameterKey": key, "ParameterValue": values[key]}
            if (key := parameter["ParameterKey"]) in values
            else {"ParameterKey": key, "UsePreviousValue": True}
            for parameter in stack["Parameters"]
        ]
        self.client("cloudformation", account).update_stack(
            StackName=name, UsePreviousTemplate=True, Parameters=parameters, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        self.settle(account, name)

    def settle(self, account: str, name: str) -> str:
        """Wait until nothing is in progress, and return the status."""
        for _ in range(2400):
            status = str(self.stack(account, name)["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.05)
        raise AssertionError(f"{name} does not come to an end")


@cache
def _session() -> Any:
    # What a service looks like is read once for a session, which takes longer than most calls.
    return import_module("boto3").session.Session()


@cache
def _client(service: str, account: str, region: str, url: str) -> Any:
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "test"}
    return _session().client(service, endpoint_url=url, region_name=region, **keys)


@contextmanager
def engine(folder: Path) -> Iterator[Engine]:
    """Run an engine for the length of a block; it checks signatures, rights and capabilities."""
    port = unused_port()
    environ = {**os.environ, "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true"}
    program = Path(sys.executable).with_name("ministack")
    with (folder / "ministack.log").open("wb") as log:
        running = subprocess.Popen([program], env=environ, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        try:
            _wait_for(port, running)
            yield Engine(port)
        finally:
            running.terminate()
            running.wait(120)


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    for _ in range(2400):
        assert running.poll() is None, "the engine did not start"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the engine does not listen")
