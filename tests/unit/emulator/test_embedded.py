"""The console inside the process."""

from __future__ import annotations

from pathlib import Path

from unit.emulator.caller import Caller
from unit.emulator.conftest import Open

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import Kinds


def test_the_store_is_opened_by_the_first_request(small_kinds: Kinds, tmp_path: Path) -> None:
    file = tmp_path / "consoles" / "dev.sqlite"
    local = embedded(file, small_kinds)
    assert not file.exists()
    assert local("GET", "/api", {})[0] == 200
    assert file.exists()
    local.close()


def test_closing_and_opening_again_finds_everything(small_kinds: Kinds, tmp_path: Path) -> None:
    local = embedded(tmp_path / "c.sqlite", small_kinds)
    Caller(local).post("/api/v2/doors", {"name": "shed"})
    local.close()
    local.close()
    assert Caller(local).get("/api/v2/doors/shed").status == 200
    local.close()


def test_a_store_that_cannot_be_used_is_an_answer(small_kinds: Kinds, tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").mkdir()
    status, _, body = embedded(tmp_path / "c.sqlite", small_kinds)("GET", "/api", {})
    assert status == 500
    assert b"the store of this console cannot be used: unable to open database file" in body


def test_two_consoles_on_one_file_see_each_other(console: Open, tmp_path: Path) -> None:
    first, second = console(store=tmp_path / "c.sqlite"), console(store=tmp_path / "c.sqlite")
    first.post("/api/v2/doors", {"name": "shed"})
    assert second.get("/api/v2/doors/shed").status == 200
    assert second.post("/api/v2/doors", {"name": "shed"}).status == 409
    assert len(second.get("/api/v2/doors").json["result"]) == 3


def test_the_password_is_the_one_given(small_kinds: Kinds, clock: FakeClock) -> None:
    local = embedded(None, small_kinds, "of my own", settings=Settings(edition="saas"), clock=clock)
    assert Caller(local).login.status == 401
    assert Caller(local, password="of my own").login.status == 200
    assert local.console.settings.edition == "saas"
    local.close()


def test_header_names_are_read_in_any_case(console: Open) -> None:
    one = console()
    token = one.headers.pop("Authorization")
    assert one.send("GET", "/api/v2/doors", AUTHORIZATION=token).status == 200
