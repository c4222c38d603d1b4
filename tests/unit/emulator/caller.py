"""Talking to a console in a test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.emulator.embedded import Local


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json["message"])


class Caller:
    """Signs in once, then sends requests with JSON bodies."""

    def __init__(self, local: Local, user: str = "administrator", password: str = "emulator") -> None:  # noqa: S107  not a secret
        self.local = local
        self.headers: dict[str, str] = {}
        self.login = self.send("POST", "/api/v1/login", {"id": user, "password": password})
        if self.login.status == 200:
            self.headers = {"Authorization": f"Bearer {self.login.json['token']}"}

    def send(self, method: str, target: str, body: Any = None, **headers: str) -> Answer:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        status, answered, content = self.local(method, target, {**self.headers, **headers}, raw)
        return Answer(status, content, dict(answered))

    def get(self, target: str) -> Answer:
        return self.send("GET", target)

    def post(self, target: str, body: Any) -> Answer:
        return self.send("POST", target, body)

    def put(self, target: str, body: Any) -> Answer:
        return self.send("PUT", target, body)

    def delete(self, target: str, body: Any = None) -> Answer:
        return self.send("DELETE", target, body)
