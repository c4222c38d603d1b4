"""A cloudformation target → the stacks of its account and region."""

from __future__ import annotations

from collections.abc import Callable

from policysync.backends.cloudformation.account import Account
from policysync.backends.cloudformation.backend import CloudFormation
from policysync.backends.cloudformation.options import Options, options_of
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.means import Means
from policysync.backends.port import Backend
from policysync.documents.project import Target
from policysync.errors import Refused

NAME = "cloudformation"


def cloudformation(target: Target, means: Means) -> Backend:
    """Return the stacks of a target. Nothing is sent before they are used.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    if target.url:
        raise Refused("a cloudformation target has no url; want options such as account and region")
    if target.auth:
        raise Refused("credentials are found as every AWS tool finds them; want options.profile or options.role_arn")
    options = options_of(target.options)
    peers = [_opener(options_of(peer.options), means) for peer in means.peers if peer.backend == NAME]
    return CloudFormation(Stacks(Account(options, means), peers), options, means)


def _opener(options: Options, means: Means) -> Callable[[], Account]:
    return lambda: Account(options, means)
