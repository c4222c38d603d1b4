"""Which resources a run is about, as `--select`, `--only` and `--exclude` say it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from policysync.documents.suggest import did_you_mean
from policysync.errors import PolicySyncError
from policysync.state.resource import Address, Resource

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which resources a run is about."""

    labels: dict[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, select: Iterable[str], only: Iterable[str], exclude: Iterable[str]) -> Selection:
        """Read the options.

        Raises:
            PolicySyncError: one of them does not have its form.
        """
        labels = {}
        for text in select:
            name, sign, value = text.partition("=")
            if not sign or not name:
                raise PolicySyncError(f"--select {text}: want LABEL=VALUE, for example --select team=platform")
            labels[name] = value
        for pattern in (*only, *exclude):
            if "/" not in pattern:
                raise PolicySyncError(f"{pattern}: want KIND/NAME, for example Label/pci or 'Label/*'")
        return cls(labels, tuple(only), tuple(exclude))

    @property
    def everything(self) -> bool:
        """Whether nothing was left out."""
        return not (self.labels or self.only or self.exclude)

    def has(self, address: Address) -> bool:
        """Return whether the name options leave this resource in."""
        text = str(address)
        if self.only and not any(_matches(text, pattern) for pattern in self.only):
            return False
        return not any(_matches(text, pattern) for pattern in self.exclude)

    def of_resources(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        """Return the resources that are left in."""
        return tuple(
            resource
            for resource in resources
            if self.has(resource.address) and all(resource.labels.get(k) == v for k, v in self.labels.items())
        )

    def hold_to(self, kinds: Collection[str]) -> None:
        """Go on only when every kind that is named is there: nothing would match it, and that looks like success.

        Raises:
            PolicySyncError: one is not.
        """
        for pattern in (*self.only, *self.exclude):
            kind = pattern.partition("/")[0]
            if kind not in kinds and not _WILD & set(kind):
                hint = did_you_mean(kind, kinds) or "; `policysync kinds` lists them"
                raise PolicySyncError(f"{pattern}: there is no kind {kind}{hint}")

    def unmatched(self, stated: Collection[Resource], remembered: Callable[[], Collection[Address]]) -> Iterator[str]:
        """Yield a sentence for each option that leaves nothing of what git states or the ledger remembers.

        `remembered` is asked only where git does not have it.
        """
        names = {str(resource.address) for resource in stated}
        missed = [pattern for pattern in self.only if not any(_matches(name, pattern) for name in names)]
        if missed:
            names |= set(map(str, remembered()))
        for pattern in missed:
            if not any(_matches(name, pattern) for name in names):
                yield f"--only {pattern}: matches nothing here{did_you_mean(pattern, names)}"
        for label, value in self.labels.items():
            if not any(resource.labels.get(label) == value for resource in stated):
                values = {resource.labels[label] for resource in stated if label in resource.labels}
                hint = did_you_mean(value, sorted(values))
                yield f"--select {label}={value}: matches nothing here{hint}"


def _matches(text: str, pattern: str) -> bool:
    return text == pattern or fnmatchcase(text, pattern)
