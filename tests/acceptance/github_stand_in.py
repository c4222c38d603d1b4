"""A stand-in for the part of GitHub's API that policysync uses, on a loopback port, with a memory.

Its answers hold what the product reads. With `examples` from GitHub's own description they become whole objects, which
`tests/systems` holds against that description.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "team/policies"
TOKEN = "not-a-real-workflow-token"
BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}


@dataclass
class Fault:
    """What to answer instead, `times` often. `done` says that the work is done before the answer is lost."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = field(default_factory=lambda: {"message": "Server Error"})
    times: int = 1
    done: bool = False


@dataclass
class StandIn:
    """One repository. `user` is who the token belongs to; None is a workflow's own token, which has no user."""

    url: str = ""
    user: dict[str, Any] | None = None
    page: int = 100
    issues: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    of_commit: dict[str, list[int]] = field(default_factory=dict)
    files: dict[tuple[str, str], str] = field(default_factory=dict)
    teams: dict[str, list[str]] = field(default_factory=dict)
    sees_teams: bool = True
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    examples: Mapping[str, Any] = field(default_factory=dict)
    _last: int = 100

    def environ(self) -> dict[str, str]:
        """Return what a workflow knows of GitHub."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}

    def author(self) -> dict[str, Any]:
        return self.user or BOT

    def number(self) -> int:
        self._last += 1
        return self._last

    def add_pull(self, number: int, *, author: str = "ann", base: str = "main", sha: str = "b" * 40) -> dict[str, Any]:
        """Put a pull request there, as its author did in the web pages."""
        self.comments[number] = []
        who = {"login": author, "id": 7, "type": "User"}
        return self._pull(number, ("change", base, sha), {"title": "Change", "body": "", "user": who})

    def add_comment(self, number: int, body: str, user: Mapping[str, Any]) -> None:
        """Put a comment of somebody there."""
        self._comment(number, body, dict(user))

    def add_review(self, number: int, login: str, state: str, revision: str, at: str) -> None:
        """Put a review there."""
        user = {"login": login, "id": len(login), "type": "User"}
        review = {"id": self.number(), "user": user, "state": state, "commit_id": revision, "submitted_at": at}
        self.reviews.setdefault(number, []).append(self.whole("review", review))

    def bodies(self, number: int) -> list[str]:
        """Return the texts of the comments on a pull request or issue."""
        return [comment["body"] for comment in self.comments.get(number, [])]

    def whole(self, name: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object with everything GitHub's own example of it has besides."""
        example = deepcopy(self.examples.get(name, {}))
        for key, value in known.items():
            held = example.get(key)
            example[key] = {**held, **value} if isinstance(held, dict) and isinstance(value, dict) else value
        return dict(example)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
        """Return status and content. A list is cut into pages by the caller."""
        for verb, pattern, handle in ROUTES:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return handle(self, list(found.groups()), query, body)
        return 404, {"message": "Not Found", "documentation_url": "", "status": "404"}

    def _comment(self, number: int, body: str, user: dict[str, Any]) -> dict[str, Any]:
        held = self.number()
        address = f"https://github.com/{REPOSITORY}/issues/{number}#issuecomment-{held}"
        api = f"{self.url}/repos/{REPOSITORY}/issues/comments/{held}"
        known = {"id": held, "body": body, "user": user, "html_url": address, "url": api}
        comment = self.whole("comment", known)
        self.comments.setdefault(number, []).append(comment)
        return comment

    def _pull(self, number: int, way: tuple[str, str, str], said: Mapping[str, Any]) -> dict[str, Any]:
        """Add a pull request; `way` is its branch, its base, and where the base stood."""
        branch, base, sha = way
        known = {
            **said,
            "number": number,
            "state": "open",
            "url": f"{self.url}/repos/{REPOSITORY}/pulls/{number}",
            "html_url": f"https://github.com/{REPOSITORY}/pull/{number}",
            "head": {"ref": branch, "sha": "a" * 40, "label": f"team:{branch}"},
            "base": {"ref": base, "sha": sha},
        }
        pull = self.whole("pull", known)
        self.pulls.append(pull)
        return pull


Handler = Callable[[StandIn, list[str], Mapping[str, str], Mapping[str, Any]], tuple[int, Any]]


def _user(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    if hub.user is None:
        return 403, {"message": "Resource not accessible by integration", "documentation_url": "", "status": "403"}
    return 200, hub.whole("user", hub.user)


def _repository(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    known = {"full_name": REPOSITORY, "default_branch": "main", "url": f"{hub.url}/repos/{REPOSITORY}"}
    return 200, hub.whole("repository", known)


def _issue(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    pulls = [{**hub.whole("issue", pull), "pull_request": {"url": pull["url"]}} for pull in hub.pulls]
    one = next((one for one in [*hub.issues, *pulls] if one["number"] == int(found[0])), None)
    return (200, one) if one else (404, {"message": "Not Found"})


def _comments(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    return 200, hub.comments.get(int(found[0]), [])


def _too_long(body: Mapping[str, Any]) -> tuple[int, Any] | None:
    if len(body.get("body") or "") <= 65536:
        return None
    return 422, {"message": "Validation Failed", "errors": [{"message": "body is too long (maximum is 65536)"}]}


def _new_comment(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    return _too_long(body) or (201, hub._comment(int(found[0]), body["body"], hub.author()))


def _edit_comment(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    comment = next(one for many in hub.comments.values() for one in many if one["id"] == int(found[0]))
    comment["body"] = body["body"]
    return _too_long(body) or (200, comment)


def _drop_comment(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    for many in hub.comments.values():
        many[:] = [one for one in many if one["id"] != int(found[0])]
    return 204, None


def _issues(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    pulls = [{**hub.whole("issue", pull), "pull_request": {"url": pull["url"]}} for pull in hub.pulls]
    return 200, [one for one in [*pulls, *hub.issues] if one["state"] == query.get("state", "open")]


def _new_issue(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    number = hub.number()
    known = {
        "number": number,
        "state": "open",
        "user": hub.author(),
        "title": body["title"],
        "body": body.get("body"),
        "labels": [hub.whole("label", {"name": name}) for name in body.get("labels", [])],
        "html_url": f"https://github.com/{REPOSITORY}/issues/{number}",
        "url": f"{hub.url}/repos/{REPOSITORY}/issues/{number}",
        "comments_url": f"{hub.url}/repos/{REPOSITORY}/issues/{number}/comments",
    }
    if refused := _too_long(body):
        return refused
    made = hub.whole("issue", known)
    made.pop("pull_request", None)
    hub.issues.append(made)
    return 201, made


def _edit_issue(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    issue = next(one for one in hub.issues if one["number"] == int(found[0]))
    issue.update(body)
    return _too_long(body) or (200, issue)


def _pulls(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    head, base = query.get("head"), query.get("base")
    return 200, [
        pull
        for pull in hub.pulls
        if pull["state"] == query.get("state", "open")
        and (head is None or head == f"team:{pull['head']['ref']}")
        and (base is None or base == pull["base"]["ref"])
    ]


def _new_pull(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    if refused := _too_long(body):
        return refused
    said = {"title": body["title"], "body": body.get("body", ""), "user": hub.author()}
    return 201, hub._pull(hub.number(), (body["head"], body["base"], "b" * 40), said)


def _edit_pull(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    pull = next(one for one in hub.pulls if one["number"] == int(found[0]))
    pull.update(body)
    return 200, pull


def _reviews(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    return 200, hub.reviews.get(int(found[0]), [])


def _commit(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    known = {"sha": found[0], "url": f"{hub.url}/repos/{REPOSITORY}/commits/{found[0]}"}
    return 200, hub.whole("commit", known)


def _of_commit(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    return 200, [pull for pull in hub.pulls if pull["number"] in hub.of_commit.get(found[0], [])]


def _content(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    text = hub.files.get((found[0], query.get("ref", "main")))
    if text is None:
        return 404, {"message": "Not Found", "documentation_url": "", "status": "404"}
    known = {
        "type": "file",
        "encoding": "base64",
        "path": found[0],
        "name": found[0].rsplit("/", 1)[-1],
        "content": base64.b64encode(text.encode()).decode(),
    }
    return 200, hub.whole("content", known)


def _member(hub: StandIn, found: list[str], query: Mapping[str, str], body: Mapping[str, Any]) -> tuple[int, Any]:
    organisation, team, login = found
    if not hub.sees_teams:
        return 403, {"message": "Resource not accessible by integration"}
    if login not in hub.teams.get(f"{organisation}/{team}", []):
        return 404, {"message": "Not Found"}
    return 200, hub.whole("membership", {"state": "active", "role": "member"})


_R = f"/repos/{REPOSITORY}"
ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/user", _user),
    ("GET", _R, _repository),
    ("GET", rf"{_R}/issues/(\d+)", _issue),
    ("GET", rf"{_R}/issues/(\d+)/comments", _comments),
    ("POST", rf"{_R}/issues/(\d+)/comments", _new_comment),
    ("PATCH", rf"{_R}/issues/comments/(\d+)", _edit_comment),
    ("DELETE", rf"{_R}/issues/comments/(\d+)", _drop_comment),
    ("GET", rf"{_R}/issues", _issues),
    ("POST", rf"{_R}/issues", _new_issue),
    ("PATCH", rf"{_R}/issues/(\d+)", _edit_issue),
    ("GET", rf"{_R}/pulls", _pulls),
    ("POST", rf"{_R}/pulls", _new_pull),
    ("PATCH", rf"{_R}/pulls/(\d+)", _edit_pull),
    ("GET", rf"{_R}/pulls/(\d+)/reviews", _reviews),
    ("GET", rf"{_R}/commits/(\w+)", _commit),
    ("GET", rf"{_R}/commits/(\w+)/pulls", _of_commit),
    ("GET", rf"{_R}/contents/(.+)", _content),
    ("GET", r"/orgs/([\w-]+)/teams/([\w-]+)/memberships/([\w-]+)", _member),
]


def _handler(hub: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handle(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(content) if content else {}
            hub.requests.append(f"{self.command} {parts.path}")
            hub.tokens.add(self.headers.get("Authorization", ""))
            fault = next((f for f in hub.faults if f.method == self.command and re.search(f.path, parts.path)), None)
            if fault:
                fault.times -= 1
                if fault.times <= 0:
                    hub.faults.remove(fault)
                if fault.done:
                    hub.answer(self.command, parts.path, query, body)
                self._send(fault.status, fault.body, fault.headers)
                return
            status, answer = hub.answer(self.command, parts.path, query, body)
            headers: dict[str, str] = {}
            if isinstance(answer, list):
                answer, headers = self._page(answer, parts.path, query)
            self._send(status, answer, headers)

        def _page(self, items: list[Any], path: str, query: dict[str, str]) -> tuple[list[Any], dict[str, str]]:
            size = min(hub.page, int(query.get("per_page", "30")))
            page = int(query.get("page", "1"))
            rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
            more = page * size < len(items)
            link = f'<{hub.url}{path}?{rest}&page={page + 1}>; rel="next"'
            return items[(page - 1) * size : page * size], {"Link": link} if more else {}

        def _send(self, status: int, answer: object, headers: Mapping[str, str]) -> None:
            plain = answer if isinstance(answer, bytes) else b""
            content = plain or (b"" if answer is None else json.dumps(answer).encode())
            self.send_response(status)
            if content and not plain:
                self.send_header("Content-Type", "application/json; charset=utf-8")
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    for verb in ("GET", "POST", "PATCH", "DELETE"):
        setattr(Handle, f"do_{verb}", Handle._serve)
    return Handle


@contextmanager
def stand_in(**settings: Any) -> Iterator[StandIn]:
    """Serve a repository for the length of a block."""
    hub = StandIn(**settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
