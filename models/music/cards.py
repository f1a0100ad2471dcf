"""Write weights and cards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from judging import Figures
from kernel import Fit
from material import Excerpts, Songs, targets_of
from numpy.typing import NDArray
from songs import SongFigures, as_json
from trial import FOLDS, REPEATS, Judged, Trial

from moodride.intake.features import FeatureModel
from moodride.types import MOODS

__all__ = ["HERE", "songs_card", "sound_card", "write_songs", "write_sound"]

HERE: Final = Path(__file__).resolve().parent
_EMOTIFY: Final = (
    "Aljanaki, Wiering, Veltkamp, Studying emotion induced by music through a crowdsourcing"
    " game, Information Processing & Management 52 (2016)"
)
_HEAD: Final = "# Written by train.py; do not edit by hand.\n"


def write_sound(fitted: Fit, names: tuple[str, ...], excerpts: Excerpts, songs: Songs,
                temperature: float, path: Path) -> None:  # fmt: skip
    """Write the weights of the model of the sound."""
    np.savez_compressed(
        path,
        names=np.array(names),
        mean=fitted.mean.astype(np.float32),
        scale=fitted.scale.astype(np.float32),
        support=fitted.support,
        reach=fitted.reach,
        weights=fitted.weights,
        offset=fitted.offset.astype(np.float32),
        temperature=np.float32(temperature),
        stretch=_stretch(excerpts, songs).astype(np.float32),
    )


def _stretch(excerpts: Excerpts, songs: Songs) -> NDArray[np.float64]:
    """Factor and constant that bring the labels' mean and spread to those of the songs."""
    targets = targets_of(excerpts.emotions)
    rows = []
    for column, name in ((1, "valence"), (0, "energy")):
        there = np.array([row[name] for row in songs.rows])
        factor = there.std() / targets[:, column].std()
        rows.append([factor, there.mean() - factor * targets[:, column].mean()])
    return np.array(rows)


def write_songs(model: FeatureModel, path: Path) -> None:
    """Write the weights of the model of audio features."""
    path.write_text(json.dumps(as_json(model), indent=1) + "\n", encoding="utf-8")


def sound_card(trial: Trial, fitted: Fit, excerpts: Excerpts, path: Path) -> str:
    """Return the card of the model of the sound, TOML."""
    shares = {name: list(choice.shares) for name, choice in fitted.choices.items()}
    ridges = {name: choice.ridge for name, choice in fitted.choices.items()}
    return _HEAD + _toml(
        {
            "schema": 1,
            "name": "music-sound",
            "task": "mood of a track from its sound",
            "title": "Arousal, valence and mood of forty seconds of music",
            "description": (
                "Kernel ridge regression on numbers that say how the music sounds together, which"
                " sounds it has and how they move (moodride.intake.sound.measure); from them it"
                " predicts arousal, valence and the shares of four moods that listeners felt."
            ),
            "licence": "Apache-2.0",
            "terms": (
                "Weights trained by this project on recordings of Magnatune that are CC BY-NC-SA;"
                " they hold numbers measured of them and no sound. What listeners felt in a game"
                " is not what everybody feels; music of other times and places was not heard."
            ),
            "data": [
                f"Emotify: {_EMOTIFY}: 160 excerpts",
                "mean and spread of valence and energy of 686 songs labelled by mood",
            ],
            "file": _file(path),
            "model": {
                "features": len(fitted.mean),
                "excerpts": len(fitted.support),
                "excerpts_sha256": excerpts.digest,
                "families": ["harmony", "timbre", "motion"],
                "shares": shares,
                "ridge": ridges,
                "temperature": trial.temperature,
            },
            "figures": _sound_figures(trial, excerpts),
        }
    )


def _sound_figures(trial: Trial, excerpts: Excerpts) -> dict[str, Any]:
    return {
        "note": (
            f"{FOLDS}-fold cross-validation, {REPEATS} times over {len(excerpts.files)} excerpts;"
            " means over the repeats, spread is their standard deviation. Families and ridge are"
            " chosen again in each fold. After looking at such figures a fourth family, of rhythm,"
            " was dropped, modulation normalised, loudness added, and the kernel's width and the"
            " grid of ridges set; the other features were drawn up before."
            " ours: folds balanced by mood. strangers: no artist on both sides. plain: tempo and"
            " loudness alone in the same machine. By chance alone, with 160 excerpts the accuracy"
            " may be 4 points off."
        ),
        "mood_commonest": trial.commonest,
        "plain": _of(trial.plain),
        "ours": _of(trial.ours),
        "strangers": _of(trial.strangers),
        "moods": [mood.value for mood in MOODS],
        "confusion": [[round(float(x), 1) for x in row] for row in trial.confusion],
        "mood_accuracy_by_genre": trial.by_genre,
        "strangers_calibration": {
            "ece": trial.calibration.ece,
            "nll": trial.calibration.nll,
            "brier": trial.calibration.brier,
        },
    }


def _of(judged: Judged) -> dict[str, float]:
    mean, spread = judged.mean, judged.spread
    found = {}
    for name in Figures.__dataclass_fields__:
        found[name] = getattr(mean, name)
        found[f"{name}_spread"] = getattr(spread, name)
    return found


def songs_card(figures: SongFigures, songs: Songs, path: Path) -> str:
    """Return the card of the model of audio features, TOML."""
    return _HEAD + _toml(
        {
            "schema": 1,
            "name": "music-features",
            "task": "mood of a song from a catalogue's audio features",
            "title": "Mood from nine audio features",
            "description": (
                "Multinomial logistic regression on valence, energy, danceability, acousticness,"
                " instrumentalness, liveness, loudness, speechiness, tempo and two logarithms;"
                " what is missing is taken as usual with the rest. Popularity, date and length are"
                " not used."
            ),
            "licence": "Apache-2.0",
            "terms": "Weights trained by this project; the table of songs states no licence.",
            "data": ["data_moods.csv: 686 songs with Spotify's audio features and a mood"],
            "file": _file(path),
            "figures": {
                "note": (
                    f"{FOLDS}-fold cross-validation balanced by mood, {REPEATS} times over"
                    f" {len(songs.rows)} songs; nothing was tuned in it. nearest_centre: the mean"
                    " valence and energy that is nearest. five_features: judged with valence,"
                    " energy, danceability, acousticness and instrumentalness alone."
                ),
                "songs_sha256": songs.digest,
                "accuracy": figures.accuracy[0],
                "accuracy_spread": figures.accuracy[1],
                "commonest": figures.commonest,
                "nearest_centre": figures.centre,
                "five_features": figures.missing,
                "ece": figures.calibration.ece,
                "nll": figures.calibration.nll,
                "brier": figures.calibration.brier,
                "moods": [mood.value for mood in MOODS],
                "confusion": figures.confusion.tolist(),
            },
        }
    )


def _file(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {
        "path": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }


def _toml(tree: Mapping[str, Any], prefix: str = "") -> str:
    """Write strings, numbers, lists of them and tables of those; JSON's strings are TOML's."""
    plain = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in tree.items() if isinstance(value, dict)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    text = "\n".join(lines) + ("\n" if lines else "")
    for key, value in tables.items():
        name = f"{prefix}{_key(key)}"
        text += f"\n[{name}]\n{_toml(value, f'{name}.').lstrip()}"
    return text


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() and key.isascii() else json.dumps(key)


def _value(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").removesuffix(".") + ("" if value % 1 else ".0")
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False)
