"""Starts a real kube-apiserver, its etcd and its controllers on loopback, and stops them.

What is built is Kubernetes 1.20: no policy/v1, no strict field validation, no rules in CEL.
"""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

from systems.ports import unused_port

ROOT = Path(__file__).resolve().parents[3]
BUILT = Path(os.environ.get("POLICYSYNC_KUBERNETES", ROOT / ".kubernetes")) / "bin"
PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
NAME = "kube-apiserver 1.20.2"


def is_built() -> bool:
    """Return whether `make kubernetes` has been run here."""
    return all((BUILT / name).exists() for name in PROGRAMS)


class Cluster:
    """One cluster in a folder. Everybody with the token may do everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.token = secrets.token_hex(16)
        self._running: list[subprocess.Popen[bytes]] = []
        self._port = 0

    def start(self) -> Cluster:
        """Start everything and return when the API server is ready."""
        self._port, etcd, peer, unused = (unused_port() for _ in range(4))
        (self.folder / "tokens.csv").write_text(f'{self.token},robot,robot,"system:masters"\n', encoding="utf-8")
        key = self.folder / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        peers = f"http://127.0.0.1:{peer}"
        clients = f"http://127.0.0.1:{etcd}"
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
        )
        self._run(
            "kube-apiserver",
            f"--etcd-servers={clients}",
            f"--cert-dir={self.folder / 'certificates'}",
            f"--secure-port={self._port}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--endpoint-reconciler-type=none",
            "--disable-admission-plugins=ServiceAccount",
        )
        self._wait()
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.kubeconfig(self.folder / 'controllers.yaml')}",
            "--port=0",
            f"--secure-port={unused}",
            f"--cert-dir={self.folder / 'controller-certificates'}",
            "--leader-elect=false",
            "--controllers=garbagecollector,namespace",
        )
        return self

    def _run(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.log").open("wb") as log:
            # One processor each: several of them start beside the tests.
            environ = {**os.environ, "GOMAXPROCS": "2"}
            command = [str(BUILT / program), *arguments]
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log, env=environ))

    def _wait(self) -> None:
        until = time.monotonic() + 150
        while time.monotonic() < until:
            certificate = self.folder / "certificates" / "apiserver.crt"
            if certificate.exists() and self._ready(certificate):
                return
            if any(process.poll() is not None for process in self._running):
                break
            time.sleep(0.1)
        said = (self.folder / "kube-apiserver.log").read_text(errors="replace")[-2000:]
        self.stop()
        raise RuntimeError(f"the API server did not become ready: {said}")

    def _ready(self, certificate: Path) -> bool:
        request = urllib.request.Request(f"https://127.0.0.1:{self._port}/readyz")
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            context = ssl.create_default_context(cafile=str(certificate))
            with urllib.request.urlopen(request, context=context, timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def kubeconfig(self, path: Path, context: str = "real") -> Path:
        """Write a kubeconfig that leads here."""
        ca = base64.b64encode((self.folder / "certificates" / "apiserver.crt").read_bytes()).decode()
        cluster = {"server": f"https://127.0.0.1:{self._port}", "certificate-authority-data": ca}
        said = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": context, "user": {"token": self.token}}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        }
        path.write_text(yaml.safe_dump(said), encoding="utf-8")
        return path

    def stop(self) -> None:
        """Stop what was started, the last one first."""
        for process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)
