"""The scripts that change a machine. Each prints which step it is at, and nothing that a tool or the installer says.

Source: reference, connectors 3.3.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Mapping
from string import Template
from typing import Any

from policysync.backends.skyhigh.live import record_of
from policysync.backends.skyhigh.remote import STARTED
from policysync.render.skyhigh import KEY_FILE, WORK_FOLDER, arguments
from policysync.render.skyhigh_probe import RECORD
from policysync.secret import Secret

LOG = "/var/log/policysync-skyhigh-install.log"
LOCK = "/run/policysync-skyhigh.lock"
_AT_STEP = re.compile(r"^policysync: at (.+)$", re.MULTILINE)
_KEY = "@KEY@"

_HEAD = Template(r"""
set -euo pipefail
umask 077
root=$${POLICYSYNC_ROOT:-}
export LC_ALL=C PATH="$${root:+$$root/bin:}$$PATH:/usr/sbin:/sbin"
record=$$root$record
at() { printf 'policysync: at %s\n' "$$1" >&3; }
keep() {
  at 'the record'
  install -d -m 0755 "$$(dirname "$$record")"
  printf %s $content | base64 -d > "$$record.new"
  chmod 0644 "$$record.new"
  mv -f "$$record.new" "$$record"
}
""")

_INSTALL = Template(r"""
main() {
  exec 3>&1
  printf '%s\n' '$started'
  install -d -m 0755 "$$root/run"
  exec 9>"$$root$lock"
  at 'the lock: another installation runs there'
  flock -n 9
  key_file=$$root$key_file
  trap 'shred -u "$$key_file" 2>/dev/null || rm -f "$$key_file"' EXIT
  install -d -m 0755 "$$root$log_folder"
  exec >>"$$root$log" 2>&1
  at 'the start'
  install -d -m 0755 "$$(dirname "$$record")"
  printf '{"begun": true}' > "$$record.new"
  mv -f "$$record.new" "$$record"
  at 'the key'
  install -d -m 0700 "$$(dirname "$$key_file")"
  printf %s $key | base64 -d > "$$key_file"
  at 'fetching the package'
  install -d -m 0700 "$$root$folder"
  cd "$$root$folder"
  curl --fail --silent --show-error --location --output PoPPackage.tar $url
  at 'the digest of the package'
  echo "$sha256  PoPPackage.tar" | sha256sum --check --strict
  at 'unpacking'
  tar -xf PoPPackage.tar
  tar -xf Infrastructure.tar
  at 'the folder $platform of the package'
  install -d -m 0755 "$$root/usr/local/bin"
  install -m 0755 $platform/pa_connector.sh "$$root/usr/local/bin/pa_connector.sh"
  install -m 0755 $platform/infra.sh infra.sh
  at 'the installer'
  # What it leaves running does not hold the lock; 255 is what SSH ends with when it loses the connection.
  bash infra.sh $arguments 9>&- || { status=$$?; exit "$$((status == 255 ? 254 : status))"; }
  keep
  at 'the end'
}
main </dev/null
""")

_KEEP = Template(r"""
main() {
  exec 3>&1
  printf '%s\n' '$started'
  keep
  at 'the end'
}
main </dev/null
""")


def install_script(spec: Mapping[str, Any], key: Secret) -> str:
    """Return the script that installs a connector. It holds the key: it goes to the machine on standard input only."""
    given = [shlex.quote(argument) for argument in arguments(spec, _KEY)]
    # The installer takes the key as an argument; it is read from its file at the last moment.
    given[0] = '--provision_key="$(cat "$key_file")"'
    return _head(record_of(spec)) + _INSTALL.substitute(
        started=STARTED,
        key_file=KEY_FILE,
        key=_base64(key.reveal()),
        lock=LOCK,
        log=LOG,
        log_folder=LOG.rpartition("/")[0],
        folder=WORK_FOLDER,
        url=shlex.quote(spec["package"]["url"]),
        sha256=spec["package"]["sha256"],
        platform=spec["platform"],
        arguments=" ".join(given),
    )


def record_script(spec: Mapping[str, Any]) -> str:
    """Return the script that records what only git says of a machine."""
    return _head(record_of(spec)) + _KEEP.substitute(started=STARTED)


def retire_script() -> str:
    """Return the script after which a machine is nobody's: no uninstall is documented, so nothing else is done."""
    return _head({"retired": True}) + _KEEP.substitute(started=STARTED)


def step_of(printed: str) -> str:
    """Return the step at which a script ended."""
    found = _AT_STEP.findall(printed)
    return str(found[-1]) if found else "the start"


def _head(record: Mapping[str, Any]) -> str:
    content = json.dumps(record, ensure_ascii=False, sort_keys=True)
    return _HEAD.substitute(record=RECORD, content=_base64(content))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
