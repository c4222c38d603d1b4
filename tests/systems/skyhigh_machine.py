"""A machine for a Secure App Connector: a folder in the place of its root, behind a real OpenSSH server or right here.

The vendor's package is not to be had: a stand-in takes its place, whose installer writes down what it was given.
"""

from __future__ import annotations

import getpass
import hashlib
import io
import os
import shutil
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from systems.ports import unused_port

SSHD = shutil.which("sshd") or next((path for path in ("/usr/sbin/sshd",) if Path(path).exists()), "")

_SERVICES = ("CWPP Logging: running", "CWPP connector : Up", "CWPP update (active)", "CWPP POP Manager   running")
_INFRA = """\
#!/bin/bash
# The stand-in for the vendor's installer.
printf '%s\\0' "$@" > "$POLICYSYNC_ROOT/given"
echo "installing with $*"
grep -slaF -e "${1#--provision_key=}" /proc/[0-9]*/cmdline > "$POLICYSYNC_ROOT/seen-in" || true
echo $$ > "$POLICYSYNC_ROOT/installer-pid"
if [ -e "$POLICYSYNC_ROOT/broken" ]; then echo "no luck with $1" >&2; exit 7; fi
cp "$POLICYSYNC_ROOT/services.good" "$POLICYSYNC_ROOT/services"
for tunnel in tun0 tun1; do
  mkdir -p "$POLICYSYNC_ROOT/sys/class/net/$tunnel"
  echo 0x1091 > "$POLICYSYNC_ROOT/sys/class/net/$tunnel/flags"
done
"""
_MENU = """\
#!/bin/bash
read -r choice
case $choice in
  1) echo "Secure App Connector version 1.0.0.7" ;;
  2) cat "$POLICYSYNC_ROOT/services" ;;
esac
"""
_TIMEOUT = """\
#!/bin/sh
shift
case "$*" in
  */dev/tcp/* | *--proxytunnel*) test ! -e "$POLICYSYNC_ROOT/closed" ;;
  *) exec "$@" ;;
esac
"""
_PROGRAMS = {
    "df": '#!/bin/sh\necho Size\ncat "$POLICYSYNC_ROOT/disk"\n',
    "getent": '#!/bin/sh\ncase $2 in *missing*) exit 2 ;; esac\necho 192.0.2.1 "$2"\n',
    "timeout": _TIMEOUT,
    "sudo": '#!/bin/sh\nshift\nexec "$@"\n',
}


@dataclass
class Machine:
    """One machine. `options` are those of a skyhigh target that reaches it, `ssh` what a document says of it."""

    root: Path
    options: dict[str, object] = field(default_factory=dict)
    ssh: dict[str, object] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None

    def write(self, file: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the machine."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def tunnel(self, name: str, *, up: bool) -> None:
        """Bring a tunnel up or down."""
        self.write(f"sys/class/net/{name}/flags", "0x1091\n" if up else "0x1090\n")

    @property
    def given(self) -> list[str]:
        """What the installer was given."""
        return (self.root / "given").read_text(encoding="utf-8").split("\0")[:-1]

    def rebuild(self) -> None:
        """Make it a machine on which nothing was installed."""
        for file in ("etc/policysync", "usr", "opt", "sys", "var/log"):
            shutil.rmtree(self.root / file, ignore_errors=True)

    def stop(self) -> None:
        """Switch it off."""
        if self.server:
            self.server.terminate()
            self.server.wait()


def fresh(root: Path) -> Machine:
    """Return a machine as a connector wants it, that nobody reaches yet."""
    machine = Machine(root)
    machine.write("etc/os-release", "ID=ubuntu\nVERSION_ID=22.04\n")
    machine.write("etc/hostname", "sac-eu-01\n")
    machine.write("etc/timezone", "UTC\n")
    machine.write("proc/cpuinfo", "processor : x\n" * 4)
    machine.write("proc/meminfo", "MemTotal:        8100000 kB\n")
    machine.write("disk", f"{60 * 1024**3}\n")
    machine.write("services.good", "\n".join(_SERVICES) + "\n")
    machine.write("services", "")
    (root / "var").mkdir()
    for name, text in _PROGRAMS.items():
        machine.write(f"bin/{name}", text, 0o755)
    return machine


@contextmanager
def here(root: Path) -> Iterator[Machine]:
    """A machine that is this one, with `via: local`."""
    machine = fresh(root)
    machine.options = {"via": "local"}
    machine.ssh = {"user": "root", "port": 22}
    machine.environ = {"POLICYSYNC_ROOT": str(root)}
    yield machine


@contextmanager
def behind_openssh(root: Path, folder: Path) -> Iterator[Machine]:
    """A machine behind an OpenSSH server on loopback, with keys made for it."""
    machine = fresh(root)
    folder.mkdir()
    for name in ("host_key", "key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = unused_port()
    shutil.copy(folder / "key.pub", folder / "authorized_keys")
    known = (folder / "host_key.pub").read_text(encoding="utf-8")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {known}", encoding="utf-8")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nStrictModes no\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nPasswordAuthentication no\nPermitRootLogin yes\n"
        f"SetEnv POLICYSYNC_ROOT={root} PATH={root}/bin:{os.environ['PATH']}\n",
        encoding="utf-8",
    )
    Path("/run/sshd").mkdir(exist_ok=True) if os.geteuid() == 0 else None
    machine.server = subprocess.Popen(
        [SSHD, "-D", "-e", "-f", folder / "sshd_config"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _wait_for(port)
    machine.options = {"identity_file": str(folder / "key"), "known_hosts": str(folder / "known_hosts")}
    machine.ssh = {"user": getpass.getuser(), "port": port}
    try:
        yield machine
    finally:
        machine.stop()


@contextmanager
def package(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve the stand-in for the vendor's package; give its address and digest."""
    folder.mkdir()
    inner, outer = io.BytesIO(), io.BytesIO()
    _tar(inner, {"vCenter/infra.sh": _INFRA.encode(), "vCenter/pa_connector.sh": _MENU.encode()})
    _tar(outer, {"Infrastructure.tar": inner.getvalue()})
    (folder / "PoPPackage.tar").write_bytes(outer.getvalue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield (
            f"http://127.0.0.1:{server.server_address[1]}/PoPPackage.tar",
            hashlib.sha256(outer.getvalue()).hexdigest(),
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def _tar(into: io.BytesIO, files: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=into, mode="w") as archive:
        for name, content in files.items():
            about = tarfile.TarInfo(name)
            about.size, about.mode = len(content), 0o755
            archive.addfile(about, io.BytesIO(content))


def _wait_for(port: int) -> None:
    end = time.monotonic() + 120
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
