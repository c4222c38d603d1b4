from __future__ import annotations

from typing import Any

import pytest

from policysync.backends.option import Form, check_options
from policysync.errors import Refused

FORMS: dict[str, Form] = {"name": str, "on": bool, "count": int, "minutes": range(1, 61), "names": list, "hosts": dict}


def test_what_is_of_its_form_is_taken() -> None:
    check_options(
        {"name": "", "on": False, "count": 0, "minutes": 60, "names": [], "hosts": {}, "more": 1}, FORMS, ("more",)
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"nmae": "a"}, "unknown option 'nmae'; known are count, hosts, minutes, name, names, on"),
        ({7: "a"}, "unknown option '7'; known are count, hosts, minutes, name, names, on"),
        ({"name": 123}, "options.name is 123; want a text, a number in quotes"),
        ({"name": True}, "options.name is True; want a text"),
        ({"on": 1}, "options.on is 1; want true or false"),
        ({"count": True}, "options.count is True; want a whole number"),
        ({"minutes": 61}, "options.minutes is 61; want a whole number from 1 to 60"),
        ({"minutes": 1.5}, "options.minutes is 1.5; want a whole number from 1 to 60"),
        ({"names": "a"}, "options.names is 'a'; want a list of texts"),
        ({"hosts": []}, "options.hosts is []; want a mapping"),
    ],
)
def test_anything_else_says_what_would_be_right(written: dict[Any, Any], message: str) -> None:
    with pytest.raises(Refused) as caught:
        check_options(written, FORMS)
    assert str(caught.value) == message
