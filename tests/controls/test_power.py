from __future__ import annotations

import os
from pathlib import Path

import pytest

from moodride.controls.power import PowerRequest
from moodride.errors import StorageError


def test_request_is_made_and_taken_back(tmp_path: Path) -> None:
    request = PowerRequest(tmp_path / "run")
    request.ask(False)  # at the start, whoever left it
    for _ in range(2):
        request.ask(True)
        assert [path.name for path in (tmp_path / "run").iterdir()] == ["power.off"]
    for _ in range(2):
        request.ask(False)
        assert list((tmp_path / "run").iterdir()) == []


def test_request_of_a_process_that_died_is_taken_back_when_the_next_starts(tmp_path: Path) -> None:
    PowerRequest(tmp_path).ask(True)
    PowerRequest(tmp_path).ask(False)
    assert list(tmp_path.iterdir()) == []


def test_one_line_says_so_when_it_cannot_be_asked(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("in the way")
    with pytest.raises(StorageError) as caught:
        PowerRequest(tmp_path / "run").ask(True)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "run") in str(caught.value)


def test_pipe_under_its_name_hangs_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "power.off")
    PowerRequest(tmp_path).ask(True)
    PowerRequest(tmp_path).ask(False)
    assert list(tmp_path.iterdir()) == []
