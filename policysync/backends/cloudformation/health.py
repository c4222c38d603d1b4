"""How a stack that is there does: its state, its drift, and the services in it.

Source: reference, connectors 4.5 and 4.7.
"""

from __future__ import annotations

from collections.abc import Iterator

from policysync.backends.cloudformation.account import Account
from policysync.backends.cloudformation.described import REVERTED, SUCCEEDED, Described
from policysync.backends.cloudformation.failures import told
from policysync.backends.port import Level, Sign
from policysync.clock import Clock

_STACK, _DRIFT, _SERVICE = "health/stack", "health/drift", "health/service"
_SECONDS = 120.0
_FIRST, _LONGEST = 0.1, 3.0


def stack_sign(stack: Described | None, name: str) -> Sign:
    """Return what the state of a stack says."""
    if stack is None:
        return Sign(_STACK, Level.UNKNOWN, "absent", f"there is no stack {name} yet")
    said = f"stack {stack.name} is {stack.status}"
    if stack.status in SUCCEEDED:
        return Sign(_STACK, Level.OK, "", said)
    if stack.in_progress:
        return Sign(_STACK, Level.WARNING, "progressing", f"{said}; look again when that has ended")
    if stack.status in REVERTED:
        message = f"{said}: the last change was taken back; its events say why"
        return Sign(_STACK, Level.WARNING, "update-reverted", message)
    return Sign(_STACK, Level.ERROR, "stack-failed", f"{said}{f': {stack.reason}' if stack.reason else ''}")


def drift_signs(account: Account, stack: Described, clock: Clock) -> Iterator[Sign]:
    """Ask CloudFormation whether the resources of a stack are still what its template says."""
    asked = account.call("cloudformation", "detect_stack_drift", StackName=stack.id)["StackDriftDetectionId"]
    until, pause = clock.monotonic() + _SECONDS, _FIRST
    while True:
        said = account.call("cloudformation", "describe_stack_drift_detection_status", StackDriftDetectionId=asked)
        if said["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        if clock.monotonic() >= until:
            yield Sign(_DRIFT, Level.UNKNOWN, "slow", f"drift detection takes longer than {_SECONDS:.0f} s; look again")
            return
        clock.sleep(pause)
        pause = min(_LONGEST, pause * 2)
    if drifted := said.get("StackDriftStatus") == "DRIFTED":
        yield Sign(_DRIFT, Level.WARNING, "stack-drifted", f"changed by hand: {'; '.join(_drifted(account, stack))}")
    if said["DetectionStatus"] == "DETECTION_FAILED":
        why = told(said.get("DetectionStatusReason") or "CloudFormation does not say why")
        yield Sign(_DRIFT, Level.UNKNOWN, "drift-unknown", f"not every resource could be looked at: {why}")
    elif not drifted:
        yield Sign(_DRIFT, Level.OK, "", f"the resources of stack {stack.name} are as its template says")


def service_signs(account: Account, stack: Described) -> Iterator[Sign]:
    """Yield how many tasks of each ECS service of a stack run, and how many should."""
    resources = account.call("cloudformation", "describe_stack_resources", StackName=stack.id)["StackResources"]
    for resource in resources:
        arn = resource.get("PhysicalResourceId", "")
        if resource["ResourceType"] != "AWS::ECS::Service" or arn.count("/") < 2:
            continue
        cluster = arn.split("/")[1]
        said = account.call("ecs", "describe_services", cluster=cluster, services=[arn])
        for service in said.get("services", ()):
            yield _counted(service["serviceName"], service["runningCount"], service["desiredCount"])
        for failure in said.get("failures", ()):
            message = (
                f"service {arn} cannot be found ({failure.get('reason', 'nobody says why')}); was it deleted by hand?"
            )
            yield Sign(_SERVICE, Level.ERROR, "service-missing", message)


def _counted(name: str, running: int, desired: int) -> Sign:
    said = f"service {name} runs {running} of {desired} tasks"
    if running >= desired:
        return Sign(_SERVICE, Level.OK, "", said)
    message = f"{said}; its events and the connector's log say why"
    return Sign(_SERVICE, Level.WARNING if running else Level.ERROR, "service-below-desired", message)


def _drifted(account: Account, stack: Described) -> Iterator[str]:
    pages = account.pages(
        "cloudformation",
        "describe_stack_resource_drifts",
        "StackResourceDrifts",
        StackName=stack.id,
        StackResourceDriftStatusFilters=["MODIFIED", "DELETED"],
    )
    for drift in pages:
        paths = ", ".join(each["PropertyPath"] for each in drift.get("PropertyDifferences", ()))
        status = drift["StackResourceDriftStatus"].lower()
        yield f"{drift['LogicalResourceId']} ({drift['ResourceType']}) {status}{f' at {paths}' if paths else ''}"
