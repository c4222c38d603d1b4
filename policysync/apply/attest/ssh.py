"""Signatures made and checked by ssh-keygen, with keys that sign commits as well.

Source: ssh-keygen(1), -Y sign, -Y find-principals and -Y verify; PROTOCOL.sshsig.
"""

from __future__ import annotations

import base64
import subprocess
import tempfile
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from policysync.apply.attest.envelope import Signature
from policysync.errors import PolicySyncError
from policysync.secret import told

NAMESPACE = "policysync-attestation"
"""What a signature is for: one of a commit is none of an attestation."""

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


@dataclass(frozen=True, slots=True)
class SshSigner:
    """Signs with a private key, or by the agent that holds the private half of a public one."""

    key: Path
    environ: Mapping[str, str] = field(repr=False)

    def sign(self, content: bytes) -> Signature:
        """See `Signer`."""
        done = _run(self.environ, "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(self.key), content=content)
        if done.returncode:
            raise PolicySyncError(f"{self.key} does not sign: {_said(done)}")
        armoured = done.stdout.decode().split(_BEGIN)[1].split(_END)[0]
        return Signature(self._fingerprint(), base64.b64decode(armoured))

    def _fingerprint(self) -> str:
        done = _run(self.environ, "-l", "-f", str(self.key))
        words = done.stdout.decode(errors="replace").split()
        return words[1] if not done.returncode and len(words) > 1 else ""


@dataclass(frozen=True, slots=True)
class SshVerifier:
    """Trusts whom a file of allowed signers names, as git does for commits."""

    signers: Path
    environ: Mapping[str, str] = field(repr=False)

    def signer(self, content: bytes, signature: Signature) -> str:
        """See `Verifier`."""
        if not self.signers.is_file():
            raise PolicySyncError(f"no file {self.signers}, which would say whose signatures to trust")
        body = "\n".join(textwrap.wrap(base64.b64encode(signature.sig).decode(), 70))
        with tempfile.NamedTemporaryFile("w", suffix=".sig") as file:
            file.write(f"{_BEGIN}\n{body}\n{_END}\n")
            file.flush()
            about = ("-n", NAMESPACE, "-f", str(self.signers), "-s", file.name)
            found = _run(self.environ, "-Y", "find-principals", *about)
            for who in found.stdout.decode(errors="replace").split() if not found.returncode else ():
                if not _run(self.environ, "-Y", "verify", "-I", who, *about, content=content).returncode:
                    return who
        return ""


def _run(environ: Mapping[str, str], *args: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    # A key with a passphrase belongs into an agent: nobody is there to be asked.
    silent = {"SSH_ASKPASS": "false", "SSH_ASKPASS_REQUIRE": "force", "LC_ALL": "C"}
    try:
        return subprocess.run(
            ["ssh-keygen", *args], input=content, capture_output=True, env={**environ, **silent}, check=False
        )
    except FileNotFoundError as error:
        raise PolicySyncError("ssh-keygen is not installed, or not on the PATH") from error


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    said = " ".join((done.stderr or done.stdout).decode(errors="replace").split())
    return told(said) or f"ssh-keygen ended with status {done.returncode}"
