"""Filling a console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unit.emulator.conftest import Open

from policysync.errors import InvalidInput


def write(folder: Path, name: str, value: object) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")


def test_a_folder_of_bodies(console: Open, tmp_path: Path) -> None:
    write(tmp_path, "door/shed.json", {"name": "shed", "author": "mary", "id": 900, "locked": True})
    write(tmp_path, "ticket/two.json", [{"title": "a"}, {"title": "b"}])
    one = console(seed=tmp_path)
    shed = one.get("/api/v2/doors/shed").json
    assert (shed["author"], shed["id"], shed["locked"]) == ("mary", 900, True)
    assert [ticket["title"] for ticket in one.get("/api/v2/tickets").json["data"]] == ["a", "b"]


def test_a_body_takes_the_place_of_a_builtin(console: Open, tmp_path: Path) -> None:
    write(tmp_path, "door/front.json", {"name": "Front", "colour": "red"})
    one = console(seed=tmp_path)
    assert one.get("/api/v2/doors/Front").json["colour"] == "red"
    assert len(one.get("/api/v2/doors").json["result"]) == 2


def test_seeding_twice_changes_nothing(console: Open, tmp_path: Path) -> None:
    write(tmp_path, "door/shed.json", {"name": "shed"})
    store = tmp_path / "c.sqlite"
    first = console(store=store, seed=tmp_path).get("/api/v2/doors").body
    assert console(store=store, seed=tmp_path).get("/api/v2/doors").body == first


def test_every_mistake_is_listed_and_nothing_is_stored(console: Open, tmp_path: Path) -> None:
    write(tmp_path, "door/good.json", {"name": "good"})
    write(tmp_path, "door/typed.json", {"name": "typed", "locked": "yes"})
    write(tmp_path, "door/list.json", [1])
    write(tmp_path, "boat/a.json", {})
    (tmp_path / "door/broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        console(seed=tmp_path)
    places = sorted(Path(problem.where.file).name for problem in caught.value.problems)
    assert places == ["boat", "broken.json", "list.json", "typed.json"]


def test_a_folder_that_is_not_there(console: Open, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such folder"):
        console(seed=tmp_path / "none")
