"""The state of a cluster, and what may be done to it. Knows nothing of HTTP."""

from __future__ import annotations

import copy
import itertools
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from systems.kube_standin import fields, shape

Object = dict[str, Any]
Key = tuple[str, str, str, str]
"""Group, plural, namespace and name."""

NOW = "2026-01-01T00:00:00Z"


class Failure(Exception):
    """An answer that is no success, as a `Status`."""

    def __init__(self, code: int, reason: str, message: str, causes: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        details = {"causes": causes} if causes else {}
        head = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
        self.code = code
        self.status = {**head, "message": message, "reason": reason, "details": details, "code": code}


@dataclass(frozen=True)
class Sort:
    """One kind that is served. `schema` is that of the whole object, empty for built-in kinds."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    schema: Mapping[str, Any] = field(default_factory=dict)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


BUILT_IN = (
    Sort("", "v1", "Namespace", "namespaces", False),
    Sort("", "v1", "ConfigMap", "configmaps", True),
    Sort("", "v1", "Secret", "secrets", True),
    Sort("", "v1", "ServiceAccount", "serviceaccounts", True),
    Sort("", "v1", "Service", "services", True),
    Sort("", "v1", "Pod", "pods", True),
    Sort("apps", "v1", "Deployment", "deployments", True),
    Sort("apps", "v1", "ReplicaSet", "replicasets", True),
    Sort("apps", "v1", "StatefulSet", "statefulsets", True),
    Sort("apps", "v1", "DaemonSet", "daemonsets", True),
    Sort("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True),
    Sort("rbac.authorization.k8s.io", "v1", "Role", "roles", True),
    Sort("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", True),
    Sort("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False),
    Sort("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False),
    Sort("authorization.k8s.io", "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", False),
    Sort("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False),
)


class Cluster:
    """Objects by key, with owners of their fields. `forbidden` holds (verb, plural) that RBAC does not allow."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.objects: dict[Key, Object] = {}
        self.managed: dict[Key, fields.Managed] = {}
        self.forbidden: set[tuple[str, str]] = set()
        self._versions = itertools.count(1)
        for name in ("default", "kube-system"):
            self.write(self.sort("", "namespaces"), "", name, {"metadata": {"name": name}}, "setup")

    @property
    def sorts(self) -> Iterator[Sort]:
        """Every kind that is served, those of installed definitions included."""
        yield from BUILT_IN
        for (group, plural, _, _), held in sorted(self.objects.items()):
            if (group, plural) == ("apiextensions.k8s.io", "customresourcedefinitions"):
                spec = held["spec"]
                for version in spec["versions"]:
                    names, schema = spec["names"], (version.get("schema") or {}).get("openAPIV3Schema", {})
                    namespaced = spec["scope"] == "Namespaced"
                    yield Sort(spec["group"], version["name"], names["kind"], names["plural"], namespaced, schema)

    def sort(self, group: str, plural: str) -> Sort:
        for sort in self.sorts:
            if (sort.group, sort.plural) == (group, plural):
                return sort
        raise Failure(404, "NotFound", "the server could not find the requested resource")

    def allow(self, verb: str, sort: Sort) -> None:
        if (verb, sort.plural) in self.forbidden:
            message = f'{sort.plural} is forbidden: User "robot" cannot {verb} resource "{sort.plural}"'
            raise Failure(403, "Forbidden", message)

    def get(self, sort: Sort, namespace: str, name: str) -> Object:
        with self.lock:
            held = self.objects.get((sort.group, sort.plural, namespace, name))
            if held is None:
                raise Failure(404, "NotFound", f'{sort.plural} "{name}" not found')
            return self._shown((sort.group, sort.plural, namespace, name), held)

    def list(self, sort: Sort, namespace: str) -> list[Object]:
        with self.lock:
            return [
                self._shown(key, held)
                for key, held in sorted(self.objects.items())
                if key[:2] == (sort.group, sort.plural) and (not namespace or key[2] == namespace)
            ]

    def _shown(self, key: Key, held: Object) -> Object:
        shown = copy.deepcopy(held)
        shown["metadata"]["managedFields"] = [
            {
                "manager": manager,
                "operation": operation,
                "apiVersion": held["apiVersion"],
                "time": NOW,
                "fieldsType": "FieldsV1",
                "fieldsV1": fields.tree(paths),
            }
            for (manager, operation), paths in sorted(self.managed.get(key, {}).items())
        ]
        return shown

    def write(
        self,
        sort: Sort,
        namespace: str,
        name: str,
        body: Object,
        manager: str,
        *,
        strict: bool = False,
        dry: bool = False,
    ) -> Object:
        """Store an object as it is given; what changes belongs to the manager."""
        with self.lock:
            key = (sort.group, sort.plural, namespace, name)
            before = self.objects.get(key, {})
            self._fits(before, body)
            after = self._checked(sort, namespace, name, body, before, strict=strict)
            owned = fields.changed(before, after, self._claims(key, body), (manager, "Update"))
            return self._store(sort, key, after, owned, dry=dry)

    def _claims(self, key: Key, body: Object) -> fields.Managed:
        """Return who owns what, without those whose claims a body leaves out."""
        managed = self.managed.get(key, {})
        said = (body.get("metadata") or {}).get("managedFields")
        if said is None:
            return managed
        kept = {(entry["manager"], entry["operation"]) for entry in said}
        return {owner: paths for owner, paths in managed.items() if owner in kept}

    def apply(
        self, sort: Sort, namespace: str, name: str, body: Object, manager: str, *, force: bool, strict: bool, dry: bool
    ) -> Object:
        """Apply a body on the server."""
        with self.lock:
            key, me = (sort.group, sort.plural, namespace, name), (manager, "Apply")
            before, managed = self.objects.get(key, {}), self.managed.get(key, {})
            self._fits(before, body)
            clashes = fields.conflicts(before, body, managed, me) if before else []
            if clashes and not force:
                raise _conflict(clashes, sort.api_version)
            for owner, path in clashes:
                managed = {**managed, owner: managed[owner] - {path}}
            laid, owned = fields.apply(before, body, managed, me)
            after = self._checked(sort, namespace, name, laid, before, strict=strict)
            return self._store(sort, key, after, owned, dry=dry)

    def _fits(self, before: Object, body: Object) -> None:
        wanted = (body.get("metadata") or {}).get("resourceVersion")
        if wanted and before and wanted != before["metadata"]["resourceVersion"]:
            raise Failure(
                409, "Conflict", "the object has been modified; please apply your changes to the latest version"
            )

    def _checked(self, sort: Sort, namespace: str, name: str, body: Object, before: Object, *, strict: bool) -> Object:
        spaces = ("", "namespaces", "", namespace)
        if sort.namespaced and spaces not in self.objects:
            raise Failure(404, "NotFound", f'namespaces "{namespace}" not found')
        if sort.schema:
            extra = list(shape.unknown(sort.schema, body))
            if extra and strict:
                said = ", ".join(f'unknown field "{at}"' for at in extra)
                raise Failure(400, "BadRequest", f"{name}: strict decoding error: {said}")
            body = shape.defaulted(sort.schema, shape.pruned(sort.schema, body))
            faults = [
                {"reason": "FieldValueInvalid", "field": a, "message": m} for a, m in shape.wrong(sort.schema, body)
            ]
            if faults:
                said = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults)
                raise Failure(422, "Invalid", f'{sort.kind}.{sort.group} "{name}" is invalid: {said}', faults)
        about = {**(body.get("metadata") or {}), "name": name, **({"namespace": namespace} if namespace else {})}
        about.pop("managedFields", None)
        held = before.get("metadata", {})
        about["uid"] = held.get("uid") or str(uuid.uuid4())
        about["creationTimestamp"] = held.get("creationTimestamp", NOW)
        about["generation"] = held.get("generation", 0) + (before.get("spec") != body.get("spec"))
        return {**body, "apiVersion": sort.api_version, "kind": sort.kind, "metadata": about}

    def _store(self, sort: Sort, key: Key, after: Object, owned: fields.Managed, *, dry: bool) -> Object:
        if dry:
            kept = self.managed.get(key)
            self.managed[key] = owned
            shown = self._shown(key, after)
            self.managed.pop(key) if kept is None else self.managed.update({key: kept})
            return shown
        after["metadata"]["resourceVersion"] = str(next(self._versions))
        self.objects[key], self.managed[key] = after, owned
        if after["metadata"].get("deletionTimestamp") and not after["metadata"].get("finalizers"):
            self._drop(key)
        return self._shown(key, after)

    def delete(self, sort: Sort, namespace: str, name: str, uid: str, *, dry: bool) -> Object:
        """Delete an object and what it owns; one with finalizers stays until they are gone."""
        with self.lock:
            held = self.get(sort, namespace, name)
            if uid and uid != held["metadata"]["uid"]:
                raise Failure(409, "Conflict", "Precondition failed: UID in precondition does not match")
            key = (sort.group, sort.plural, namespace, name)
            if dry:
                return held
            if held["metadata"].get("finalizers"):
                self.objects[key]["metadata"]["deletionTimestamp"] = NOW
                return self.get(sort, namespace, name)
            self._drop(key)
            return {"kind": "Status", "apiVersion": "v1", "status": "Success"}

    def _drop(self, key: Key) -> None:
        held = self.objects.pop(key)
        self.managed.pop(key, None)
        for other, owned in list(self.objects.items()):
            owners = owned["metadata"].get("ownerReferences") or ()
            if any(owner.get("uid") == held["metadata"]["uid"] for owner in owners):
                self._drop(other)


def _conflict(clashes: list[tuple[fields.Owner, fields.Path]], version: str) -> Failure:
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f'conflict with "{manager}"' + (f" using {version} at {NOW}" if operation == "Update" else ""),
            "field": "." + ".".join(path),
        }
        for (manager, operation), path in clashes
    ]
    said = "; ".join(f"{cause['message']}: {cause['field']}" for cause in causes)
    return Failure(409, "Conflict", f"Apply failed with {len(causes)} conflict: {said}", causes)
