from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.forges.codeowners import owners

FILE = """
# Who is asked.
*                     @everybody
policies/             @team/platform   # all of them
*.md                  @writers
/releases/prod.yaml   @team/security @ann
docs/*                @docs
build/**/secret.txt   @keeper
free/
a\\ b.txt             @spaced
[ab].txt              @nobody
!policies/            @nobody
"""


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("policysync.yaml", ("@everybody",)),
        ("policies/base/a.yaml", ("@team/platform",)),
        ("other/policies/a.yaml", ("@team/platform",)),
        ("policies/readme.md", ("@writers",)),
        ("releases/prod.yaml", ("@team/security", "@ann")),
        ("below/releases/prod.yaml", ("@everybody",)),
        ("docs/page.txt", ("@docs",)),
        ("docs/deep/page.txt", ("@everybody",)),
        ("build/secret.txt", ("@keeper",)),
        ("build/x/y/secret.txt", ("@keeper",)),
        ("free/of/owners", ()),
        ("a b.txt", ("@spaced",)),
        ("a.txt", ("@everybody",)),
    ],
)
def test_the_last_pattern_that_matches_wins(path: str, wanted: tuple[str, ...]) -> None:
    assert owners(FILE, path) == wanted


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("/apps/", "apps/a/b", True),
        ("/apps/", "x/apps/a", False),
        ("apps/", "apps", False),
        ("apps", "apps", True),
        ("apps", "x/apps/y", True),
        ("**/logs", "a/b/logs/c", True),
        ("**/logs", "logs/c", True),
        ("/docs/**", "docs/a/b", True),
        ("/docs/**", "docs", False),
        ("?.txt", "a.txt", True),
        ("?.txt", "ab.txt", False),
        ("*.YAML", "a.yaml", False),
        ("/releases/*.yaml", "releases/prod.yaml", True),
    ],
)
def test_patterns_mean_what_gits_do(pattern: str, path: str, owned: bool) -> None:
    assert bool(owners(f"{pattern} @owner", path)) is owned


@given(st.text(), st.text(min_size=1))
def test_no_file_breaks_it(text: str, path: str) -> None:
    assert isinstance(owners(text, path), tuple)


@given(st.text("abc/*?.", min_size=1, max_size=12).filter(lambda text: text.strip("/")))
def test_a_pattern_without_wildcards_owns_itself(pattern: str) -> None:
    plain = pattern.replace("*", "").replace("?", "").strip("/")
    if plain and "//" not in plain:
        assert owners(f"/{plain} @me", plain) == ("@me",)
