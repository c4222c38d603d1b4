"""What is read from a console, and what is sent back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kind, load_kinds
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.wire import from_wire, to_wire

KINDS = load_kinds()
POLICY = KINDS["ImageAssurancePolicy"]


def kind(folder: Path, properties: dict[str, Any]) -> Kind:
    file = folder / "thing.json"
    about = {"name": "Thing", "backend": "aqua", "key": "name"}
    file.write_text(json.dumps({"x-kind": about, "x-api": {"id": "thing_id"}, "type": "object",
                                "properties": {"name": {"type": "string"}, **properties}}))  # fmt: skip
    return load_kind(file)


def sent(of: Kind, spec: dict[str, Any], raw: dict[str, Any] | None = None, ids: dict[str, Any] | None = None) -> Any:
    before = copy.deepcopy(raw)
    body = to_wire(of, desired_spec(of, spec), raw, (lambda _, name: ids.get(name)) if ids is not None else None)
    assert raw == before, "the body that was read must not be changed"
    return body


def test_a_live_resource_keeps_its_body_and_its_id() -> None:
    body = {"name": "web", "newer": 1, "author": "ann"}
    found = from_wire(POLICY, body)
    assert (str(found.address), found.id, found.raw) == ("ImageAssurancePolicy/web", "web", body)


@pytest.mark.parametrize(("handle", "text"), [(7, "7"), ("x", "x"), (None, ""), (0, "0")])
def test_an_id_is_a_text(tmp_path: Path, handle: Any, text: str) -> None:
    assert from_wire(kind(tmp_path, {}), {"name": "a", "thing_id": handle}).id == text


def test_a_new_object_is_sent_with_what_every_new_one_gets() -> None:
    body = sent(POLICY, {"name": "web", "maximum_score": 7.0, "assurance_type": "image"})
    assert (body["maximum_score"], body["block_failed"], body["cves_black_list"]) == (7, True, [])
    assert not {"id", "author", "lastupdate", "auto_scan_time", "docker_cis_enabled"} & body.keys()


def test_an_update_keeps_what_git_does_not_state() -> None:
    raw = {"name": "web", "maximum_score": 5, "newer": {"a": 1}, "author": "ann", "cves_black_list": None,
           "description": "by hand", "policy_settings": {"warn": True, "newer": 2}}  # fmt: skip
    body = sent(POLICY, {"name": "web", "maximum_score": 7, "policy_settings": {"enforce": True}}, raw)
    assert body["maximum_score"] == 7
    assert body["newer"] == {"a": 1}
    assert body["description"] == "by hand"
    assert body["cves_black_list"] == []
    assert (body["policy_settings"]["warn"], body["policy_settings"]["newer"]) == (True, 2)
    assert body["policy_settings"]["enforce"] is True
    assert "author" not in body


def test_elements_are_laid_over_the_live_ones_with_their_key() -> None:
    raw = {"custom_checks": [{"name": "a", "script_id": "1", "newer": 1}, {"name": "b", "script_id": "2"}]}
    body = sent(POLICY, {"custom_checks": [{"name": "c"}, {"name": "a"}]}, raw, {"c": "3"})
    assert body["custom_checks"] == [{"name": "a", "script_id": "1", "newer": 1}, {"name": "c", "script_id": "3"}]


def test_a_key_is_found_however_the_console_writes_nothing() -> None:
    raw = {"packages_black_list": [{"name": "nc", "epoch": None, "format": "deb", "newer": 1}]}
    body = sent(POLICY, {"packages_black_list": [{"name": "nc", "format": "deb"}]}, raw)
    assert body["packages_black_list"][0]["newer"] == 1


def test_elements_that_share_a_key_keep_their_own_members(tmp_path: Path) -> None:
    item = {"type": "object", "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}}
    thing = kind(tmp_path, {"x": {"type": "array", "x-key": "k", "items": item}})
    raw = {"x": [{"k": "a", "v": 2, "newer": "two"}, {"k": "a", "v": 1, "newer": "one"}]}
    body = sent(thing, {"x": [{"k": "a", "v": 1}, {"k": "a", "v": 2}]}, raw)
    assert {item["v"]: item["newer"] for item in body["x"]} == {1: "one", 2: "two"}


def test_an_element_without_a_key_is_the_one_that_says_the_same() -> None:
    raw = {"scope": {"expression": "v1", "variables": [{"attribute": "a", "value": "x", "newer": 1}]}}
    same, other = ({"scope": {"variables": [{"attribute": "a", "value": value}]}} for value in ("x", "y"))
    assert sent(POLICY, same, raw)["scope"]["variables"] == [{"attribute": "a", "value": "x", "name": "", "newer": 1}]
    assert "newer" not in sent(POLICY, other, raw)["scope"]["variables"][0]


def test_the_servers_own_elements_stay() -> None:
    own = {"allow": False, "port_range": "80", "resource_type": "anywhere", "is_cloud_metadata_rule": True}
    raw = {"name": "f", "inbound_networks": [own, {"allow": True, "port_range": "1", "resource_type": "anywhere"}]}
    body = sent(KINDS["FirewallPolicy"], {"name": "f", "inbound_networks": []}, raw)
    assert body["inbound_networks"] == [own]


def test_an_id_of_this_console_is_looked_up_by_name_or_left_out() -> None:
    spec = {"custom_checks": [{"name": "a"}]}
    assert sent(POLICY, spec, ids={"a": "12"})["custom_checks"][0]["script_id"] == "12"
    assert "script_id" not in sent(POLICY, spec, ids={})["custom_checks"][0]
    assert "script_id" not in sent(POLICY, spec)["custom_checks"][0]


def test_a_secret_is_sent_in_the_clear_and_only_when_stated() -> None:
    registry = KINDS["Registry"]
    assert sent(registry, {"name": "r", "type": "HUB", "password": Secret("pw")})["password"] == "pw"
    assert "password" not in sent(registry, {"name": "r"}, {"name": "r"})


def test_a_map_with_free_names_is_sent_whole(tmp_path: Path) -> None:
    inner = {"type": "object", "properties": {"v": {"type": "integer"}}}
    thing = kind(tmp_path, {"x": {"type": "object", "additionalProperties": inner}})
    body = sent(thing, {"x": {"a": {"v": 1}}}, {"x": {"a": {"v": 0, "newer": 1}, "b": {"v": 2}}})
    assert body["x"] == {"a": {"v": 1, "newer": 1}}


def test_a_member_may_stand_elsewhere_on_the_wire(tmp_path: Path) -> None:
    flat = {"type": "string", "default": "", "x-wire": "/outer/inner/deep"}
    thing = kind(
        tmp_path, {"flat": flat, "box": {"type": "object", "properties": {"in": {**flat, "x-wire": "/to/it"}}}}
    )
    raw = {"name": "a", "outer": {"inner": {"deep": "x", "newer": 1}}, "box": {"to": {"it": "y"}}}
    assert dict(from_wire(thing, raw).spec) == {"name": "a", "flat": "x", "box": {"in": "y"}}
    body = sent(thing, {"name": "a", "flat": "z"}, raw)
    assert body == {"name": "a", "outer": {"inner": {"deep": "z", "newer": 1}}, "box": {"to": {"it": "y"}}}
    assert sent(thing, {"name": "a", "flat": "z"})["outer"] == {"inner": {"deep": "z"}}


SCANNERS = {"type": "array", "items": {"type": "string"}, "x-set": True}


def test_lists_of_what_comes_and_goes_are_made_from_both_sides(tmp_path: Path) -> None:
    how = {"came": "added", "went": "removed", "were": "before"}
    plain = {name: value for name, value in SCANNERS.items() if name != "x-set"}
    made = {name: {**plain, "x-computed": {word: "of"}} for name, word in how.items()}
    thing = kind(tmp_path, {"of": SCANNERS, **made})
    raw = {"name": "a", "of": ["x", "y"], "came": ["stale"]}
    assert sent(thing, {"name": "a", "of": ["y", "z"]}, raw) == {
        "name": "a",
        "of": ["y", "z"],
        "came": ["z"],
        "went": ["x"],
        "were": ["x", "y"],
    }
    assert sent(thing, {"name": "a", "of": ["y"]}) == {"name": "a", "of": ["y"], "came": ["y"], "went": [], "were": []}
    assert "came" not in from_wire(thing, raw).spec


def test_a_value_is_sent_twice_where_the_console_wants_it_twice(tmp_path: Path) -> None:
    word = {"type": "string", "x-sensitive": True, "x-write-only": True}
    thing = kind(tmp_path, {"word": word, "again": {**word, "x-computed": {"same": "word"}}})
    assert sent(thing, {"name": "a", "word": Secret("hush")}) == {"name": "a", "word": "hush", "again": "hush"}
    assert sent(thing, {"name": "a"}) == {"name": "a"}


def test_what_the_console_adds_to_a_list_is_not_compared_and_goes_back(tmp_path: Path) -> None:
    own = {"type": "string", "x-read-only": True, "x-echo": True}
    prefixes = {**SCANNERS, "default": [], "x-without": "own"}
    thing = kind(tmp_path, {"prefixes": prefixes, "own": own})
    raw = {"name": "a", "prefixes": ["mine", "theirs"], "own": "theirs"}
    assert from_wire(thing, raw).spec == {"name": "a", "prefixes": ["mine"]}
    assert sent(thing, {"name": "a", "prefixes": ["new"]}, raw) == {
        "name": "a",
        "prefixes": ["new", "theirs"],
        "own": "theirs",
    }
    assert sent(thing, {"name": "a"}, raw)["prefixes"] == ["mine", "theirs"]
    assert from_wire(thing, {"name": "a", "prefixes": ["x"], "own": ""}).spec["prefixes"] == ["x"]


def test_a_registry_tells_which_scanners_come_and_go() -> None:
    registry = KINDS["Registry"]
    raw = {"name": "r", "type": "AWS", "scanner_name": ["a"], "default_prefix": "p", "prefixes": ["p"]}
    body = sent(registry, {"name": "r", "scanner_type": "specific", "scanner_name": ["b"]}, raw)
    helpers = ("scanner_name", "scanner_name_added", "scanner_name_removed", "existsing_scanners")
    assert [body[name] for name in helpers] == [["b"], ["b"], ["a"], ["a"]]
    assert (body["default_prefix"], body["prefixes"]) == ("p", ["p"])


def test_what_is_only_read_has_a_name_as_well() -> None:
    gateway = from_wire(load_kinds()["Gateway"], {"id": "gw-1", "logicalname": "gateway"})
    assert str(gateway.address) == "Gateway/gw-1"


def test_bare_texts_of_old_consoles_are_objects() -> None:
    policy = load_kinds()["ImageAssurancePolicy"]
    old = {"name": "p", "allowed_images": ["base:1", {"registry": "r", "imagename": "a:2"}], "scap_files": ["x"]}
    live = from_wire(policy, old)
    assert [image["imagename"] for image in live.spec["allowed_images"]] == ["base:1", "a:2"]
    assert live.raw == old
    body = to_wire(policy, {"description": "new"}, raw=old)
    assert body["allowed_images"] == [{"imagename": "base:1"}, {"registry": "r", "imagename": "a:2"}]
    assert body["scap_files"] == [{"name": "x"}]
