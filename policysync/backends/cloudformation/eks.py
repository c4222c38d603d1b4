"""Whether a cluster of EKS lets the connector in.

Source: reference, connectors 4.3 and 4.8.
"""

from __future__ import annotations

from collections.abc import Iterator

from policysync.backends.cloudformation.account import Account
from policysync.backends.port import Level, Sign
from policysync.errors import Refused

_NAME = "preflight/eks"
_MODES = ("API", "API_AND_CONFIG_MAP")


def cluster_signs(account: Account, cluster: str, region: str, role: str) -> Iterator[Sign]:
    """Yield what there is to say of one cluster; `role` is the connector's, empty where it is not there yet."""
    try:
        found = account.call("eks", "describe_cluster", elsewhere=region, name=cluster)["cluster"]
    except Refused as error:
        if "ResourceNotFoundException" not in str(error):
            raise
        yield Sign(_NAME, Level.ERROR, "cluster-missing", f"there is no cluster {cluster} in {region}")
        return
    mode = found.get("accessConfig", {}).get("authenticationMode", "CONFIG_MAP")
    if mode not in _MODES:
        message = f"cluster {cluster} takes no access entries (its authentication mode is {mode}); want {_MODES[1]}"
        yield Sign(_NAME, Level.ERROR, "no-access-entries", message)
        return
    if not role:
        message = f"cluster {cluster} takes access entries; whether the connector has one can be told once its role is"
        yield Sign(_NAME, Level.UNKNOWN, "role-unknown", message)
        return
    pages = account.pages(
        "eks", "list_access_entries", "accessEntries", next_by="nextToken", elsewhere=region, clusterName=cluster
    )
    if role not in pages:
        message = f"cluster {cluster} has no access entry for {role}; `policysync render` writes one"
        yield Sign(_NAME, Level.ERROR, "access-entry-missing", message)
        return
    yield Sign(_NAME, Level.OK, "", f"cluster {cluster} has an access entry for the connector")
