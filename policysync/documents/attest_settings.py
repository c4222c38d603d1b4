"""The section `attest` of policysync.yaml: who signs what was applied, and whose signatures count."""

from __future__ import annotations

from typing import NamedTuple

from policysync.documents.section import Section

WAYS = ("ssh", "ed25519")


class AttestSettings(NamedTuple):
    """How attestations are signed; `sign` is empty where they are not.

    For ssh `key` is a path, and `signers` a file as git's `gpg.ssh.allowedSignersFile`. For ed25519 `key` is a secret
    reference, and `signers` a file of public keys in PEM. Paths are relative to the policy root.
    """

    sign: str = ""
    key: str = ""
    signers: str = ""


def attest_settings(section: Section) -> AttestSettings:
    """Return what the section says; what is wrong is noted at its place."""
    section.only("sign", "key", "signers")
    if not section.value:
        return AttestSettings()
    sign = section.text("sign", required=True)
    key = section.text("key")
    if sign and sign not in WAYS:
        section.refuse("sign", f'"{sign}" is no way to sign; want ssh or ed25519', "enum")
    if sign == "ed25519" and key and not (key.startswith("${") and key.endswith("}")):
        section.refuse("key", "a key does not stand here; want a reference such as ${env:ATTEST_KEY}", "literal-secret")
    return AttestSettings(sign, key, section.text("signers"))
