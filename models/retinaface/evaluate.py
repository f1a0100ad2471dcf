"""Judge the detector beside published ones: ``python models/retinaface/evaluate.py``.

All are judged in one run on the held-back fifth (`split`): average precision at an overlap
of 0.5, recall where one picture in ten shows a false face, recall of faces of 40 pixels and
more, the error of landmarks that people set, false faces on pictures without any; on
altered cabin pictures (`degraded`); on films (`clips`); CPU time; and, where a folder with
it is named, on WIDER FACE (`wider`). Who is compared, and by which scores: `peers`.

``--write`` puts the figures into the cards, the others' into `card.toml` beside ours, and
everything into `figures.json`. ``--choose-threshold`` finds the score to use for each card, on
training pictures alone (`threshold`).

Needs ../shared; where there is no cache yet, also PyTorch. About five minutes of two idle cores.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import peers
import tables
from cards import read_card, write_card
from clips import TRACKED, judge_clips
from degraded import WAYS, degrade
from labels import CACHE, HERE, SHARED, Cache, Item, build
from measures import NOTES, Sums, cpu_ms, sampled
from threshold import FRAME, choose_following, choose_threshold

from moodride.errors import MoodrideError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from peers import Detector, Find

__all__ = ["choose_threshold", "following", "judge", "judge_wider", "main", "write"]

_log = logging.getLogger(__name__)

EVERY: Final = 6
"""A fifth of a second of most films, as the service looks."""
MOST_JOBS: Final = 4


def _views(cache: Cache, items: Sequence[Item]) -> Iterator[tuple[str | None, Item, NDArray[Any]]]:
    """Yield every picture, and the altered copies of those from cabins."""
    for item in items:
        image = cache.image(item)
        yield None, item, image
        if item.source == "cabin":
            for way in WAYS:
                yield way, item, degrade(way, image, item)


def _ask(find: Find, image: NDArray[np.uint8]) -> NDArray[Any]:
    return find(image)


def judge(
    detectors: Sequence[Detector],
    cache: Cache,
    *,
    sample: int | None = None,
    every: int = EVERY,
    wider: Path | None = None,
    jobs: int = 1,
) -> dict[str, Any]:
    """Judge detectors side by side.

    Args:
        detectors: each is asked once for every picture.
        cache: pictures and labels.
        sample: pictures of each source to look at, frames of each film; all for None.
        every: take every so-manyth frame of films; 0 for no films.
        wider: folder with WIDER FACE, see `wider`.
        jobs: detectors that look at a picture at the same time.

    Returns:
        What `tables.show` prints and `figures.json` keeps.
    """
    held = sampled([item for item in cache.items if item.held_back], sample)
    finders = [one.find(peers.LOWEST) for one in detectors]
    sums = [Sums() for _ in detectors]
    with ThreadPoolExecutor(jobs) as pool:
        for number, (way, item, image) in enumerate(_views(cache, held), 1):
            seen = pool.map(_ask, finders, [image] * len(finders))
            for rows, of in zip(seen, sums, strict=True):
                of.add(way, item, rows)
            if number % 500 == 0:
                _log.info("%d pictures judged", number)
    cabin = sampled([item for item in held if item.source == "cabin"], min(sample or 60, 60))
    frames = [np.asarray(cv2.resize(cache.image(item), FRAME), np.uint8) for item in cabin]
    took = cpu_ms(detectors, frames)
    result: dict[str, Any] = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "sample": sample,
        "detectors": {
            one.name: {
                "own": one.own,
                "also": list(one.also),
                "bytes": one.size,
                "cpu_ms": took[one.name],
                **of.figures((one.own, *one.also)),
            }
            for one, of in zip(detectors, sums, strict=True)
        },
        "clips": judge_clips(detectors, every, most=sample) if every else {},
        "notes": list(NOTES),
    }
    for name, found in (judge_wider(detectors, wider) if wider else {}).items():
        result["detectors"][name]["wider"] = found
    return result


def judge_wider(detectors: Sequence[Detector], folder: Path) -> dict[str, dict[str, float]]:
    """Return the average precision of each on WIDER FACE, val, by level: see `wider`.

    Raises:
        SourceError: the folder does not hold what it should.
    """
    from wider import average_precision  # noqa: PLC0415 - only who has the set needs it

    return {
        one.name: {
            level: round(value, 4)
            for level, value in average_precision(folder, one.find(peers.LOWEST)).items()
        }
        for one in detectors
    }


def _brief(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one detector that its card holds."""
    own = f"{one['own']:g}"
    large = one["sizes"]["40 px"]
    brief = {f"ap50_{_plain(group)}": v["ap50"] for group, v in one["groups"].items()}
    for group in ("scenes+cabin", "all"):
        recall = one["groups"][group]["recall_at_1_false_in_10"]
        brief[f"recall_at_1_false_in_10_{_plain(group)}"] = recall
    brief |= {
        "recall_40px_at_1_false_in_10": large["recall_at_1_false_in_10"],
        "recall_40px_at_own_score": large["at"][own]["recall"],
        "own_score": one["own"],
        "false_faces_at_own_score": one["no_faces"]["at"][own],
        "pictures_without_faces": one["no_faces"]["pictures"],
        "cpu_ms": one["cpu_ms"],
        "bytes": one["bytes"],
    }
    if one["landmark_error"] is not None:
        brief["landmark_error"] = one["landmark_error"]
    for way, found in one.get("degraded", {}).items():
        brief[f"recall_{_plain(way)}"] = found[own]["recall"]
    return brief | {f"wider_{level}": value for level, value in one.get("wider", {}).items()}


def _plain(name: str) -> str:
    """Make a bare TOML key of a name."""
    return "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in name)


def write(result: Mapping[str, Any], detectors: Sequence[Detector]) -> None:
    """Put the figures into `figures.json` and the cards, the others' into `card.toml`."""
    kept = {key: value for key, value in result.items() if key != "sample"}
    (HERE / "figures.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    found = result["detectors"]
    method = {
        "method": "evaluate.py on the held-back fifth (held-back.txt); all of it in figures.json",
        "date": result["date"],
    }
    for one in detectors:
        if one.card is None:
            continue
        figures: dict[str, Any] = method | _brief(found[one.name])
        if one.card.name == "card.toml":
            others = [other for other in detectors if other.card is None]
            figures["others"] = {_plain(other.name): _brief(found[other.name]) for other in others}
        _put(one.card, figures)
    _put(HERE / "card-track.toml", following(result))


def following(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of the card that follows a face: of films, on which alone it is judged.

    Args:
        result: of `judge`, or what `figures.json` keeps of it.
    """
    return {
        "method": "evaluate.py on frames of films (clips.py), not on the held-back pictures: in "
        "what part of the frames with a face the service finds it, with this card near its last "
        "place and card.toml on whole frames; all of it in figures.json",
        "date": result["date"],
        "frames_in_which_a_face_is_found": {
            _plain(name): one["found"][TRACKED] for name, one in result["clips"].items()
        },
    }


def _put(path: Path, figures: Mapping[str, Any]) -> None:
    """Replace the figures of a card; what stands in it otherwise stays."""
    card = read_card(path)
    training = card.pop("training", {})
    write_card(path, card | {"figures": dict(figures), "training": training})


def _threshold(cards: Sequence[Detector], cache: Cache, options: argparse.Namespace) -> None:
    """Choose for each card; write it there where asked to."""
    for one in cards:
        assert one.card is not None  # noqa: S101 - ours
        chosen = choose_threshold(one, cache, sample=options.sample)
        _chosen(one.card, *chosen, write=options.write)
    for path in peers.following_cards():
        chosen = choose_following(path, cache, sample=options.sample)
        _chosen(path, *chosen, write=options.write, of="views of a last place")


def _chosen(
    path: Path,
    score: float,
    lines: Sequence[Mapping[str, Any]],
    *,
    write: bool,
    of: str = "pictures",
) -> None:
    """Show what was chosen for a card, and perhaps write it there."""
    tables.show_choice(path.name, lines, score, of=of)
    if write:
        card = read_card(path)
        card["faces"]["score_min"] = score
        write_card(path, card)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Judge the face detector beside published ones.")
    parser.add_argument("--every", type=int, help=f"take every so-manyth frame of films; {EVERY}")
    parser.add_argument("--sample", type=int, help="look at so many pictures of each set only")
    parser.add_argument("--jobs", type=int, help="detectors that work side by side")
    parser.add_argument("--ours", action="store_true", help="our detectors only")
    parser.add_argument("--write", action="store_true", help="put the figures into the cards")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep all figures in a file")
    parser.add_argument(
        "--wider",
        type=Path,
        metavar="FOLDER",
        help="judge on WIDER FACE too (alone without ../shared)",
    )
    parser.add_argument(
        "--choose-threshold",
        action="store_true",
        help="find each card's score_min on training pictures instead; --write puts it there",
    )
    return _checked(parser, parser.parse_args())


def _checked(parser: argparse.ArgumentParser, options: argparse.Namespace) -> argparse.Namespace:
    """Refuse what does not make sense, or does not go together."""
    if options.sample is not None and options.sample < 2:
        parser.error("--sample must be at least 2")
    if (options.jobs is not None and options.jobs < 1) or (options.every or 0) < 0:
        parser.error("--jobs must be at least 1, --every at least 0")
    idle = _given(options, "every", "jobs", "json", "wider")
    if options.choose_threshold and idle:
        parser.error(f"--choose-threshold judges nothing: leave out {', '.join(idle)}")
    part = options.sample or (options.ours and not options.choose_threshold)
    if options.write and part:
        parser.error("--write is for figures of all pictures and detectors")
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json: there is no folder {options.json.parent}")
    return options


def _given(options: argparse.Namespace, *names: str) -> list[str]:
    """Return which of some options were given."""
    found = [name for name in names if getattr(options, name) is not None]
    return [f"--{name}" for name in found if getattr(options, name) is not False]


def _run(options: argparse.Namespace) -> None:
    if options.wider and not options.wider.is_dir():
        raise SourceError("no such folder", where=str(options.wider), remedy="see wider.py")
    detectors = [peers.ours(path) for path in peers.our_cards()]
    if not (SHARED / "datasets").is_dir():
        if options.wider:
            _wider_alone(detectors, options)
            return
        raise SourceError("no pictures to judge by", where=str(SHARED / "datasets"))
    if not (CACHE / "items.json").exists():
        build()
    cache = Cache()
    if options.choose_threshold:
        _threshold(detectors, cache, options)
        return
    if not options.ours:
        detectors += [peers.published(320, 240), peers.published(640, 480)]
        detectors += [peers.yunet(320), peers.yunet(640), peers.ultralight()]
    result = judge(
        detectors,
        cache,
        sample=options.sample,
        every=EVERY if options.every is None else options.every,
        wider=options.wider,
        jobs=options.jobs or min(os.cpu_count() or 1, MOST_JOBS),
    )
    tables.show(result)
    _keep(result, options.json)
    if options.write:
        write(result, detectors)


def _wider_alone(detectors: Sequence[Detector], options: argparse.Namespace) -> None:
    """Judge ours on WIDER FACE, where the shared pictures are not there."""
    idle = _given(options, "sample", "every", "jobs", "write")
    if idle:
        what = f"not there, so that only WIDER FACE is judged: leave out {', '.join(idle)}"
        raise SourceError(what, where=str(SHARED / "datasets"))
    found = judge_wider(detectors, options.wider)
    tables.show_wider(found)
    ours = {name: {"wider": levels} for name, levels in found.items()}
    _keep({"date": dt.datetime.now(tz=dt.UTC).date().isoformat(), "detectors": ours}, options.json)


def _keep(result: Mapping[str, Any], path: Path | None) -> None:
    """Keep all figures in a file, if one is named."""
    if path is not None:
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Judge everything, print it, and write it down where asked to."""
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    # YuNet makes OpenCV 5 warn at each start.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        _run(options)
    except MoodrideError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
