"""A script that reads a machine, changes nothing, and prints one JSON object.

It needs a POSIX shell and what every supported distribution has. Facts that could not be read are null. Where
`POLICYSYNC_ROOT` is set on the machine, every file is read below that folder.

Source: reference, connectors 3.5 and skyhigh-preflight.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from string import Template
from typing import Any
from urllib.parse import urlsplit

from policysync.render.skyhigh_pops import gateway_host

RECORD = "/etc/policysync/skyhigh/installed.json"
"""What policysync leaves on a machine that it installed a connector on."""

OUTBOUND = (
    "myshn.net",
    "index.docker.io",
    "registry-1.docker.io",
    "auth.docker.io",
    "production.cloudflare.docker.com",
    "storage.googleapis.com",
    "k8s.gcr.io",
)
"""Domains an earlier page of the vendor lists; known to be incomplete."""

_SCRIPT = Template(r"""#!/bin/sh
# Reads this machine and prints one JSON object. Changes nothing.
gateway=$gateway
proxy=$proxy
names=$names
outbound=$outbound
seconds=$seconds
root=$${POLICYSYNC_ROOT:-}
record=$$root$record
export LC_ALL=C PATH="$${root:+$$root/bin:}$$PATH:/usr/sbin:/sbin"

text() {
  if [ -z "$$1" ]; then printf null; return; fi
  printf '"%s"' "$$(printf '%s' "$$1" | tr '\n\t' '  ' | tr -d '\000-\037' | sed 's/\\/\\\\/g; s/"/\\"/g')"
}
number() { case "$$1" in '' | *[!0-9]*) printf null ;; *) printf %s "$$1" ;; esac; }
limited() { if command -v timeout >/dev/null 2>&1; then timeout "$$seconds" "$$@"; else "$$@"; fi; }
size() { df -B1 --output=size "$$root$$1" 2>/dev/null | tail -n 1 | tr -d ' '; }
menu() {
  program=$$root/usr/local/bin/pa_connector.sh
  if [ -x "$$program" ]; then printf '%s\n' "$$1" | limited "$$program" 2>/dev/null; fi
}
resolves() { if limited getent hosts "$$1" >/dev/null 2>&1; then printf true; else printf false; fi; }
reaches() {
  if [ -n "$$proxy" ]; then
    limited curl --silent --output /dev/null --connect-timeout "$$seconds" --proxy "$$proxy" --proxytunnel \
      "https://$$1:443/" >/dev/null 2>&1
    case $$? in 5 | 6 | 7 | 28 | 56 | 97 | 124 | 127) printf false ;; *) printf true ;; esac
  elif limited bash -c 'exec 3<>"/dev/tcp/$$0/443"' "$$1" >/dev/null 2>&1; then printf true; else printf false; fi
}
each() {
  mark=''
  for one in $$2; do printf '%s"%s":' "$$mark" "$$one"; "$$1" "$$one"; mark=,; done
}
tunnels() {
  up=0
  for flags in "$$root"/sys/class/net/tun*/flags; do
    if [ -r "$$flags" ] && [ $$(($$(cat "$$flags") & 1)) = 1 ]; then up=$$((up + 1)); fi
  done
  printf %s "$$up"
}
main() {
  if [ -r "$$root/etc/os-release" ]; then . "$$root/etc/os-release"; fi
  # The link decides which zone it is; the file beside it may be years old.
  zone=''
  if [ -z "$$root" ]; then zone=$$(timedatectl show -p Timezone --value 2>/dev/null); fi
  if [ -z "$$zone" ]; then zone=$$(readlink "$$root/etc/localtime" 2>/dev/null | sed -n 's,^.*/zoneinfo/,,p'); fi
  if [ -z "$$zone" ]; then zone=$$(cat "$$root/etc/timezone" 2>/dev/null); fi
  squashfs=false
  if grep -Eqs '^[[:space:]]*(blacklist[[:space:]]+squashfs|install[[:space:]]+squashfs[[:space:]]+/bin/(true|false))' \
    "$$root"/etc/modprobe.d/*; then squashfs=true; fi
  installed=false
  if [ -e "$$root/usr/local/bin/pa_connector.sh" ]; then installed=true; fi

  printf '{"os":{"id":'; text "$${ID:-}"; printf ',"version":'; text "$${VERSION_ID:-}"
  printf '},"cpu":'; number "$$(grep -c '^processor' "$$root/proc/cpuinfo")"
  printf ',"memory_kib":'; number "$$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$$root/proc/meminfo")"
  printf ',"disk_bytes":'; number "$$(size /)"
  printf ',"var_bytes":'; number "$$(size /var)"
  printf ',"var_options":'; text "$$(findmnt -no OPTIONS -T "$$root/var" 2>/dev/null)"
  printf ',"hostname":'; text "$$(cat "$$root/etc/hostname" 2>/dev/null || hostname)"
  printf ',"timezone":'; text "$$zone"
  printf ',"squashfs_disabled":%s' "$$squashfs"
  printf ',"installer_present":%s' "$$installed"
  printf ',"version":'; text "$$(menu 1)"
  printf ',"services":'; text "$$(menu 2 | tr '\n' ';')"
  printf ',"tunnels_up":'; number "$$(tunnels)"
  printf ',"gateway_resolves":'; resolves "$$gateway"
  printf ',"resolves":{'; each resolves "$$names"
  printf '},"reaches":{'; each reaches "$$outbound"
  printf '},"epoch":'; number "$$(date +%s)"
  printf ',"record":'; text "$$(cat "$$record" 2>/dev/null)"; printf '}\n'
}
main </dev/null
""")


def probe_script(spec: Mapping[str, Any], *, network: bool = True, seconds: int = 10) -> str:
    """Return the script for a machine.

    Args:
        network: also try names and outbound connections, which takes a while.
        seconds: after which each step is given up.
    """
    gateway = gateway_host(spec["gateway"])
    return _SCRIPT.substitute(
        gateway=shlex.quote(gateway),
        proxy=shlex.quote(proxy_url(spec)),
        names=shlex.quote(" ".join(_names(spec)) if network else ""),
        outbound=shlex.quote(" ".join((gateway, *OUTBOUND)) if network else ""),
        record=RECORD,
        seconds=seconds,
    )


def proxy_url(spec: Mapping[str, Any]) -> str:
    """Return the address of the proxy of a connector; empty where it has none."""
    return str(spec.get("proxy", {}).get("url", ""))


def probe_seconds(spec: Mapping[str, Any], *, network: bool = True, seconds: int = 10) -> int:
    """Return how long the script may take on a machine on which every step is given up."""
    steps = 3 + (len(OUTBOUND) + 1 + len(tuple(_names(spec))) if network else 0)
    return 30 + steps * (seconds + 2)


def _names(spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the private hosts the machine has to know; the proxy counts, and a wildcard is no host."""
    for application in spec.get("applications", ()):
        if not application["host"].startswith("*"):
            yield application["host"]
    proxy = urlsplit(proxy_url(spec)).hostname
    if proxy:
        yield proxy
