"""The evaluation's figures as tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

__all__ = ["show", "show_choice", "show_wider"]

WIDTH: Final = 150
GROUPS: Final = ("scenes+cabin", "apart", "scenes", "cabin", "lfw", "small", "all")


def show(result: Mapping[str, Any], console: Console | None = None) -> None:
    """Print every table of a result of `evaluate.judge`."""
    console = console or _console()
    every = result["detectors"]
    console.print(_main(every), _groups(every), _points(every), _no_faces(every))
    if any("degraded" in one for one in every.values()):
        console.print(_degraded(every))
    if result.get("clips"):
        console.print(_clips(result["clips"]))
    wider = {name: one["wider"] for name, one in every.items() if "wider" in one}
    if wider:
        show_wider(wider, console)
    for note in result["notes"]:
        console.print(f"* {note}", highlight=False)


def show_wider(found: Mapping[str, Mapping[str, float]], console: Console | None = None) -> None:
    """Print what `evaluate.judge_wider` found."""
    table = _table("WIDER FACE, val: average precision, %", ["", "easy", "medium", "hard"])
    for name, levels in found.items():
        table.add_row(name, *(_part(value) for value in levels.values()))
    (console or _console()).print(table)


def show_choice(
    name: str, lines: Iterable[Mapping[str, Any]], chosen: float, *, of: str = "pictures"
) -> None:
    """Print what thresholds cost on pictures of the training, and which one was chosen.

    Args:
        name: of the card.
        lines: as `threshold` returns them.
        chosen: the score to use.
        of: what false faces are counted in.
    """
    head = ("at most one false face in", "score", "false faces", "recall", "recall from 40 px")
    table = _table(f"{name}: thresholds, on training pictures alone", head)
    for line in lines:
        table.add_row(
            f"{line['one_in']} {of}",
            f"{line['score']:.2f}",
            str(line["false"]),
            _part(line["recall"]),
            _part(line["recall_40"]),
        )
    _console().print(table)
    _console().print(f"{name}: score_min = {chosen:.2f}", highlight=False)


def _console() -> Console:
    """Return a console; a file or a pipe has room for whole tables."""
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=not number)
    return table


def _part(value: float | None) -> str:
    """Write a part of 1 in per cent."""
    return "-" if value is None else f"{100 * value:.1f}"


def _main(every: Mapping[str, Any]) -> Table:
    group = next(iter(every.values()))["groups"].get("scenes+cabin", {})
    pictures = next(iter(every.values()))["no_faces"]["pictures"]
    title = (
        f"Held-back scenes and cabins: {group.get('pictures', 0)} pictures, "
        f"{group.get('faces', 0)} faces; % unless said otherwise"
    )
    recalls = ("recall at 1 false in 10", "40 px: at 1 in 10", "40 px: at own score")
    rest = (f"false faces in {pictures} empty", "landmarks off", "CPU ms", "kB")
    table = _table(title, ("", "AP50", *recalls, "own score", *rest))
    for name, one in every.items():
        large, own = one["sizes"]["40 px"], f"{one['own']:g}"
        error = one["landmark_error"]
        table.add_row(
            name,
            _part(one["groups"].get("scenes+cabin", {}).get("ap50")),
            _part(one["groups"].get("scenes+cabin", {}).get("recall_at_1_false_in_10")),
            _part(large["recall_at_1_false_in_10"]),
            _part(large["at"][own]["recall"]),
            own,
            str(one["no_faces"]["at"][own]),
            "-" if error is None else _part(error),
            f"{one['cpu_ms']:.1f}",
            f"{one['bytes'] / 1000:.0f}",
        )
    return table


def _groups(every: Mapping[str, Any]) -> Table:
    first = next(iter(every.values()))["groups"]
    groups = [group for group in GROUPS if group in first]
    heads = [f"{g} ({first[g]['pictures']}, {first[g]['faces']})" for g in groups]
    title = "AP50 / recall at one false face in ten pictures, % (pictures, faces)"
    table = _table(title, ["", *heads])
    for name, one in every.items():
        cells = [
            f"{_part(one['groups'][g]['ap50'])} / "
            f"{_part(one['groups'][g]['recall_at_1_false_in_10'])}"
            for g in groups
        ]
        table.add_row(name, *cells)
    return table


def _points(every: Mapping[str, Any]) -> Table:
    sizes = next(iter(every.values()))["sizes"]
    heads = [f"{size} ({one['faces']} faces)" for size, one in sizes.items()]
    title = "Scenes and cabins at the scores in use: recall, % (false faces in all pictures)"
    table = _table(title, ["", "score", *heads])
    for name, one in every.items():
        _add_points(table, name, one, [size["at"] for size in one["sizes"].values()])
    return table


def _no_faces(every: Mapping[str, Any]) -> Table:
    scores = list(next(iter(every.values()))["no_faces"]["ladder"])
    pictures = next(iter(every.values()))["no_faces"]["pictures"]
    title = f"False faces in {pictures} held-back pictures without a face, from a score on"
    table = _table(title, ["", "own score", "at own", *(f"at {score}" for score in scores)])
    for name, one in every.items():
        found, own = one["no_faces"], f"{one['own']:g}"
        table.add_row(name, own, str(found["at"][own]), *(str(v) for v in found["ladder"].values()))
    return table


def _degraded(every: Mapping[str, Any]) -> Table:
    ways = list(next(iter(every.values()))["degraded"])
    title = "Held-back cabins, altered, at the scores in use: recall, % (false faces)"
    table = _table(title, ["", "score", *ways])
    for name, one in every.items():
        _add_points(table, name, one, one["degraded"].values())
    return table


def _add_points(
    table: Table, name: str, one: Mapping[str, Any], columns: Collection[Mapping[str, Any]]
) -> None:
    """Add a row for each score that a detector is used with."""
    for score in (f"{value:g}" for value in (one["own"], *one["also"])):
        points = [column[score] for column in columns]
        cells = [f"{_part(point['recall'])} ({point['false']})" for point in points]
        table.add_row(name, score, *cells)


def _clips(clips: Mapping[str, Any]) -> Table:
    names = list(next(iter(clips.values()))["found"])
    heads = [f"{clip} ({one['with_face']})" for clip, one in clips.items()]
    table = _table("Films: frames in which the face is found, % (frames with one)", ["", *heads])
    for name in names:
        table.add_row(name, *(_part(one["found"][name]) for one in clips.values()))
    return table
