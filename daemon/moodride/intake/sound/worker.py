"""The process that looks into files, ``python -m moodride.intake.sound.worker``.

It reads paths, a JSON string a line, and answers each with a line of JSON
(`moodride.intake.sound.messages`). It is the least urgent of all processes, has one thread, and
the kernel ends it where a file wants more memory or processor time than it may have.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import sys
from typing import BinaryIO, Final

from moodride.errors import ModelError, SourceError
from moodride.intake.sound.decode import decode
from moodride.intake.sound.estimate import Model, card_path, claim_of, load_model
from moodride.intake.sound.loudness import GATE_LUFS
from moodride.intake.sound.measure import measure
from moodride.intake.sound.messages import READY, Answer, Outcome, write_answer

__all__ = ["answer_for", "main"]

log = logging.getLogger(__name__)

_NICE: Final = 19


def answer_for(path: str, model: Model | None) -> Answer:
    """Look into one file.

    Args:
        path: as `os.fsdecode` gives it.
        model: estimates the mood, or None: then no claim is made.
    """
    try:
        decoded = decode(path)
        if decoded.levels.loudness_db <= GATE_LUFS:
            return Answer(outcome=Outcome.FAILED, why="silent, or too short to measure")
        sound, parts = measure(decoded)
    except SourceError as error:
        return Answer(outcome=Outcome.FAILED, why=error.what)
    except MemoryError:
        return Answer(outcome=Outcome.FAILED, why="it wants more memory than a song should need")
    except OSError as error:
        return Answer(outcome=Outcome.AWAY, why=error.strerror or str(error))
    if model is None or not parts:
        return Answer(outcome=Outcome.MEASURED, sound=sound)
    estimate = model.estimate(parts)
    said = {"arousal_like": estimate.arousal, "valence_like": estimate.valence}
    sound.measures.update(said)
    return Answer(outcome=Outcome.MEASURED, sound=sound, claim=claim_of(estimate))


def main(memory_bytes: int, cpu_s: int) -> None:
    """Answer for one path after another until there are no more.

    Args:
        memory_bytes: what the process may have in all.
        cpu_s: processor time for one file.
    """
    answers = _alone()
    os.nice(_NICE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    model = _model()
    answers.write(READY + b"\n")
    answers.flush()
    for line in sys.stdin.buffer:
        _allow(cpu_s)
        answers.write(write_answer(answer_for(str(json.loads(line)), model)))
        answers.flush()


def _alone() -> BinaryIO:
    """Return where answers go, and send what libraries print elsewhere."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _allow(cpu_s: int) -> None:
    """Let the kernel end this process (SIGXCPU) where it uses so much more processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + cpu_s, resource.RLIM_INFINITY))


def _model() -> Model | None:
    """The shipped model; without it the sound is measured all the same."""
    try:
        return load_model(card_path())
    except ModelError as error:
        log.warning("no mood is estimated from the sound: %s", error)
        return None


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
