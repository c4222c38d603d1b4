"""Cases for gates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from policysync.documents.gate_settings import GateSettings
from policysync.promotion.case import Case
from policysync.state.resource import Address

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday."""

PCI, GDPR = Address("Label", "pci"), Address("Label", "gdpr")


def case_of(settings: GateSettings | None = None, **facts: Any) -> Case:
    """Return a case of prod after nonprod."""
    known: dict[str, Any] = {"stage": "prod", "before": "nonprod", "release": "a" * 40, "now": NOW, **facts}
    return Case(settings=settings or GateSettings(), **known)
