"""The page is read by an HTML parser that is as strict as it can be, and by a browser where there is one."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest
from unit.reports.plans import HOSTILE, blockage, change, edit, hostile_plan, plan

from policysync.plan.change import Posture
from policysync.reports.page import Page, StagePart, planned, render, target_part
from policysync.reports.planned import Planned

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ATTRIBUTES = {"lang", "charset", "http-equiv", "content", "name", "class", "href", "scope", "colspan", "id", "open"}


def parsed(text: str) -> Element:
    """Read a page; any error of its syntax is one."""
    root: Any = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)
    assert isinstance(root, Element)
    return root


def page() -> str:
    looser = change("web", [edit("severity", "high", "low", Posture.LOOSER)], Posture.LOOSER)
    view = Planned([plan(looser, blocked=(blockage(),))], guards={("prod", "prod-console"): {"dirty-tree": "why"}})
    part = target_part(view, view.plans[0], plan(change("api")), "yesterday")
    stages = (StagePart(1, "dev", trouble="the console is away"), StagePart(2, "prod", (part,), history=("applied",)))
    return render(Page("ours", "now", stages, whole=True))


@pytest.mark.parametrize("text", [page(), planned(Planned([hostile_plan()])), planned(Planned([plan()], drift=True))])
def test_a_page_is_html_and_loads_nothing(text: str) -> None:
    tree = parsed(text)
    names = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert names & {"script", "img", "iframe", "link", "object", "form", "svg", "base"} == set()
    for element in tree.iter():
        assert {*element.attrib} <= ATTRIBUTES | {"aria-labelledby"}
        assert element.attrib.get("href", "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    text = page()
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\"" in text


def test_hostile_values_are_text() -> None:
    text = "".join(parsed(planned(Planned([hostile_plan()]))).itertext())
    assert HOSTILE[1] in text
    assert "{{ 7 * 7 }}" in text
    assert "\u202e" not in text


def test_a_page_is_laid_out_for_everybody() -> None:
    tree = parsed(page())
    assert tree.attrib["lang"] == "en"
    ids = [element.attrib["id"] for element in tree.iter() if "id" in element.attrib]
    assert len(set(ids)) == len(ids)
    for link in tree.iter("a"):
        assert link.attrib["href"][1:] in ids
    for table in tree.iter("table"):
        assert table.find("caption") is not None
        assert all("scope" in heading.attrib for heading in table.iter("th"))
    levels = [int(element.tag[1]) for element in tree.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_everything_is_told() -> None:
    text = " ".join("".join(parsed(page()).itertext()).split())
    for said in ("the console is away", "Guard dirty-tree would refuse this: why", "release-locked", "⚠ looser"):
        assert said in text
    for said in ('"high" → "low"', "yesterday", "Drift: 1 edited by hand", "applied", "0123456789ab"):
        assert said in text


def test_a_browser_shows_it(tmp_path: Path) -> None:
    if not BROWSER:
        pytest.skip("no browser here: the page was judged by html5lib alone")
    file = tmp_path / "page.html"
    file.write_text(page(), encoding="utf-8")
    line = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run(
        [*line, "--dump-dom", file.as_uri()], capture_output=True, text=True, check=True, timeout=600
    )
    assert "⚠ looser" in shown.stdout
    assert "Content Security Policy" not in shown.stderr
