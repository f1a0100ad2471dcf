"""The demo drive, watched and replayed, gives the time line of its table."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from moodride.config import project_root

ROOT = project_root()
ANSWERS = {"happiness": "Happy", "anger": "Calm", "sadness": "Sad"}


@pytest.mark.slow
def test_changes_when_the_demo_drive_is_replayed_follow_its_time_table(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(f'[paths]\nruntime = "{tmp_path}"\n', encoding="utf-8")
    quick = ROOT / "config" / "quick.toml"
    moodride = [sys.executable, "-m", "moodride.cli", "--config", str(quick), "--config", str(own)]
    film = ROOT / "data" / "drive.mp4"
    watch = [*moodride, "watch", "--source", str(film), "--fast", "--jsonl"]
    recorded = subprocess.run(watch, capture_output=True, timeout=300, check=True).stdout
    replay = [*moodride, "replay", "-", "--json"]
    told = subprocess.run(replay, input=recorded, capture_output=True, timeout=60, check=True)
    document = json.loads(told.stdout)
    assert document["refused"] == 0
    assert document["readings"] > 400
    spans = tomllib.loads((ROOT / "data" / "drive.toml").read_text(encoding="utf-8"))["span"]
    felt = [span for span in spans if span["emotion"] in ANSWERS]
    changes = document["changes"]
    assert [change["plan"][0] for change in changes] == [ANSWERS[s["emotion"]] for s in felt]
    for change, span in zip(changes, felt, strict=True):
        assert span["start_s"] - 1.2 < change["t_s"] < span["end_s"]
        assert span["emotion"] in change["why"]
