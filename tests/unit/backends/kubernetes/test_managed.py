"""Who owns which field of an object."""

from __future__ import annotations

from typing import Any

from policysync.backends.kubernetes.managed import applied, owners

HELD: dict[str, Any] = {
    "metadata": {
        "name": "p",
        "managedFields": [
            {
                "manager": "policysync",
                "operation": "Apply",
                "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:team": {}}},
                    "f:spec": {
                        "f:schedule": {},
                        "f:map": {".": {}, "f:a": {}},
                        "f:list": {'k:{"name":"x"}': {}},
                        "f:gone": {},
                    },
                },
            },
            {
                "manager": "policysync",
                "operation": "Apply",
                "subresource": "status",
                "fieldsV1": {"f:spec": {"f:x": {}}},
            },
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:map": {"f:b": {}}}}},
        ],
    },
    "spec": {"schedule": "* * * * *", "map": {"a": 1, "b": 2}, "list": [{"name": "x"}, {"name": "y"}], "x": 1},
}


def test_owners_are_found_by_the_names_on_the_way() -> None:
    assert [str(each) for each in owners(HELD, ("spec", "map", "b"))] == [".spec.map.b belongs to kubectl-edit"]
    assert [each.manager for each in owners(HELD, ("spec", "map"))] == ["policysync", "kubectl-edit"]
    assert owners(HELD, ("spec", "other")) == []
    assert owners({"metadata": {"managedFields": ["odd", {"manager": "x"}]}}, ("spec",)) == []


def test_what_was_applied_before_is_what_is_there_of_it_now() -> None:
    assert applied(HELD, "policysync", "spec") == {
        "schedule": "* * * * *",
        "map": {"a": 1},
        "list": [{"name": "x"}, {"name": "y"}],
    }
    assert applied(HELD, "somebody", "spec") == {}
    assert applied({}, "policysync", "spec") == {}
