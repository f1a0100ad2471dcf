"""Judge the shipped model on excerpts: ``python models/music/evaluate.py PLACE``.

PLACE is an archive or a folder with ``index.json`` and the files that it names: a list of
objects with ``file`` and ``labels``, shares of the listeners by emotion of the Geneva Emotional
Music Scale. The way is that of ``moodride library scan --analyse``: each file is decoded,
measured and estimated as a track of a library is. On the excerpts that the model was made of
the figures flatter it; the card has those of cross-validation.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
from judging import confusion
from material import EMOTIONS, opened, targets_of
from tables import confusion_table

from moodride.intake.sound.estimate import card_path, load_model
from moodride.intake.sound.messages import Answer
from moodride.intake.sound.worker import answer_for
from moodride.types import MOODS

__all__ = ["judged", "main"]


def judged(answers: list[Answer], labels: list[dict[str, float]]) -> str:
    """Return how well answers fit the labels, as text; those without a mood count as wrong."""
    targets = targets_of(np.array([[row[e] for e in EMOTIONS] for row in labels], float))
    true = targets[:, 2:].argmax(axis=1)
    heard = [n for n, answer in enumerate(answers) if answer.claim and answer.sound]
    said = np.array([MOODS.index(answers[n].claim.mood) for n in heard])
    lines = [f"{len(labels)} excerpts, {len(labels) - len(heard)} of them without an answer"]
    for name, column in (("arousal", 0), ("valence", 1)):
        measured = [answers[n].sound.measures[f"{name}_like"] for n in heard]
        r = np.corrcoef(measured, targets[heard, column])[0, 1]
        lines.append(f"{name} r {r:.3f}")
    right = int((said == true[heard]).sum())
    common = np.bincount(true).max() / len(true)
    lines.append(f"mood of four {right / len(labels):.1%} (always the commonest {common:.1%})")
    lines += ["", confusion_table(confusion(said, true[heard], len(MOODS)))]
    return "\n".join(lines)


def main() -> None:
    """Judge, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("place", type=Path, help="archive or folder with index.json")
    parser.add_argument("--card", type=Path, default=card_path(), help="of the model to judge")
    options = parser.parse_args()
    model = load_model(options.card)
    learnt = tomllib.loads(options.card.read_text(encoding="utf-8"))["model"]["excerpts_sha256"]
    if options.place.is_file():
        with options.place.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == learnt:
                print("The model was made of these: it knows the answers.", file=sys.stderr)
    with opened(options.place) as folder:
        index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        answers = [answer_for(str(folder / Path(e["file"]).name), model) for e in index]
    print(judged(answers, [entry["labels"] for entry in index]))


if __name__ == "__main__":
    main()
