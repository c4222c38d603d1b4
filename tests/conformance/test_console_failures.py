"""A console that is busy, broken, forgetful or gone, in process and over a port."""

from __future__ import annotations

import pytest
from conformance.conftest import Opens, patient
from conformance.samples import NEEDS, SAMPLES, come_and_go, create, delete, update

from policysync.emulator.faults import Fault
from policysync.errors import OutcomeUnknown, Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds

Kinds = dict[str, Kind]
LABELS = "/api/*/settings/labels*"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_that_may_work_later_is_unavailable(status: int, console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("GET", LABELS, status=status, retry_after=3))
    with pytest.raises(Unavailable, match=f"GET .*/labels.*: {status}") as caught:
        list(backend.read(kinds["Label"]))
    assert caught.value.retry_after == 3


@pytest.mark.parametrize(
    "fault",
    [
        Fault("GET", LABELS, drop="before"),
        Fault("GET", LABELS, drop="after"),
        Fault("GET", LABELS, truncate=7),
        Fault("GET", LABELS, empty=True),
    ],
    ids=["dropped before", "dropped after", "cut", "empty"],
)
def test_a_read_without_a_whole_answer_is_unavailable(fault: Fault, console: Opens, kinds: Kinds) -> None:
    with pytest.raises(Unavailable):
        list(console(fault).read(kinds["Label"]))


def test_a_read_is_tried_again_where_that_is_wanted(console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("GET", LABELS, times=2, status=503), again=patient)
    backend.write(create(kinds["Label"], {"name": "team"}), kinds["Label"])
    assert list(backend.list(kinds["Label"])) == ["team"]


def test_a_page_in_the_middle_that_fails_fails_the_read(console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("GET", LABELS, after=1, status=502))
    for number in range(250):
        backend.write(create(kinds["Label"], {"name": f"label {number}"}), kinds["Label"])
    with pytest.raises(Unavailable):
        list(backend.read(kinds["Label"]))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", LABELS, times=1, drop="before"),
        Fault("POST", LABELS, times=1, drop="after"),
        Fault("POST", LABELS, times=1, status=500),
        Fault("POST", LABELS, times=1, status=500, worked=True),
        Fault("POST", LABELS, times=1, status=504, worked=True),
    ],
    ids=["dropped before", "dropped after", "500", "500 but done", "504 but done"],
)
def test_a_write_nobody_knows_about_can_be_sent_again(fault: Fault, console: Opens, kinds: Kinds) -> None:
    kind, backend = kinds["Label"], console(fault)
    change = create(kind, {"name": "team", "description": "who answers"})
    with pytest.raises(OutcomeUnknown, match=r"POST .*/labels"):
        backend.write(change, kind)
    backend.write(change, kind)
    (live,) = backend.read(kind)
    assert live.spec["description"] == "who answers"


@pytest.mark.parametrize("status", [429, 503])
def test_a_write_that_was_not_taken_may_work_later(status: int, console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("POST", LABELS, times=1, status=status, retry_after=2))
    with pytest.raises(Unavailable) as caught:
        backend.write(create(kinds["Label"], {"name": "team"}), kinds["Label"])
    assert caught.value.retry_after == 2


@pytest.mark.parametrize(("status", "said"), [(400, "400"), (403, "role"), (404, "404"), (415, "-gw"), (422, "422")])
def test_what_will_never_work_is_refused(status: int, said: str, console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("*", LABELS, status=status))
    with pytest.raises(Refused, match=said):
        list(backend.read(kinds["Label"]))
    with pytest.raises(Refused, match=said):
        backend.write(create(kinds["Label"], {"name": "team"}), kinds["Label"])


def test_a_web_page_is_not_a_console(console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("GET", LABELS, status=200, body="<html>Welcome</html>"))
    with pytest.raises(Refused, match="is this URL a console"):
        list(backend.read(kinds["Label"]))


def test_a_redirect_is_refused_and_names_the_new_address(console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("GET", LABELS, status=301, headers={"Location": "https://new.example.com/"}))
    with pytest.raises(Refused, match=r"https://new\.example\.com/"):
        list(backend.read(kinds["Label"]))


def test_a_token_that_expired_is_renewed(console: Opens, kinds: Kinds) -> None:
    backend = console(Fault("*", LABELS, times=1, status=401))
    backend.write(create(kinds["Label"], {"name": "team"}), kinds["Label"])
    assert list(backend.list(kinds["Label"])) == ["team"]


def test_a_console_that_accepts_no_token_is_refused(console: Opens, kinds: Kinds) -> None:
    with pytest.raises(Refused, match="401"):
        list(console(Fault("GET", LABELS, status=401)).read(kinds["Label"]))


def test_a_wrong_password_is_refused_and_not_shown(console: Opens, kinds: Kinds) -> None:
    backend = console(password="something else entirely")
    with pytest.raises(Refused, match="does not let 'robot' in") as caught:
        backend.probe()
    assert "conformance-password" not in str(caught.value)


def test_the_credential_moves_to_the_header_the_console_names(console: Opens, kinds: Kinds) -> None:
    backend = console(authorization_header="aqua-auth")
    assert list(backend.list(kinds["Label"])) == []


@pytest.mark.parametrize("name", come_and_go(load_kinds()))
def test_any_success_is_a_success(name: str, console: Opens, kinds: Kinds) -> None:
    kind, backend = kinds[name], console(success="varied")
    spec, further = SAMPLES[name]
    for needed in NEEDS.get(name, ()):
        backend.write(create(kinds[needed], SAMPLES[needed][0]), kinds[needed])
    for _ in range(3):
        backend.write(create(kind, spec), kind)
        address = create(kind, spec).address
        (live,) = backend.read(kind, frozenset({address.name}))
        backend.write(update(kind, live, further), kind)
        (live,) = backend.read(kind, frozenset({address.name}))
        backend.write(delete(live), kind)
