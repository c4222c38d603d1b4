"""The gate `no-drift`."""

from __future__ import annotations

from policysync.promotion.case import Case, Verdict, named


def no_drift(case: Case) -> Verdict:
    """Ask that nobody changed anything by hand upstream: what soaked there would not be what is promoted."""
    moved = [f"{target}: {named(addresses)}" for target, addresses in sorted(case.drift.items()) if addresses]
    if moved:
        heal = f"`policysync apply --stage {case.before}` heals it, `policysync adopt --write-back` takes it into git"
        return Verdict(False, f"changed by hand in {'; '.join(moved)}; {heal}")
    return Verdict(True, f"nobody changed {case.before} by hand")
