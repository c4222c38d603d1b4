"""Whether the gateway of a console can be reached, as far as that can be seen from here."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from policysync.backends.port import Level, Sign

_TIMEOUT = 10.0
_SAAS = "-gw.cloud.aquasec.com"


def gateway_signs(spec: Mapping[str, Any]) -> Iterator[Sign]:
    """Yield what a connection to the gateway says: name, TCP and TLS, through the proxy where there is one.

    A cluster may be let through where this machine is not, and the other way round.
    """
    host, port = spec["gateway"]["host"], spec["gateway"]["port"]
    if host.endswith(_SAAS):
        yield Sign("preflight/gateway-name", Level.OK, "", f"{host} is a gateway of the SaaS edition")
    else:
        said = f"{host} does not end with {_SAAS}; fine where the console is your own"
        yield Sign("preflight/gateway-name", Level.WARNING, "unusual-host", said)
    proxy = spec["proxy"].get("https") or spec["proxy"].get("http") or ""
    way = f" through {proxy}" if proxy else ""
    try:
        with (
            _connected(host, port, proxy) as plain,
            _context(spec["tlsVerify"]).wrap_socket(plain, server_hostname=host) as secured,
        ):
            said = f"{host}:{port} answers with {secured.version()}{way}"
            yield Sign("preflight/gateway", Level.OK, "", said)
    except socket.gaierror as error:
        yield _bad("dns", f"{proxy or host} does not resolve from here: {error.strerror}")
    except ssl.SSLCertVerificationError as error:
        yield _bad("certificate", f"the certificate of {host}:{port} is not accepted: {error.verify_message}")
    except ssl.SSLError as error:
        yield _bad("tls", f"{host}:{port} does not speak TLS{way}: {error.reason}")
    except OSError as error:
        yield _bad("tcp", f"{host}:{port} cannot be reached from here{way}: {error.strerror or error}")


def _bad(reason: str, message: str) -> Sign:
    return Sign("preflight/gateway", Level.ERROR, reason, message)


def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _connected(host: str, port: int, proxy: str) -> socket.socket:
    if not proxy:
        return socket.create_connection((host, port), _TIMEOUT)
    where = urlsplit(proxy)
    plain = socket.create_connection((where.hostname or "", where.port or 80), _TIMEOUT)
    plain.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer and (more := plain.recv(4096)):
        answer += more
    status = answer.split(b" ", 2)[1:2]
    if status != [b"200"]:
        plain.close()
        first = answer.partition(b"\r\n")[0].decode("latin-1") or "nothing"
        raise OSError(f"the proxy answers {first}")
    return plain
