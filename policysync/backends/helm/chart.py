"""Whether a copy of a chart on disk is the one a document names."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from policysync.backends.helm.engine import Chart
from policysync.errors import Refused

_ABOUT = "Chart.yaml"
_MOST = 1 << 20
"""Bytes of a description that are read; nobody's is as long."""


def check_copy(chart: Chart) -> None:
    """Refuse a copy that Helm would install as something else than what git states.

    Raises:
        Refused: there is no chart, or another one.
    """
    path = Path(chart.local)
    if not path.exists():
        raise Refused(f"chart.localPath: there is nothing at {path}; put the chart there, or leave localPath out")
    about = _about(path)
    name, version = about.get("name"), plain_version(about.get("version"))
    if name != chart.name:
        raise Refused(f"chart.localPath: {path} is chart {name}, and chart.name says {chart.name}; want the same")
    if version != chart.version:
        said = f"{path} is version {version}, and chart.version says {chart.version}"
        raise Refused(f"chart.localPath: {said}; state the version of the copy, or put the other one there")


def plain_version(version: Any) -> str:
    """Return a version as documents spell it: without a `v` before it, and without what names a build."""
    return str(version).removeprefix("v").partition("+")[0]


def _about(path: Path) -> Mapping[str, Any]:
    try:
        said = yaml.safe_load((path / _ABOUT).read_bytes() if path.is_dir() else _packed(path))
    except (OSError, tarfile.TarError, EOFError, yaml.YAMLError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise Refused(f"chart.localPath: {path} is no chart: {_ABOUT}: {why}") from error
    if not isinstance(said, Mapping):
        raise Refused(f"chart.localPath: {path} is no chart: {_ABOUT} is no mapping")
    return said


def _packed(path: Path) -> bytes:
    """Return the description in an archive, which holds one folder."""
    with tarfile.open(path) as archive:
        for member in archive:
            folder, _, name = member.name.removeprefix("./").partition("/")
            if folder and name == _ABOUT and (found := archive.extractfile(member)):
                return found.read(_MOST)
    raise FileNotFoundError(2, "not in the archive")
