"""One account and region: makes clients, sends calls, tells failures apart. Nothing is tried again here."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from policysync.backends.bucket import Bucket
from policysync.backends.cloudformation.failures import client_failure, connection_failure, told
from policysync.backends.cloudformation.options import Options
from policysync.backends.means import Means
from policysync.errors import Refused
from policysync.version import VERSION

_SESSION_NAME = "policysync"


def _inner() -> Any:
    """Return a new session of botocore; what services look like is read once for all of them."""
    inner = import_module("botocore.session").get_session()
    inner.register_component("data_loader", _loader())
    return inner


@cache
def _loader() -> Any:
    return import_module("botocore.loaders").create_loader()


class Account:
    """Sends calls with the credentials of one target. Threads share one."""

    def __init__(self, options: Options, means: Means) -> None:
        self._options = options
        self._means = means
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._session: Any = None
        self._caller = ""
        rate = means.limits.requests_per_second
        self._bucket = Bucket(rate, means.clock) if rate else None

    @property
    def region(self) -> str:
        """The region stacks are read and written in.

        Raises:
            Refused: nobody says which.
        """
        with self._lock:
            found = self._options.region or self._opened().region_name
        if not found:
            raise Refused("no region: name it in options.region, in the profile, or in AWS_REGION")
        return str(found)

    def caller(self) -> str:
        """Return the number of the account the credentials belong to.

        Raises:
            Refused: it is another one than the target says.
        """
        if not self._caller:
            found = str(self.call("sts", "get_caller_identity")["Account"])
            wanted = self._options.account
            if wanted and found != wanted:
                raise Refused(f"the credentials belong to account {found}, and the target says {wanted}; sign in there")
            self._caller = found
        return self._caller

    def call(
        self, service: str, operation: str, *, writes: bool = False, elsewhere: str = "", **members: Any
    ) -> Mapping[str, Any]:
        """Return what AWS answers to one call; `elsewhere` is another region than the target's.

        Raises:
            Refused, Unavailable, OutcomeUnknown: it did not work; see `failures`.
        """
        failures = import_module("botocore.exceptions")
        client = self._client(service, elsewhere or self.region)
        if self._bucket is not None:
            self._bucket.take()
        try:
            answer: Mapping[str, Any] = getattr(client, operation)(**members)
        except failures.ClientError as error:
            raise client_failure(operation, error.response, writes=writes) from error
        except (failures.EndpointConnectionError, failures.ConnectTimeoutError, failures.ProxyConnectionError) as error:
            raise connection_failure(operation, error, sent=False) from error
        except failures.HTTPClientError as error:
            raise connection_failure(operation, error, sent=writes) from error
        except failures.NoCredentialsError as error:
            raise Refused(f"{operation}: {error}; sign in, or name a profile in options.profile") from error
        except failures.BotoCoreError as error:
            raise Refused(told(f"{operation}: {error}")) from error
        return answer

    def pages(
        self, service: str, operation: str, member: str, *, next_by: str = "NextToken", **members: Any
    ) -> Iterator[Any]:
        """Yield the elements of a list, all pages; `next_by` is the member that leads to the next one."""
        further: dict[str, Any] = {}
        while True:
            answer = self.call(service, operation, **members, **further)
            yield from answer.get(member, ())
            if not answer.get(next_by):
                return
            further = {next_by: answer[next_by]}

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                limits = self._means.limits
                # Trying again is the business of apply alone.
                config = import_module("botocore.config").Config(
                    retries={"total_max_attempts": 1},
                    connect_timeout=min(10.0, limits.timeout),
                    read_timeout=limits.timeout,
                    max_pool_connections=max(10, limits.parallelism),
                    user_agent_extra=f"policysync/{VERSION}",
                )
                endpoint = self._options.endpoint_url or None
                opened = self._opened()
                self._clients[service, region] = opened.client(
                    service, region_name=region, endpoint_url=endpoint, config=config
                )
            return self._clients[service, region]

    def _opened(self) -> Any:
        if self._session is None:
            try:
                boto3 = import_module("boto3")
            except ImportError as error:
                raise Refused("needs more to be installed: pip install 'policysync[aws]'") from error
            failures = import_module("botocore.exceptions")
            try:
                session = boto3.session.Session(botocore_session=_inner(), profile_name=self._options.profile or None)
                # A profile that is not there shows only when something of it is wanted.
                session.get_credentials()
                self._session = self._assumed(boto3, session) if self._options.role_arn else session
            except failures.BotoCoreError as error:
                raise Refused(told(str(error))) from error
        return self._session

    def _assumed(self, boto3: Any, session: Any) -> Any:
        """Return a session with the credentials of a role, renewed before they expire."""
        credentials = import_module("botocore.credentials")
        options, own = self._options, session.get_credentials()
        if own is None:
            raise Refused(f"there are no credentials to assume {options.role_arn} with; sign in, or name a profile")

        def sts(service: str, **keys: Any) -> Any:
            region = options.region or session.region_name
            return session.client(service, region_name=region, endpoint_url=options.endpoint_url or None, **keys)

        further = {"ExternalId": options.external_id} if options.external_id else {}
        fetcher = credentials.AssumeRoleCredentialFetcher(
            client_creator=sts,
            source_credentials=own,
            role_arn=options.role_arn,
            extra_args={"RoleSessionName": _SESSION_NAME, **further},
        )
        inner = _inner()
        inner._credentials = credentials.DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        if options.region or session.region_name:
            inner.set_config_variable("region", options.region or session.region_name)
        return boto3.session.Session(botocore_session=inner)
