from __future__ import annotations

import ctypes
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from moodride.controls.arrivals import Arrivals

LONG_S = 30.0


@pytest.fixture
def arrivals(tmp_path: Path) -> Iterator[Arrivals]:
    arrivals = Arrivals(tmp_path / "input")
    yield arrivals
    arrivals.close()


def told(arrivals: Arrivals) -> frozenset[str]:
    ready, _, _ = select.select([arrivals.descriptor], [], [], LONG_S)
    assert ready
    return arrivals.names()


def test_nodes_are_named_when_they_come_change_and_go(arrivals: Arrivals, tmp_path: Path) -> None:
    node = tmp_path / "input" / "event12"
    node.parent.mkdir()
    arrivals.watch()
    assert arrivals.names() == frozenset()
    node.touch(mode=0o600)
    assert told(arrivals) == {"event12"}
    node.chmod(0o660)
    assert told(arrivals) == {"event12"}
    node.unlink()
    assert told(arrivals) == {"event12"}
    assert arrivals.names() == frozenset()


def test_reading_a_node_is_no_news(arrivals: Arrivals, tmp_path: Path) -> None:
    node = tmp_path / "input" / "event0"
    node.parent.mkdir()
    node.write_bytes(b"x")
    arrivals.watch()
    node.read_bytes()
    assert arrivals.names() == frozenset()


def test_folder_may_come_late_and_come_again(arrivals: Arrivals, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    arrivals.watch()  # nothing there: no error
    for _ in range(2):
        folder.mkdir()
        arrivals.watch()
        arrivals.watch()
        (folder / "event0").touch()
        assert "event0" in told(arrivals)
        (folder / "event0").unlink()
        folder.rmdir()
        told(arrivals)


def test_many_names_of_any_kind_are_read(arrivals: Arrivals, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    folder.mkdir()
    arrivals.watch()
    names = {f"event{number}" for number in range(50)} | {"x" * 255, "ü \n", "a"}
    for name in names:
        (folder / name).touch()
    found: frozenset[str] = frozenset()
    while not found >= names:
        found |= told(arrivals)
    assert found == names


def test_no_watch_left_is_said_and_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing:
        def inotify_init1(self, _: int) -> int:
            ctypes.set_errno(24)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing())
    arrivals = Arrivals(tmp_path)
    arrivals.watch()
    assert arrivals.descriptor == -1
    assert arrivals.names() == frozenset()
    arrivals.close()
    assert "Too many open files" in caplog.text
