"""From readings to mood: our rules beside what others do, on synthetic drives with their truth.

Every method gets the same readings (`moodride.testing.drives`: made-up people, errors of our
own network; five drives of an hour for each car, one of them with another driver) and the same
policy, ``safe``: what differs is how readings become a feeling. A method's mood changes when it
takes another rule of the policy to hold; neutral, surprise and contempt hold the mood.

* **Right mood**: that of the last true expression of a rule. An expression has to be held for
  10 s to be one; flashes of up to 4 s are none.
* **False change**: to the mood of a rule none of whose expressions is shown, or was within the
  15 s before.
* **Answered**: an onset of anger (happiness) while another mood plays, answered by Calm (Happy)
  before it has been over for 15 s; "within 15 s" is of the onsets in which the face is visible
  for at least eight of the first ten seconds. In brackets: of those that show in what the
  network says, its mean probability of anger or fear in these ten seconds being at least 0.5
  above that of the person's face at rest. What the network does not see, no rule can answer.
* **Stuck**: a drive with at least 30 min on end in the wrong mood.
* **Misread at rest**: a drive of a person whose face at rest looks sad or angry, in which the
  mood changed falsely to what that calls for.

    scripts/bench mood [--drives 200] [--seed 2] [--ours] [--plot FILE] [--json]
                       [KEY=VALUE ...]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from command_line import OneLineParser, file_in_folder, positive
from mood_example import example
from mood_methods import methods
from mood_plot import draw
from mood_scores import Score, score
from rich.console import Console
from rich.progress import track

from moodride.settings import MoodSettings
from moodride.testing.drives import make_drive
from moodride.testing.people import Confusion, sample_person
from moodride.validate import check, validated

ROOT: Final = Path(__file__).resolve().parents[2]
CARD: Final = ROOT / "models" / "emotion" / "card.toml"
PER_PERSON: Final = 5
GUEST: Final = 3
"""The one of a car's drives (from 0) in which somebody else drives."""


def load_confusion() -> Confusion:
    """How our emotion network mistakes expressions, from its card."""
    return Confusion.from_counts(tomllib.loads(CARD.read_text("utf-8"))["figures"]["confusion"])


def one_person(
    number: int, drives: int, seed: int, settings: MoodSettings, *, ours_alone: bool = False
) -> dict[str, Score]:
    """All drives of a person by all methods."""
    confusion = load_confusion()
    owner, guest = (
        sample_person(np.random.default_rng((seed, number, who)), confusion) for who in (1, 3)
    )
    compared = methods(settings)
    if ours_alone:
        compared = dict(islice(compared.items(), 1))
    scores = {name: Score() for name in compared}
    memory: dict[str, Any] = dict.fromkeys(compared)
    for turn in range(drives):
        rng = np.random.default_rng((seed, number * PER_PERSON + turn, 2))
        driver = guest if turn == GUEST else owner
        drive = make_drive(driver, rng, confusion=confusion)
        for name, method in compared.items():
            changes, memory[name] = method(drive, memory[name])
            scores[name].add(score(drive, changes, settings.baseline))
    return scores


def everybody(
    drives: int,
    seed: int,
    jobs: int | None,
    settings: MoodSettings,
    *,
    ours_alone: bool = False,
) -> dict[str, Score]:
    """The sums over all people, several at a time."""
    people = -(-drives // PER_PERSON)
    total: dict[str, Score] = {}
    with ProcessPoolExecutor(jobs) as pool:
        found = [
            pool.submit(
                one_person,
                n,
                min(PER_PERSON, drives - n * PER_PERSON),
                seed,
                settings,
                ours_alone=ours_alone,
            )
            for n in range(people)
        ]
        for job in track(found, "drivers", console=Console(stderr=True), transient=True):
            for name, scores in job.result().items():
                total.setdefault(name, Score()).add(scores)
    return total


def table(scores: dict[str, Score]) -> str:
    """Markdown."""
    heads = (
        "", "false changes an hour", "right mood", "anger to calm", "within 15 s (that show)",
        "never", "happiness to happy", "never", "stuck", "misread at rest", "changes an hour",
    )  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, s in scores.items():
        anger, glad = len(s.anger_s) + s.anger_missed, len(s.happy_s) + s.happy_missed
        shown = f"{_share(s.anger_seen_in_time, s.anger_seen)}, {s.anger_seen} onsets"
        in_time = f"{_share(s.anger_in_time, s.anger_visible)} ({shown})"
        cells = (
            name, f"{s.false / s.hours:.2f}", f"{s.right_s / 36 / s.hours:.1f} %",
            _median(s.anger_s), in_time,
            _share(s.anger_missed, anger), _median(s.happy_s), _share(s.happy_missed, glad),
            _share(s.stuck, s.drives), _share(s.misread, s.resting),
            f"{s.changes / s.hours:.1f}",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _median(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} s" if values else "-"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _settings(pairs: list[str]) -> MoodSettings:
    """The defaults with these values of ``[mood]``, checked as a configuration is.

    Raises:
        ValueError: there is no such setting, or not with this value.
    """
    tree: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            tree[name] = tomllib.loads(f"v = {value}")["v"]
        except tomllib.TOMLDecodeError:
            tree[name] = value
    if wrong := check({"mood": tree}):
        raise ValueError(f"{'.'.join(wrong[0].loc[1:]) or 'mood'}: {wrong[0].message}"[:200])
    return validated({"mood": tree}).mood


def main(argv: list[str] | None = None) -> int:
    """Compare the methods."""
    parser = OneLineParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drives", type=positive, default=200)
    parser.add_argument("--seed", type=positive, default=2)
    parser.add_argument("--jobs", type=positive, help="processes; default: one for each core")
    parser.add_argument("--plot", type=file_in_folder, metavar="FILE.svg")
    parser.add_argument("--ours", action="store_true", help="without the others")
    parser.add_argument("--json", action="store_true", help="all counts, for other programs")
    parser.add_argument("set", nargs="*", metavar="KEY=VALUE", help="settings of [mood]")
    args = parser.parse_args(argv)
    try:
        settings = _settings(args.set)
    except ValueError as error:
        parser.error(" ".join(str(error).split()))
    if args.ours and args.plot:
        parser.error("--plot needs the others too")
    scores = everybody(args.drives, args.seed, args.jobs, settings, ours_alone=args.ours)
    if args.plot:
        draw(scores, example(settings, load_confusion(), seed=args.seed), args.plot)
    if args.json:
        json.dump({name: asdict(s) for name, s in scores.items()}, sys.stdout, indent=1)
    else:
        print(table(scores))
    return 0


if __name__ == "__main__":
    sys.exit(main())
