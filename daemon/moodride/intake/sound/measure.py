"""From samples to what is kept of a track's sound, and to what its mood is estimated from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from moodride.intake.sound.decode import RATE_HZ, Decoded
from moodride.intake.sound.harmony import Key, harmony
from moodride.intake.sound.loudness import GATE_LUFS
from moodride.intake.sound.peaks import peaks_of
from moodride.intake.sound.rhythm import Rhythm, modulation, rhythm_of
from moodride.intake.sound.spectra import Floats, Spectra, spectra_of
from moodride.intake.sound.timbre import motion, timbre
from moodride.library.records import Sound

__all__ = ["FAMILIES", "PIECE_S", "Features", "features_of", "measure", "pieces"]

PIECE_S: Final = 40.0
"""Length of what the estimate was learnt from; a longer stretch is cut into such pieces."""

FAMILIES: Final = ("harmony", "timbre", "motion")

Features = Mapping[str, Mapping[str, Floats]]
"""Family -> group -> numbers, always as many."""

_PIECE_MIN: Final = 0.25
_KEY_MIN: Final = 0.3
_DYNAMICS: Final = (10.0, 95.0)
_SHORT_TERM: Final = 129
_SILENT: Final = 1e-6
_LOUDNESS_DB: Final = (-40.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """One piece, looked into."""

    features: Features
    rhythm: Rhythm
    key: Key
    brightness_hz: float
    dynamics_db: float


def pieces(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cut a stretch into pieces of about `PIECE_S`, all as long; never none."""
    count = max(math.ceil(len(samples) / (PIECE_S * RATE_HZ) - _PIECE_MIN), 1)
    return np.array_split(samples, count)


def features_of(samples: NDArray[np.float32], *, loudness_db: float) -> Features:
    """Return the features of one piece: finite, and but for one alike whatever its level is.

    Args:
        samples: one channel at `RATE_HZ`, at least one.
        loudness_db: of the whole recording, LUFS: the one that is not.
    """
    return _look(samples, loudness_db).features


def measure(decoded: Decoded) -> tuple[Sound, tuple[Features, ...]]:
    """Return what is kept of a track, and the features of its pieces; none of silence.

    `Sound.measures` has ``energy_db`` (mean power of the middle, dB full scale),
    ``brightness_hz`` (spectral centroid), ``dynamics_db`` (from quiet to loud passages: 10th to
    95th percentile of the level over 3 s), ``percussiveness`` (0 glides to 1 strokes),
    ``onsets_per_s``, ``pulse`` (how clear the beat is, 0..1), ``key_strength`` (-1..1),
    ``length_s`` and, if any, ``broken_packets``.
    """
    levels = decoded.levels
    measures = {"length_s": decoded.length_s}
    if decoded.broken:
        measures["broken_packets"] = float(decoded.broken)
    looked: list[_Piece] = []
    if levels.loudness_db > GATE_LUFS and np.abs(decoded.samples).max() > _SILENT:
        looked = [_look(part, levels.loudness_db) for part in pieces(decoded.samples)]
        measures |= _measures(looked)
        power = float(np.mean(decoded.samples.astype(float) ** 2))
        measures["energy_db"] = 10.0 * math.log10(power)
    key = _agreed_key(looked)
    sound = Sound(
        loudness_db=levels.loudness_db,
        range_lu=levels.range_lu,
        peak_db=levels.peak_db,
        tempo_bpm=_clearest(looked).tempo_bpm if looked else 0.0,
        key=key.tonic if key else None,
        minor=key.minor if key else None,
        measures=measures,
    )
    return sound, tuple(piece.features for piece in looked)


def _look(samples: NDArray[np.float32], loudness_db: float) -> _Piece:
    """Look into one piece."""
    loudest = float(np.sqrt(np.mean(samples.astype(float) ** 2))) if len(samples) else 0.0
    # One level for all: floors and compressions then bite at the same place.
    samples = (samples * np.float32(0.1 / max(loudest, _SILENT))).astype(np.float32)
    spectra, rhythm = spectra_of(samples), rhythm_of(samples)
    key, harmonic = harmony(peaks_of(samples))
    families = {
        "harmony": harmonic,
        "timbre": {**timbre(spectra), "loudness": np.clip([loudness_db], *_LOUDNESS_DB)},
        "motion": motion(spectra, modulation(rhythm)),
    }
    return _Piece(
        features={
            family: {name: np.nan_to_num(values) for name, values in groups.items()}
            for family, groups in families.items()
        },
        rhythm=rhythm,
        key=key,
        brightness_hz=_brightness(spectra),
        dynamics_db=_dynamics(spectra),
    )


def _brightness(spectra: Spectra) -> float:
    """The centroid of the amplitudes, Hz."""
    amplitude = np.sqrt(spectra.power[spectra.active]).sum(axis=0)
    return float(amplitude @ spectra.frequencies_hz / max(float(amplitude.sum()), _SILENT))


def _dynamics(spectra: Spectra) -> float:
    """From quiet to loud passages, dB."""
    power = spectra.power.sum(axis=1)
    width = min(_SHORT_TERM, len(power))
    smooth = np.convolve(power, np.full(width, 1.0 / width), mode="valid")
    quiet, loud = np.percentile(10.0 * np.log10(smooth + 1e-12), _DYNAMICS)
    return float(loud - quiet)


def _measures(looked: list[_Piece]) -> dict[str, float]:
    """What a person may want to know, the mean of the pieces."""

    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    return {
        "brightness_hz": mean([piece.brightness_hz for piece in looked]),
        "dynamics_db": mean([piece.dynamics_db for piece in looked]),
        "percussiveness": mean([piece.rhythm.percussiveness for piece in looked]),
        "onsets_per_s": mean([piece.rhythm.onsets_per_s for piece in looked]),
        "pulse": mean([piece.rhythm.pulse for piece in looked]),
        "key_strength": mean([piece.key.strength for piece in looked]),
    }


def _clearest(looked: list[_Piece]) -> Rhythm:
    """The rhythm of the piece that has the clearest one."""
    return max((piece.rhythm for piece in looked), key=lambda rhythm: rhythm.pulse)


def _agreed_key(looked: list[_Piece]) -> Key | None:
    """The key that fits all pieces best, or None where none fits."""
    if not looked:
        return None
    fits = np.mean([piece.key.fits for piece in looked], axis=0)
    best = int(np.argmax(fits))
    return Key(tonic=best % 12, minor=best >= 12, fits=fits) if fits[best] >= _KEY_MIN else None  # noqa: PLR2004
