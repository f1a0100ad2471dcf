"""Make and judge what Moodride knows of music: ``python models/music/train.py``.

Two models: mood from the sound of a track (``card.toml``, ``sound.npz``) and mood from the audio
features of a catalogue (``features.toml``, ``features.json``). Both are judged by repeated
cross-validation, then made of all there is, and written with their cards and with what they say
of a few generated sounds (``reference.json``). Everything is seeded: a second run writes the
same. Needs the shared material (see `material`) and the extra ``analyse``; the excerpts take two
minutes to measure, once, and all the rest one.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path

import numpy as np
from cards import HERE, songs_card, sound_card, write_songs, write_sound
from kernel import fit
from material import EXCERPTS, SONGS, Excerpts, Songs, read_excerpts, read_songs, targets_of
from songs import fit_songs, judge_songs
from sounds import SOUNDS, made
from tables import songs_table, sound_table
from trial import REPEATS, judge

from moodride.intake.features import terms_of
from moodride.intake.sound.estimate import load_model
from moodride.intake.sound.measure import features_of

LOUDNESS_DB = -16.0


def train_sound(excerpts: Excerpts, songs: Songs, *, out: Path, repeats: int) -> str:
    """Judge, make and write the model of the sound; return the table."""
    trial = judge(excerpts, repeats=repeats)
    targets = targets_of(excerpts.emotions)
    fitted = fit(excerpts.features, excerpts.names, targets, excerpts.artists)
    weights = out / "sound.npz"
    write_sound(fitted, excerpts.names, excerpts, songs, trial.temperature, weights)
    card = out / "card.toml"
    card.write_text(sound_card(trial, fitted, excerpts, weights), encoding="utf-8")
    load_model.cache_clear()
    model = load_model(card)
    said = {
        name: model.raw(features_of(made(name), loudness_db=LOUDNESS_DB)).tolist()
        for name in SOUNDS
    }
    reference = {"loudness_db": LOUDNESS_DB, "outputs": said}
    (out / "reference.json").write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")
    return sound_table(trial)


def train_songs(songs: Songs, *, out: Path, repeats: int) -> str:
    """Judge, make and write the model of audio features; return the table."""
    figures = judge_songs(songs, repeats=repeats)
    rows = np.array([terms_of(row) for row in songs.rows])
    weights = out / "features.json"
    write_songs(fit_songs(rows, songs.moods), weights)
    (out / "features.toml").write_text(songs_card(figures, songs, weights), encoding="utf-8")
    return songs_table(figures)


def main() -> None:
    """Do it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--excerpts", type=Path, default=EXCERPTS, help="archive with index.json")
    parser.add_argument("--songs", type=Path, default=SONGS, help="data_moods.csv")
    parser.add_argument("--out", type=Path, default=HERE, help="where weights and cards go")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="of the cross-validation")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    begun = time.process_time()
    excerpts, songs = read_excerpts(options.excerpts), read_songs(options.songs)
    print(train_sound(excerpts, songs, out=options.out, repeats=options.repeats))
    print(train_songs(songs, out=options.out, repeats=options.repeats))
    print(f"{time.process_time() - begun:.0f} s of processor time")


if __name__ == "__main__":
    main()
