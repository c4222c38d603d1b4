"""What every answer of an API server looks like; whatever else came was not written by one, or not all of it.

Source: Kubernetes, API conventions, "Types (Kinds)".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policysync.errors import Unavailable

_MAPPINGS = ("metadata", "spec", "status", "data")
_PLAIN = "/version"
"""The one path whose answer has no kind."""

Look = Callable[[Any], bool]


def object_of(said: Any, path: str) -> dict[str, Any]:
    """Return what was read, when it is an object, a list of them, or what discovery says.

    Raises:
        Unavailable: it is something else. Asked again, a proxy on the way may let the real one through.
    """
    if isinstance(said, dict) and (path == _PLAIN or (isinstance(said.get("kind"), str) and _is_whole(said))):
        return said
    raise Unavailable(f"GET {path}: what came back is no answer of an API server; does a proxy stand before it?")


def _is_whole(said: Mapping[str, Any]) -> bool:
    if "items" in said:
        items = said["items"]
        return _is_mapping(said.get("metadata")) and (items is None or _all(items, _is_object))
    if "resources" in said:
        return _all(said["resources"], lambda each: _has_texts(each, "kind", "name"))
    if "versions" in said:
        return _all(said["versions"], lambda each: _has_texts(each, "version"))
    return _is_object(said)


def _is_object(said: Any) -> bool:
    if not isinstance(said, Mapping) or not all(_is_mapping(said.get(name)) for name in _MAPPINGS):
        return False
    about = said.get("metadata") or {}
    return (
        _has_texts(about, "name")
        and _is_mapping(about.get("labels"))
        and _is_mapping(about.get("annotations"))
        and (said.get("kind") != "Deployment" or _runs_something(said))
    )


def _runs_something(deployment: Mapping[str, Any]) -> bool:
    template = (deployment.get("spec") or {}).get("template")
    if not isinstance(template, Mapping) or not isinstance(template.get("metadata"), Mapping):
        return False
    pod = template.get("spec")
    return isinstance(pod, Mapping) and bool(pod.get("containers")) and _all(pod["containers"], _is_mapping)


def _is_mapping(said: Any) -> bool:
    return said is None or isinstance(said, Mapping)


def _has_texts(said: Any, *names: str) -> bool:
    return isinstance(said, Mapping) and all(isinstance(said.get(name), str) for name in names)


def _all(said: Any, looks: Look) -> bool:
    return isinstance(said, list) and all(map(looks, said))
