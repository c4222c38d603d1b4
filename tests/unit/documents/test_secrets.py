from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import write

from policysync.documents.secrets import resolver
from policysync.errors import PolicySyncError


def test_references_are_resolved(tmp_path: Path) -> None:
    write(tmp_path, {"keys/a": "from-file\n", "keys/b": "two\nlines\r\n"})
    resolve = resolver({"TOKEN": "from-env"}, tmp_path)
    secret = resolve("${env:TOKEN}")
    assert (secret.reveal(), secret.source, str(secret)) == ("from-env", "${env:TOKEN}", "***")
    assert resolve("${file:keys/a}").reveal() == "from-file"
    assert resolve("${file:keys/b}").reveal() == "two\nlines"
    assert resolve(f"${{file:{tmp_path}/keys/a}}").reveal() == "from-file"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("${env:GONE}", r"\$\{env:GONE\}: GONE is not set, or is empty"),
        ("${env:EMPTY}", "is not set, or is empty"),
        ("${env:a b}", "`a b` is not the name of an environment variable"),
        ("${file:empty}", "empty is empty"),
        ("${file:gone}", "cannot be read: No such file or directory"),
        ("${file:folder}", "cannot be read"),
        ("${file:../out}", "leads out of the policy root"),
        ("${file:}", "leads out of the policy root"),
        ("${file:link}", "leads out of the policy root"),
        ("${file:large}", "holds more than 65536 bytes"),
        ("${file:binary}", "is not text in UTF-8"),
        ("${gcp:x}", r"`\$\{gcp:…\}` is no reference we know"),
        ("hunter2", "a secret stands here in clear text"),
    ],
)
def test_references_that_lead_nowhere(tmp_path: Path, reference: str, message: str) -> None:
    root = write(tmp_path / "root", {"empty": "\n", "folder/x": "", "large": "x" * 70_000, "binary": b"\xff\xfe"})
    write(tmp_path, {"out": "stolen"})
    (root / "link").symlink_to(tmp_path / "out")
    with pytest.raises(PolicySyncError, match=message) as caught:
        resolver({"EMPTY": ""}, root)(reference)
    assert "hunter2" not in str(caught.value)
