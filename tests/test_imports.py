"""What real processes have loaded, by their own sys.modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def loaded_by(code: str) -> set[str]:
    """Top-level modules of a fresh process after running code."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    names = json.loads(result.stdout.splitlines()[-1])
    return set(names) | {name.partition(".")[0] for name in names}


HEAVY = {"cv2", "onnxruntime", "pandas", "numpy"}


def test_music_process_when_loaded_has_nothing_that_may_crash() -> None:
    names = loaded_by(
        "import moodride.cli, moodride.commands.run, moodride.controls.server\n"
        "import moodride.controls.evdev, moodride.playback.mpv, mpv, evdev"
    )
    assert "moodride.conductor.service" in names
    assert not names & HEAVY
    assert not {name for name in names if name.startswith("moodride.vision")}
    assert "rich" not in names, "tables are for people, not for the start"


def test_vision_process_when_loaded_knows_nothing_of_music() -> None:
    names = loaded_by("import moodride.commands.watch, moodride.vision.service")
    for room in ("conductor", "playback", "controls", "library", "choice", "memory", "mood"):
        assert f"moodride.{room}" not in names
    assert not names & {"mpv", "pandas", "rich", "sqlite3"}


@pytest.mark.parametrize("module", ["moodride.cli", "moodride.config", "moodride.wire"])
def test_module_when_imported_loads_no_heavy_library(module: str) -> None:
    assert not loaded_by(f"import {module}") & (HEAVY | {"mpv", "rich", "evdev"})


def test_vision_process_when_it_reads_a_face_leaves_nothing_in_the_home_folder(
    tmp_path: Path,
) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "XDG_"))}
    code = (
        "from moodride.config import load_config, shipped_file;"
        "from moodride.commands.watch import watch_settings;"
        "from moodride.vision.watch import build_analyser;"
        "analyser = build_analyser(watch_settings(load_config([shipped_file()])));"
        "import time; time.sleep(1.0)"
    )
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "ours")}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    found = [p for p in tmp_path.rglob("*") if p.is_file() and "ours" not in p.parts]
    assert found == [], "onnxruntime keeps a device number there when it reports its use"
