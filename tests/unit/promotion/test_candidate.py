"""What is to be released: single resources beside what a stage has, with what they refer to."""

from __future__ import annotations

import pytest

from policysync.documents.pin import Pin
from policysync.errors import PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.promotion.candidate import chosen, with_references, with_singles
from policysync.state.resource import Address, Resource

A, B, C = "a" * 40, "b" * 40, "c" * 40
POLICY, SCOPE = Address("ImageAssurancePolicy", "strict"), Address("ApplicationScope", "payments")
PCI, GDPR = Address("Label", "pci"), Address("Label", "gdpr")


def test_single_resources_come_from_the_offered_release() -> None:
    now, offered = Pin("prod", A, {PCI: B}), Pin("nonprod", C, {GDPR: A})
    assert with_singles(now, offered, {POLICY}) == Pin("prod", A, {PCI: B, POLICY: C})
    assert with_singles(now, offered, {PCI}) == Pin("prod", A, {PCI: C})
    assert with_singles(now, Pin("nonprod", A), {PCI}) == Pin("prod", A)
    assert with_singles(now, offered, {GDPR}) == now


def test_patterns_choose_among_what_differs() -> None:
    assert chosen(["Label/*"], {PCI, POLICY}, {PCI, GDPR, POLICY}) == {PCI}
    assert chosen(["Label/pci", str(POLICY)], {PCI, POLICY}, {PCI, POLICY}) == {PCI, POLICY}
    with pytest.raises(PolicySyncError, match="Label/gdpr: the stage has it as the release does"):
        chosen(["Label/gdpr"], {PCI}, {PCI, GDPR})
    with pytest.raises(PolicySyncError, match="there is no such resource; did you mean `Label/pci`"):
        chosen(["Label/pcy"], {PCI}, {PCI, GDPR})


def test_what_is_referred_to_comes_along_where_it_differs() -> None:
    kinds = load_kinds()
    offered = {POLICY: Resource(POLICY, {"name": "strict", "application_scopes": ["payments", "Global"]})}
    assert with_references([POLICY], offered, frozenset({POLICY, SCOPE, PCI}), kinds) == {POLICY, SCOPE}
    assert with_references([POLICY], offered, frozenset({POLICY, PCI}), kinds) == {POLICY}
    assert with_references([SCOPE], offered, frozenset({POLICY, SCOPE}), kinds) == {SCOPE}
