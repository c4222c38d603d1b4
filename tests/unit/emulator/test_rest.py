"""The five calls, over kinds that are small enough to see through."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from unit.emulator.conftest import Open

from policysync.clock import FakeClock

START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


def test_a_sparse_create_is_completed(console: Open) -> None:
    made = console(quirks="off").post("/api/v2/doors", {"name": "shed"})
    assert made.status == 201
    assert made.json == {
        "name": "shed",
        "id": 3,
        "colour": "grey",
        "locked": False,
        "days": 30,
        "score": 0,
        "application_scopes": ["Global"],
        "keys": [],
        "steps": [],
        "range": [0, 10],
        "frame": {"wood": "", "height": 2, "nails": []},
        "options": {},
        "author": "administrator",
        "created": "2026-01-01T00:00:00.000Z",
        "lastupdate": START,
        "permission": "Write",
    }


def test_a_replace_resets_what_it_does_not_mention_and_keeps_who_created_it(console: Open, clock: FakeClock) -> None:
    one = console(quirks="off")
    before = one.post("/api/v2/doors", {"name": "shed", "locked": True, "days": 4, "frame": {"wood": "oak"}}).json
    clock.sleep(60)
    assert one.put("/api/v2/doors/shed", {"name": "shed", "colour": "red"}).status == 204
    after = one.get("/api/v2/doors/shed").json
    assert (after["locked"], after["days"], after["colour"]) == (False, 30, "red")
    assert after["frame"] == {"wood": "", "height": 0, "nails": []}
    assert after["lastupdate"] == START + 60
    assert {name: after[name] for name in ("id", "author", "created")} == {
        name: before[name] for name in ("id", "author", "created")
    }


def test_the_object_exactly_as_read_is_accepted(console: Open) -> None:
    one = console(quirks="off")
    body = one.post("/api/v2/doors", {"name": "shed", "keys": ["a"], "steps": [{"to": "b"}]}).json
    assert one.put("/api/v2/doors/shed", body).status == 204
    assert one.get("/api/v2/doors/shed").json == body


def test_unknown_fields_succeed_and_are_dropped(console: Open) -> None:
    one = console()
    assert one.post("/api/v2/doors", {"name": "shed", "locket": True, "frame": {"wod": "oak"}}).status == 201
    body = one.get("/api/v2/doors/shed").json
    assert "locket" not in body
    assert set(body["frame"]) == {"wood", "height", "nails"}


def test_read_only_fields_are_ignored(console: Open) -> None:
    made = console().post("/api/v2/doors", {"name": "shed", "id": 99, "author": "me", "permission": "None"}).json
    assert (made["id"], made["author"], made["permission"]) == (3, "administrator", "Write")


def test_a_name_cannot_be_changed(console: Open) -> None:
    one = console()
    one.post("/api/v2/doors", {"name": "shed"})
    one.put("/api/v2/doors/shed", {"name": "barn"})
    assert one.get("/api/v2/doors/shed").json["name"] == "shed"
    assert one.get("/api/v2/doors/barn").status == 404


@pytest.mark.parametrize("name", ["a b", "50%", "a/b", "ä&+#?"])
def test_names_are_decoded_after_the_path_is_split(console: Open, name: str) -> None:
    from urllib.parse import quote

    one = console()
    one.post("/api/v2/doors", {"name": name})
    assert one.get(f"/api/v2/doors/{quote(name, safe='')}").json["name"] == name
    assert one.delete(f"/api/v2/doors/{quote(name, safe='')}").status == 204


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)])
def test_a_missing_object_is_404(console: Open, method: str, body: Any) -> None:
    answer = console().send(method, "/api/v2/doors/none", body)
    assert (answer.status, answer.json) == (404, {"message": "door policy doesn't exist", "code": 404})


def test_a_taken_name_is_409(console: Open) -> None:
    one = console()
    one.post("/api/v2/doors", {"name": "shed", "colour": "red"})
    again = one.post("/api/v2/doors", {"name": "shed"})
    assert (again.status, again.json) == (409, {"message": "door policy shed already exists", "code": 409})
    assert one.get("/api/v2/doors/shed").json["colour"] == "red"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"locked": "yes"}, "expected=bool, got=string, field=locked, offset=10"),
        ({"days": 1.5}, "expected=int, got=number, field=days, offset=8"),
        ({"keys": "a"}, "expected=[]string, got=string, field=keys, offset=8"),
        ({"keys": [1]}, "expected=string, got=number, field=keys, offset=8"),
        ({"steps": ["a"]}, "expected=object, got=string, field=steps, offset=9"),
        ({"frame": {"wood": True}}, "expected=string, got=bool, field=frame.wood, offset=18"),
        ({"options": {"a": 1}}, "expected=string, got=number, field=options.a, offset=17"),
    ],
)
def test_a_wrong_type_is_400_with_the_known_text(console: Open, body: Any, expected: str) -> None:
    answer = console().post("/api/v2/doors", {**body, "name": "shed"})
    text = f"Failed reading policy body: code=400, message=Unmarshal type error: {expected}"
    assert (answer.status, answer.json) == (400, {"message": text, "code": 400})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null"])
def test_a_body_that_is_no_object_is_400(console: Open, body: bytes) -> None:
    assert console().post("/api/v2/doors", body).status == 400


def test_a_name_is_required(console: Open) -> None:
    answer = console().post("/api/v2/doors", {"colour": "red"})
    assert (answer.status, answer.message) == (400, "door policy name is required")


def test_null_and_empty_count_as_left_out(console: Open) -> None:
    one = console(quirks="off")
    body: dict[str, Any] = {
        "name": "shed",
        "application_scopes": [],
        "colour": "",
        "days": None,
        "frame": None,
        "range": [],
    }
    made = one.post("/api/v2/doors", body).json
    assert (made["application_scopes"], made["colour"], made["days"]) == (["Global"], "grey", 30)
    assert (made["frame"]["height"], made["range"]) == (2, [0, 10])


def test_fields_of_newer_consoles_come_back_only_when_sent(console: Open) -> None:
    one = console()
    assert "newer" not in one.post("/api/v2/doors", {"name": "a"}).json
    assert one.post("/api/v2/doors", {"name": "b", "newer": "x"}).json["newer"] == "x"


def test_quirks_answer_null_for_sets_never_set_and_other_orders(console: Open) -> None:
    one = console()
    made = one.post("/api/v2/doors", {"name": "shed", "keys": ["a", "b"], "steps": [{"to": "a"}, {"to": "b"}]}).json
    assert made["keys"] == ["b", "a"]
    assert made["steps"] == [{"to": "a"}, {"to": "b"}]
    assert made["frame"]["nails"] is None


def test_quirks_write_some_whole_numbers_with_a_point(console: Open) -> None:
    one = console()
    for number in range(8):
        one.post("/api/v2/doors", {"name": f"d{number}", "score": 7})
    bodies = [one.get(f"/api/v2/doors/d{number}").body for number in range(8)]
    assert {b'"score":7.0' in body for body in bodies} == {True, False}
    assert all(b'"days":30,' in body for body in bodies)


def test_without_quirks_answers_are_plain(console: Open) -> None:
    one = console(quirks="off")
    made = one.post("/api/v2/doors", {"name": "shed", "keys": ["a", "b"], "score": 7.5})
    assert made.json["keys"] == ["a", "b"]
    assert made.json["score"] == 7.5


def test_builtins_cannot_be_deleted_and_some_not_changed(console: Open) -> None:
    one = console()
    refused = one.delete("/api/v2/doors/Front")
    assert (refused.status, refused.message) == (400, "door policy Front is built in and cannot be deleted")
    assert one.put("/api/v2/doors/Front", {"colour": "red"}).status == 204
    refused = one.put("/api/v2/doors/Trap", {"colour": "red"})
    assert (refused.status, refused.message) == (403, "door policy Trap is built in and cannot be changed")


def test_kinds_that_share_a_path_are_one_collection_with_one_name_space(console: Open) -> None:
    one = console()
    assert one.post("/api/v2/windows", {"name": "w", "pane": "paper"}).status == 201
    assert one.post("/api/v2/windows", {"name": "w", "pane": "glass"}).status == 409
    assert one.post("/api/v2/windows", {"name": "v"}).json["pane"] == "glass"
    listed = one.get("/api/v2/windows").json["result"]
    assert [(item["name"], item["pane"]) for item in listed] == [("w", "paper"), ("v", "glass")]
    assert one.get("/api/v2/windows/w").json["pane"] == "paper"


def test_a_body_of_another_kind_is_refused(console: Open) -> None:
    one = console()
    assert one.post("/api/v2/windows", {"name": "w", "pane": "steel"}).message == "unsupported pane 'steel'"
    one.post("/api/v2/windows", {"name": "w", "pane": "glass"})
    refused = one.put("/api/v2/windows/w", {"name": "w", "pane": "paper"})
    assert (refused.status, refused.message) == (400, "pane 'paper' does not match 'glass' of the URL")


def test_a_summary_leaves_nested_objects_out(console: Open) -> None:
    one = console()
    one.post("/api/v2/windows", {"name": "w", "pane": "glass", "shut": True})
    assert one.get("/api/v2/windows").json["result"] == [{"name": "w", "pane": "glass", "shut": True}]
    assert "blind" in one.get("/api/v2/windows/w").json


def test_current_consoles_refuse_what_was_removed(console: Open) -> None:
    current = console(edition="saas")
    refused = current.post("/api/v2/windows", {"name": "w", "pane": "paper", "fire": True})
    assert (refused.status, refused.message) == (400, "fire is not supported for this window")
    assert current.post("/api/v2/windows", {"name": "w", "pane": "paper", "oil": {"enabled": True}}).status == 400
    harmless = {"name": "w", "pane": "paper", "fire": False, "oil": {"enabled": False}}
    assert current.post("/api/v2/windows", harmless).status == 201
    assert console().post("/api/v2/windows", {"name": "w", "pane": "paper", "fire": True}).status == 201


def test_objects_with_an_id_of_the_console_may_be_renamed_and_share_a_name(console: Open) -> None:
    one = console()
    first = one.post("/api/v2/tickets", {"title": "t"}).json["id"]
    second = one.post("/api/v2/tickets", {"title": "t"}).json["id"]
    assert first != second
    one.put(f"/api/v2/tickets/{first}", {"title": "u", "id": 77})
    assert one.get(f"/api/v2/tickets/{first}").json == {"id": first, "title": "u", "text": ""}


def test_wrapped_bodies_make_one_object_an_item(console: Open) -> None:
    one = console()
    issues = [{"topic": "a", "image_name": "i"}, {"topic": "b"}]
    assert one.post("/api/v2/notes", {"comment": "why", "issues": issues}).status == 204
    listed = one.get("/api/v2/notes").json["result"]
    assert [(note["topic"], note["image"], note["comment"]) for note in listed] == [("a", "i", "why"), ("b", "", "why")]
    assert "image_name" not in listed[0]
    assert one.delete("/api/v2/notes/multiple", {"issues": [{"topic": "a", "image": "i"}]}).status == 204
    assert [note["topic"] for note in one.get("/api/v2/notes").json["result"]] == ["b"]
    assert one.delete("/api/v2/notes/multiple", {"issues": [{"topic": "a"}]}).status == 404


@pytest.mark.parametrize("body", [{"comment": "x"}, {"issues": []}, {"issues": {}}, {"issues": ["a"]}, []])
def test_a_wrapped_body_needs_its_list(console: Open, body: Any) -> None:
    assert console().post("/api/v2/notes", body).status == 400


def test_creating_the_same_note_again_replaces_it(console: Open) -> None:
    one = console()
    for comment in ("old", "new"):
        one.post("/api/v2/notes", {"comment": comment, "issues": [{"topic": "a"}]})
    assert [note["comment"] for note in one.get("/api/v2/notes").json["result"]] == ["new"]


def test_what_expires_is_gone_after_its_days(console: Open, clock: FakeClock) -> None:
    one = console(token_life=1e9)
    one.post("/api/v2/notes", {"issues": [{"topic": "a", "expiration_days": 3}, {"topic": "b"}]})
    clock.sleep(3 * 86400 - 1)
    assert len(one.get("/api/v2/notes").json["result"]) == 2
    clock.sleep(1)
    assert [note["topic"] for note in one.get("/api/v2/notes").json["result"]] == ["b"]


def test_arrays_are_created_together_or_not_at_all(console: Open) -> None:
    one = console()
    made = one.post("/api/v2/scripts", [{"name": "a", "snippet": "x"}, {"name": "b"}])
    assert [script["name"] for script in made.json] == ["a", "b"]
    assert one.post("/api/v2/scripts", [{"name": "c"}, {"name": "a"}]).status == 409
    assert [script["name"] for script in one.get("/api/v2/scripts").json] == ["a", "b"]
    assert one.post("/api/v2/scripts", {"name": "c"}).status == 400
    assert one.post("/api/v2/scripts", []).message == "no script given"


def test_a_summary_leaves_named_fields_out(console: Open) -> None:
    one = console()
    (made,) = one.post("/api/v2/scripts", [{"name": "a", "snippet": "x"}]).json
    assert one.get("/api/v2/scripts").json == [{"script_id": made["script_id"], "name": "a"}]
    assert one.get(f"/api/v2/scripts/{made['script_id']}").json["snippet"] == "x"


def test_a_list_that_refers_to_scripts_carries_copies_of_them(console: Open) -> None:
    one = console()
    (script,) = one.post("/api/v2/scripts", [{"name": "a", "snippet": "x"}]).json
    one.post("/v2/gadgets", {"name": "g", "checks": [{"name": "a", "script_id": script["script_id"]}]})
    assert one.get("/v2/gadgets/g").json["checks"] == [{"name": "a", "script_id": script["script_id"], "snippet": "x"}]


@pytest.mark.parametrize(
    ("secrets", "seen"), [("omit", None), ("blank", ""), ("masked", "********"), ("clear", "hush")]
)
def test_write_only_fields_are_not_given_back(console: Open, secrets: str, seen: str | None) -> None:
    one = console(secrets=secrets)
    one.post("/v2/gadgets", {"name": "g", "password": "hush"})
    assert one.get("/v2/gadgets/g").json.get("password") == seen


def test_a_token_the_server_made_is_kept_when_an_update_omits_it(console: Open) -> None:
    one = console()
    token = one.post("/v2/gadgets", {"name": "g"}).json["token"]
    assert len(token) == 32
    one.put("/v2/gadgets/g", {"name": "g"})
    assert one.get("/v2/gadgets/g").json["token"] == token


def test_success_codes_take_turns_when_asked(console: Open) -> None:
    one = console(success="varied")
    answers = [one.post("/api/v2/doors", {"name": f"d{number}"}) for number in range(3)]
    assert [answer.status for answer in answers] == [200, 201, 204]
    assert [bool(answer.body) for answer in answers] == [True, True, False]


def test_an_empty_answer_to_a_create_says_where_the_object_is(console: Open) -> None:
    one = console(success="varied")
    answers = [one.post("/api/v2/tickets", {"title": f"t{number}"}) for number in range(3)]
    assert ["location" in answer.headers for answer in answers] == [False, False, True]
    assert one.get(answers[2].headers["location"]).json["title"] == "t2"
    assert "location" not in one.post("/api/v2/notes", {"issues": [{"topic": "a"}]}).headers


def test_a_harsh_console_answers_a_missing_object_with_200_and_no_name(console: Open) -> None:
    answer = console(quirks="harsh").get("/api/v2/doors/none")
    assert (answer.status, answer.json) == (200, {"name": ""})


def test_what_is_refused_leaves_nothing_behind(console: Open) -> None:
    one = console()
    before = one.get("/api/v2/notes").body
    one.post("/api/v2/notes", {"issues": [{"topic": "a"}, {"topic": "b", "expiration_days": "soon"}]})
    assert one.get("/api/v2/notes").body == before


def test_error_bodies_are_json_with_message_and_code(console: Open) -> None:
    one = console()
    for answer in (
        one.get("/api/v2/nothing"),
        one.send("PATCH", "/api/v2/doors/Front"),
        one.post("/api/v2/doors", b""),
    ):
        assert set(json.loads(answer.body)) == {"message", "code"}
        assert answer.json["code"] == answer.status
