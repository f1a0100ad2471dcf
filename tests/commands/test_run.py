"""What `moodride run` does with signals, and with looking again for what has changed."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

from moodride.commands import run
from moodride.commands.run import _signals, _Watch

PATIENCE_S = 30.0


class Ends:
    """The end of a service, as far as a signal may bring it about."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        self.stopped = True


def sent(number: int) -> tuple[bool, bool]:
    """Whether that signal ends the service, and whether it reads the configuration again."""
    service, again = Ends(), threading.Event()
    with _signals(service, again):  # type: ignore[arg-type]
        signal.raise_signal(number)
    return service.stopped, again.is_set()


@pytest.mark.parametrize(
    ("systemd", "terminal", "ends"),
    [(True, False, False), (False, True, True), (False, False, True), (True, True, True)],
)
def test_hangup_is_a_reload_of_systemd_and_the_end_elsewhere(
    monkeypatch: pytest.MonkeyPatch, systemd: bool, terminal: bool, ends: bool
) -> None:
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    if systemd:
        monkeypatch.setenv("INVOCATION_ID", "0" * 32)
    monkeypatch.setattr(run.os, "isatty", lambda _: terminal)
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        assert sent(signal.SIGHUP) == (ends, not ends)
        assert sent(signal.SIGTERM) == (True, False)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_hangup_when_it_is_ignored_on_purpose_does_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("INVOCATION_ID", raising=False)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert sent(signal.SIGHUP) == (False, False)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert os.environ.get("INVOCATION_ID") is None


class Parts:
    """Library and reload of a watch: they note who is in them, and do as they are told."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.looks = 0
        self.twice = threading.Event()
        self.entered, self.go = threading.Event(), threading.Event()
        self.problems: list[str] = []
        self.substitute = False

    def _in(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        assert self.go.wait(PATIENCE_S)
        self.inside -= 1

    def __call__(self) -> dict[str, list[str]]:
        self._in()
        return {}

    def changed(self) -> bool:
        self.looks += 1
        if self.looks == 1:
            raise ZeroDivisionError
        self.twice.set()
        return False

    def watch(self, again: threading.Event) -> _Watch:
        everything: Any = self
        return _Watch(everything, everything, everything, reload=everything, again=again)


def test_watch_when_a_look_fails_looks_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(run, "LIBRARY_RETRY_S", 0.01)
    parts, over = Parts(), threading.Event()
    thread = threading.Thread(target=parts.watch(threading.Event()).run, args=(over,))
    thread.start()
    try:
        assert parts.twice.wait(PATIENCE_S)
    finally:
        over.set()
        thread.join(PATIENCE_S)
    assert "ZeroDivisionError" in caplog.text


def test_reloads_when_asked_in_two_ways_at_once_follow_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "LIBRARY_RETRY_S", 0.01)
    parts, over, again = Parts(), threading.Event(), threading.Event()
    parts.looks = 1
    watch = parts.watch(again)
    again.set()
    threads = [
        threading.Thread(target=watch.run, args=(over,)),
        threading.Thread(target=watch.reload),
    ]
    for thread in threads:
        thread.start()
    assert parts.entered.wait(PATIENCE_S)
    threads[1].join(0.3)  # the other one would be inside by then, were there no lock
    parts.go.set()
    assert parts.twice.wait(PATIENCE_S)
    over.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert parts.most == 1
