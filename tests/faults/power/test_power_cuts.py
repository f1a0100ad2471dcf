"""The power goes at any instant of a drive, and the next start goes on.

What is proven, and what is not, is told in docs/power.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from power_cuts import FLASH, KINDS, Tally, cuts, prove
from power_drive import JOURNEY, command, prepare
from power_faults import FAULTS
from power_ops import Image
from power_start import STORES, lay_out
from power_trace import Recording, can_trace, record

CUTS_LEAST = 2000

HONEST = tuple(kind for kind in KINDS if kind not in FLASH)
"""Cuts in which the disk keeps its word."""

needs_strace = pytest.mark.skipif(
    not can_trace(), reason="strace is missing or not permitted here: nothing can be recorded"
)


@pytest.fixture
def disks() -> Iterator[Path]:
    """A folder in memory, where there is one: thousands of small disks are made there."""
    memory = Path("/dev/shm")
    where = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="moodride-power-", dir=where) as folder:
        yield Path(folder)


def recorded(folder: Path, *legs: str, there: Image | None = None, fault: str = "") -> Recording:
    """A drive of so many legs, one after the other, on a new disk or on that one."""
    root, marks = folder / "root", folder / "marks"
    if there is None:
        prepare(root)
    else:
        lay_out(there, root)
    commands = [command(root, marks, leg, fault) for leg in legs]
    return record(commands, folder=root, marks=marks, log=folder / "strace.log")


def tell(tally: Tally, capsys: pytest.CaptureFixture[str]) -> None:
    """Say what came of it, also where nothing failed and several tests run at once."""
    with capsys.disabled():
        sys.stderr.write("\n".join(("", *tally.lines(), "")))
        sys.stderr.flush()


@needs_strace
def test_next_start_when_power_goes_at_any_instant_finds_what_was_once_true(
    tmp_path: Path, disks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = prove(recorded(tmp_path, *JOURNEY), disks, seed=1, each=8)
    tell(tally, capsys)
    assert all(tally.acknowledged[store] >= 2 for store in STORES), "the drive did it all"
    assert not tally.wrong, "\n".join(tally.wrong)
    assert sum(tally.states[kind] for kind in HONEST) >= CUTS_LEAST, "disks that differ"
    assert max(tally.worst_s[kind] for kind in HONEST) <= 5.0
    assert not any(tally.aside[kind] for kind in HONEST)


@needs_strace
def test_next_start_when_power_goes_in_the_start_after_a_cut_finds_what_was_once_true(
    tmp_path: Path, disks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = recorded(tmp_path / "drive", "short")
    halves = list(cuts(drive, seed=1, kinds=("subset", "torn")))
    tally = Tally()
    for number, cut in enumerate(Random(1).sample(halves, 2)):
        again = recorded(tmp_path / f"again-{number}", "again", there=cut.image)
        prove(again, disks, seed=1, kinds=("torn", "synced", "subset"), tally=tally)
    tell(tally, capsys)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.states.total() >= 200


@needs_strace
@pytest.mark.parametrize("fault", FAULTS)
def test_proof_when_the_stores_are_careless_fails(tmp_path: Path, disks: Path, fault: str) -> None:
    _, kind, said = FAULTS[fault]
    if fault == "over-newest":  # what a start spoils that finds something
        before = list(cuts(recorded(tmp_path / "before", "short"), seed=1, kinds=("prefix",)))
        recording = recorded(tmp_path / "drive", "again", fault=fault, there=before[-1].image)
    else:
        recording = recorded(tmp_path, "short", fault=fault)
    tally = prove(recording, disks, seed=1, each=10, kinds=(kind,), wrong_most=1)
    assert tally.wrong, f"{fault} stayed unseen over {tally.cuts.total()} cuts"
    assert said in tally.wrong[0]
