"""CODEOWNERS: who has to be asked about a path. Pure.

Source: GitHub's page "About code owners": patterns are those of .gitignore without negation, ranges and escaped
number signs; the last one that matches wins, and one without owners takes the path from everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where the file is looked for, first found first taken."""


def owners(text: str, path: str) -> tuple[str, ...]:
    """Return the owners of `path` as they stand there: `@user`, `@organisation/team` or an e-mail address.

    `path` is relative to the root of the repository, with slashes and without one in front.
    """
    found: tuple[str, ...] = ()
    for pattern, named in _rules(text):
        if _expression(pattern).fullmatch(path):
            found = named
    return found


def _rules(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in text.splitlines():
        stated = re.sub(r"(?:^|\s)#.*", "", line).strip()
        pattern, *named = re.split(r"(?<!\\)\s+", stated)
        if pattern and not pattern.startswith("!") and "[" not in pattern:
            yield pattern.replace("\\ ", " "), tuple(named)


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    # A slash before the end ties a pattern to the root; without one it is a name at any depth.
    anchored = "/" in pattern.rstrip("/")
    parts = [_part(part) for part in pattern.strip("/").split("/")]
    body = "/".join(parts).replace("\0/", "(?:.*/)?").replace("/\0", "/.+").replace("\0", ".*")
    # `docs/*` means the files right inside; `docs` and `docs/` everything below as well.
    below = "" if pattern.endswith("/*") else "/.+" if pattern.endswith("/") else "(?:/.+)?"
    return re.compile(f"{'' if anchored else '(?:.*/)?'}{body}{below}")


def _part(part: str) -> str:
    if part == "**":
        return "\0"
    return "".join({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in part)
