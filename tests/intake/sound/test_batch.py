"""Looking into a library: several processes, and files that bring one down."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("av", "18.1")

from moodride.errors import ServiceError
from moodride.intake.sound import Limits, Progress, analyse
from moodride.intake.sound.crew import Crew
from moodride.intake.sound.messages import Answer, Outcome
from moodride.library.records import FileRecord, MoodSource
from moodride.library.store import Store

Clicks = Callable[[float], np.ndarray]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    folder = tmp_path / "index"
    folder.mkdir()
    with Store(folder / "library.sqlite") as opened:
        yield opened


def take_up(store: Store, folder: Path) -> None:
    source = store.source(folder)
    scan = store.begin_scan(source)
    files = sorted(path for path in folder.iterdir() if not path.is_dir())
    records = [FileRecord(path=os.fsencode(p.name), size=1, mtime_ns=1) for p in files]
    store.put(source, scan, records)
    store.end_scan(source, scan, complete=True)


def test_every_track_is_measured_and_claimed_when_all_is_well(
    store: Store, clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    for number, bpm in enumerate((80.0, 120.0, 150.0)):
        save(f"{number}.wav", clicks(bpm), rate_hz=22_050)
    take_up(store, tmp_path)
    heard: list[Progress] = []
    report = analyse(store, jobs=2, progress=heard.append)
    assert (report.measured, report.failed, report.away, report.problems) == (3, 0, 0, [])
    assert [p.done for p in heard] == [1, 2, 3]
    assert {p.total for p in heard} == {3}
    rows = list(store.rows())
    assert [round(row.sound.tempo_bpm) for row in rows if row.sound] == [80, 120, 150]
    claims = [claim for row in rows for claim in row.claims]
    assert [claim.source for claim in claims] == [MoodSource.SOUND] * 3
    assert all(0.25 <= claim.confidence < 1.0 for claim in claims)
    assert all("arousal_like" in row.sound.measures for row in rows if row.sound)


def test_bad_file_fails_alone_and_is_not_tried_again(
    store: Store, clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    save("a.wav", clicks(100.0), rate_hz=22_050)
    (tmp_path / "b.mp3").write_bytes(b"\0" * 5000)
    (tmp_path / "c.mp3").write_bytes(b"")
    save("d.wav", np.zeros((2, 96_000)))
    save("e.wav", np.array([0.5]))
    take_up(store, tmp_path)
    report = analyse(store, jobs=2)
    assert (report.measured, report.failed, report.away) == (1, 4, 0)
    why = {Path(path).name: reason for path, reason in report.problems}
    assert "no sound that can be decoded" in why["b.mp3"]
    assert why["c.mp3"] == "the file is empty"
    assert why["d.wav"].startswith("silent")
    assert "next to no sound" in why["e.wav"]
    assert [row.problem for row in store.rows(problems=True)] == [
        why[name] for name in ("b.mp3", "c.mp3", "d.wav", "e.wav")
    ]
    assert analyse(store, jobs=1).done == 0


def test_file_that_is_gone_is_tried_again_the_next_time(
    store: Store, clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    path = save("a.wav", clicks(100.0), rate_hz=22_050)
    take_up(store, tmp_path)
    data = path.read_bytes()
    path.unlink()
    report = analyse(store, jobs=1)
    assert (report.measured, report.failed, report.away) == (0, 0, 1)
    assert report.problems == [(str(path), "No such file or directory")]
    path.write_bytes(data)
    assert analyse(store, jobs=1).measured == 1


def test_it_goes_on_where_it_was_when_it_was_interrupted(
    store: Store, clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    for number in range(4):
        save(f"{number}.wav", clicks(100.0), rate_hz=22_050)
    take_up(store, tmp_path)

    def stop(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    first = analyse(store, jobs=1, progress=stop)
    assert (first.measured, first.interrupted) == (2, True)
    second = analyse(store, jobs=1)
    assert (second.measured, second.interrupted) == (2, False)


def test_worker_that_crashes_takes_its_file_alone_with_it(
    clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    good = str(save("a.wav", clicks(100.0), rate_hz=22_050))
    pipe = tmp_path / "never.mp3"
    os.mkfifo(pipe)  # who opens it waits for ever
    with Crew(2, Limits()) as crew:
        crew.begin("bad", str(pipe))
        crew.begin("good", good)
        assert not crew.free
        assert {job: a.outcome for job, a in crew.wait()} == {"good": Outcome.MEASURED}
        victim = next(w for w in crew._workers if w.job == "bad")
        os.kill(victim.process.pid, signal.SIGSEGV)
        assert list(crew.wait()) == [
            ("bad", Answer(outcome=Outcome.FAILED, why="decoding it crashed (SIGSEGV)"))
        ]
        crew.begin("again", good)
        assert [(job, a.outcome) for job, a in crew.wait()] == [("again", Outcome.MEASURED)]


def test_file_is_away_when_the_disk_does_not_give_it(tmp_path: Path) -> None:
    pipe = tmp_path / "never.mp3"
    os.mkfifo(pipe)
    with Crew(1, Limits(wall_s=1.0)) as crew:
        crew.begin("slow", str(pipe))
        found = list(crew.wait())
        assert crew.busy == 0
    assert found == [
        ("slow", Answer(outcome=Outcome.AWAY, why="the disk did not give it within 1 s"))
    ]


def test_file_fails_when_it_takes_too_much_processor_time(
    store: Store, clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    save("long.flac", np.zeros(8000 * 3600), rate_hz=8000, container="flac", codec="flac")
    save("short.wav", clicks(100.0), rate_hz=22_050)
    take_up(store, tmp_path)
    report = analyse(store, jobs=1, limits=Limits(cpu_s=2))
    assert (report.measured, report.failed) == (1, 1)
    assert "more than 2 s of processor time" in report.problems[0][1]


def test_file_fails_when_it_wants_too_much_memory(
    store: Store, clicks: Clicks, save: Any, tmp_path: Path
) -> None:
    save("a.wav", np.tile(clicks(100.0), 3), rate_hz=22_050)
    take_up(store, tmp_path)
    report = analyse(store, jobs=1, limits=Limits(memory_bytes=90_000_000))
    assert (report.measured, report.failed) == (0, 1)
    assert "memory" in report.problems[0][1] or "crashed" in report.problems[0][1]


def test_workers_are_gone_when_it_is_over(clicks: Clicks, save: Any, tmp_path: Path) -> None:
    path = str(save("a.wav", clicks(100.0), rate_hz=22_050))
    with Crew(1, Limits()) as crew:
        crew.begin("a", path)
        list(crew.wait())
        worker = crew._workers[0].process
        assert worker.poll() is None
        assert os.getpriority(os.PRIO_PROCESS, worker.pid) == 19
    assert worker.poll() is not None


def test_one_line_says_what_to_do_when_extra_is_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ServiceError, match=r"moodride\[analyse\]"):
        analyse(store)


def test_no_file_is_blamed_when_workers_do_not_start(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp3").write_bytes(b"x")
    take_up(store, tmp_path)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ServiceError, match="does not start"):
        analyse(store, jobs=1)
    assert len(store.without_sound(0)) == 1


def test_pyav_stays_out_of_the_tools_own_process() -> None:
    import subprocess
    import sys

    code = "import sys, moodride.intake.sound; print('av' in sys.modules, 'numpy' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
