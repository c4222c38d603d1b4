"""A console's memory."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from policysync.emulator.store import Store, Stored


def stored(key: str, kind: str = "Door", expires: float | None = None) -> Stored:
    return Stored(0, kind, key, key, "doors", f'"{key}"'.encode(), None, expires)


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = Store(None if request.param == "memory" else tmp_path / "deep" / "c.sqlite")
    yield opened
    opened.close()


def test_what_is_put_is_found_by_url_and_by_name(store: Store) -> None:
    store.put(stored("a"))
    assert store.get(["Window", "Door"], "a") == store.named("doors", "a")
    assert store.get(["Window"], "a") is None
    assert store.named("windows", "a") is None


def test_putting_again_keeps_the_place(store: Store) -> None:
    store.put(stored("a"))
    store.put(stored("b"))
    first = store.named("doors", "a")
    assert first is not None
    store.put(Stored(first.number, "Door", "a", "a", "doors", b"new"))
    assert store.page(["Door"], "", 0, 9) == [b"new", b'"b"']


def test_a_list_shows_the_summary_where_there_is_one(store: Store) -> None:
    store.put(Stored(0, "Door", "a", "a", "doors", b"whole", b"part"))
    assert store.page(["Door"], "", 0, 9) == [b"part"]


def test_deleting_and_clearing(store: Store) -> None:
    for key in ("a", "b", "c"):
        store.put(stored(key))
    store.put(stored("w", kind="Window"))
    found = store.named("doors", "b")
    assert found is not None
    store.delete([found.number])
    assert store.count(["Door"]) == 2
    store.clear(["Door"])
    assert (store.count(["Door"]), store.count(["Door", "Window"])) == (0, 1)


def test_what_fails_in_the_middle_is_undone(store: Store) -> None:
    def fail() -> None:
        with store.writing():
            store.put(stored("a"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.count(["Door"]) == 0


def test_steps_may_stand_inside_steps(store: Store) -> None:
    with store.writing(), store.writing():
        store.put(stored("a"))
    assert store.count(["Door"]) == 1


def test_expired_objects_go(store: Store) -> None:
    store.put(stored("a", expires=10.0))
    store.expire(9.9)
    assert store.count(["Door"]) == 1
    store.expire(10.0)
    assert store.count(["Door"]) == 0


def test_numbers_are_never_given_twice(store: Store) -> None:
    with store.writing():
        assert [store.number(), store.number()] == [1, 2]


def test_many_threads(store: Store) -> None:
    def work(worker: int) -> None:
        for number in range(20):
            with store.writing():
                store.put(stored(f"{worker}-{store.number()}-{number}"))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count(["Door"]) == 120
    with store.writing():
        assert store.number() == 121


_WRITER = """
import sys
from pathlib import Path
from policysync.emulator.store import Store, Stored
store = Store(Path(sys.argv[1]))
for _ in range(50):
    with store.writing():
        key = str(store.number())
        store.put(Stored(0, "Door", key, key, "doors", b"1"))
store.close()
"""


def test_two_processes_write_the_same_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "c.sqlite"
    writers = [subprocess.Popen([sys.executable, "-c", _WRITER, str(file)]) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    store = Store(file)
    assert store.count(["Door"]) == 100
    store.close()
