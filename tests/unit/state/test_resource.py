"""What a resource is called."""

from __future__ import annotations

import pytest

from policysync.state.resource import Address, Resource


@pytest.mark.parametrize("text", ["Policy/web", "Policy/a/b", "Label/with space"])
def test_an_address_reads_back(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize("text", ["", "Policy", "Policy/", "/web"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not Kind/name"):
        Address.parse(text)


def test_the_body_as_it_came_neither_counts_nor_shows() -> None:
    address = Address("Policy", "web")
    assert Resource(address, {}, raw={"a": "hidden"}) == Resource(address, {}, raw={"b": 1})
    assert "hidden" not in repr(Resource(address, {}, raw={"a": "hidden"}))
