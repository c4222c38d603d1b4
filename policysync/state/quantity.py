"""Kubernetes quantities: `0.5Gi` and `512Mi` are one amount, and so are `2000m` and `2`."""

from __future__ import annotations

import re
from decimal import Decimal

_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(?:[eE]([0-9]{1,2})|([mkMGTPE]|[KMGTPE]i))?\Z")
_BINARY = {suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL = {suffix: Decimal(1000) ** power for power, suffix in enumerate(("m", "", "k", "M", "G", "T", "P", "E"), -1)}


def quantity(text: str) -> str:
    """Return the one spelling of an amount: the largest binary unit it is a multiple of, else plain, else thousandths.

    A text that is no quantity, or finer than a thousandth, is returned as it is.

    Source: Kubernetes API reference, "Quantity".
    """
    found = _QUANTITY.match(text)
    if not found:
        return text
    number, exponent, suffix = found.groups()
    unit = Decimal(10) ** int(exponent) if exponent else {**_BINARY, **_DECIMAL}[suffix or ""]
    amount = Decimal(number) * unit
    if amount != amount.to_integral_value():
        fine = amount * 1000
        return f"{fine:f}".partition(".")[0] + "m" if fine == fine.to_integral_value() else text
    for name, size in reversed(_BINARY.items()):
        if amount and amount % size == 0:
            return f"{int(amount / size)}{name}"
    return str(int(amount))
