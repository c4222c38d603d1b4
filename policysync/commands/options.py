"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, TypeVar

import click

from policysync.errors import PolicySyncError
from policysync.state.resource import Address, Resource

Command = TypeVar("Command", bound=Callable[..., Any])

stage_option = click.option("--stage", "-s", required=True, help="The stage, as policysync.yaml names it.")
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result on stdout."
)


def selection_options(command: Command) -> Command:
    """Add the options that pick targets and resources."""
    for option in reversed(
        (
            click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated."),
            click.option("--all-targets", is_flag=True, help="Every target of the stage, which is also the default."),
            click.option("--revision", help="Read the documents from this git revision instead of the work tree."),
            click.option("--select", multiple=True, metavar="K=V", help="Only resources with this label."),
            click.option("--only", multiple=True, metavar="KIND/NAME", help="Only these; * matches anything, [*] a star."),
            click.option("--exclude", multiple=True, metavar="KIND/NAME", help="All but these; * matches anything, [*] a star."),
        )
    ):
        command = option(command)
    return command


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
        if self.only and not any(text == pattern or fnmatchcase(text, pattern) for pattern in self.only):
            return False
        return not any(text == pattern or fnmatchcase(text, pattern) for pattern in self.exclude)

    def of_resources(self, resources: Iterable[Resource]) -> tuple[Resource, ...]:
        """Return the resources that are left in."""
        return tuple(
            resource
            for resource in resources
            if self.has(resource.address) and all(resource.labels.get(k) == v for k, v in self.labels.items())
        )
