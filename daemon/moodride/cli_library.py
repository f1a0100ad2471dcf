"""`moodride library`: the driver's own music. Every command imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moodride.library.records import MoodSource
from moodride.types import Mood

if TYPE_CHECKING:
    from moodride.config import Loaded

__all__ = ["library"]

EXITS = """
\b
Exit status:
   0  good; what could not be read is listed
   2  the command line is wrong
  65  no such track, song or source; a catalogue that cannot be read (EX_DATAERR)
  66  a folder or file is not there (EX_NOINPUT)
  69  a library is missing that this needs (EX_UNAVAILABLE)
  74  the disk refuses, or the index belongs to another user (EX_IOERR)
 130  interrupted; the same command goes on where it was
"""

_FOLDER = click.Path(path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print data instead of tables.")


def _load(ctx: click.Context) -> Loaded:
    from moodride.config import load_config, shipped_file  # noqa: PLC0415

    configs, strict = ctx.obj
    files = [shipped_file(), *configs] if configs else None
    return load_config(files, strict=strict)


@click.group(epilog=EXITS)
def library() -> None:
    """Your own music: scan it, import catalogues, see and correct its moods.

    TRACK is the id that the tables show, or the beginning of it, the path of the file, or words
    that fit one track alone. After `sudo scripts/install` use it with sudo: the index belongs to
    the service.
    """


@library.command(epilog=EXITS)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=_FOLDER)
@click.option("--analyse", is_flag=True, help="Listen to every track as well (the extra analyse).")
@_JSON
@click.pass_context
def scan(ctx: click.Context, paths: tuple[Path, ...], *, analyse: bool, as_json: bool) -> None:
    """Take up all music in folders.

    Again: what is new, changed or gone. It may be interrupted at any time.
    """
    from moodride.commands.library_scan import scan as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), paths, analyse=analyse, as_json=as_json))


@library.command("import", epilog=EXITS)
@click.argument("file", type=_FOLDER)
@_JSON
@click.pass_context
def import_(ctx: click.Context, file: Path, *, as_json: bool) -> None:
    """Take up a catalogue (CSV).

    Songs with moods or audio features, as data_moods.csv or a playlist that Exportify exported;
    they are matched to your files.
    """
    from moodride.commands.library_import import import_catalogue  # noqa: PLC0415

    ctx.exit(import_catalogue(_load(ctx), file, as_json=as_json))


@library.command(epilog=EXITS)
@_JSON
@click.pass_context
def match(ctx: click.Context, *, as_json: bool) -> None:
    """Match imported songs and your files anew."""
    from moodride.commands.library_import import match as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), as_json=as_json))


@library.command(epilog=EXITS)
@click.option("--doubtful", is_flag=True, help="Only pairs that wait for your word.")
@_JSON
@click.pass_context
def links(ctx: click.Context, *, doubtful: bool, as_json: bool) -> None:
    """List which song is which file."""
    from moodride.commands.library_import import list_links  # noqa: PLC0415

    ctx.exit(list_links(_load(ctx), doubtful=doubtful, as_json=as_json))


@library.command(epilog=EXITS)
@click.argument("song")
@click.argument("track")
@click.pass_context
def pin(ctx: click.Context, song: str, track: str) -> None:
    """Say that a file is this song."""
    from moodride.commands.library_import import pin as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), song, track))


@library.command(epilog=EXITS)
@click.argument("song")
@click.argument("track")
@click.pass_context
def refuse(ctx: click.Context, song: str, track: str) -> None:
    """Say that a file is not this song."""
    from moodride.commands.library_import import refuse as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), song, track))


@library.command("list", epilog=EXITS)
@click.argument("text", nargs=-1)
@click.option("--mood", type=click.Choice(list(Mood), case_sensitive=False), help="Only this mood.")
@click.option(
    "--source",
    type=click.Choice(list(MoodSource), case_sensitive=False),
    help="Only tracks whose mood is this one's word.",
)
@click.option("--problems", is_flag=True, help="Only what cannot be played or read, and why.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="At most so many; 0 is all. Without it 100 in a table, all as JSON.",
)
@_JSON
@click.pass_context
def list_(ctx: click.Context, /, text: tuple[str, ...], **given: Any) -> None:  # noqa: ANN401 - click's options
    """List tracks.

    With TEXT those that hold all its words in title, artist, album or path.
    """
    from moodride.commands.library_list import list_tracks  # noqa: PLC0415

    ctx.exit(list_tracks(_load(ctx), text=" ".join(text), **given))


@library.command(epilog=EXITS)
@click.argument("track", nargs=-1, required=True)
@_JSON
@click.pass_context
def show(ctx: click.Context, track: tuple[str, ...], *, as_json: bool) -> None:
    """Show all that is known of a track.

    Also who says what of its mood, and whose word counts.
    """
    from moodride.commands.library_show import show as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), " ".join(track), as_json=as_json))


@library.command(epilog=EXITS)
@_JSON
@click.pass_context
def stats(ctx: click.Context, *, as_json: bool) -> None:
    """Show how much music each mood has.

    Also which mood is too thin for a drive, and the folders and sticks that were scanned.
    """
    from moodride.commands.library_stats import stats as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), as_json=as_json))


@library.command("set-mood", epilog=EXITS)
@click.argument("track")
@click.argument("mood", required=False, type=click.Choice(list(Mood), case_sensitive=False))
@click.option("--undo", is_flag=True, help="Forget what was set by hand.")
@click.pass_context
def set_mood(ctx: click.Context, track: str, mood: Mood | None, *, undo: bool) -> None:
    """Say what mood a track has.

    That counts more than anything else, and stays when the track is scanned again.
    """
    from moodride.commands.library_show import set_mood as start  # noqa: PLC0415

    if undo is (mood is not None):
        raise click.UsageError("give either a mood or --undo")
    ctx.exit(start(_load(ctx), track, mood, undo=undo))


@library.command(epilog=EXITS)
@click.argument("source")
@click.pass_context
def forget(ctx: click.Context, source: str) -> None:
    """Drop a folder or a stick.

    SOURCE is its number, name or folder as `stats` shows it. The files stay, and so does what
    was set by hand, should they be scanned again.
    """
    from moodride.commands.library_show import forget as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), source))


@library.command(epilog=EXITS, hidden=True)
@click.argument("mountpoint", type=_FOLDER)
@click.option("--medium", default="", help="UUID of its file system.")
@click.option("--label", default="", help="What it calls itself.")
@click.pass_context
def stick(ctx: click.Context, mountpoint: Path, *, medium: str, label: str) -> None:
    """Take up a stick that was plugged in; called by moodride.usb@.service."""
    from moodride.commands.library_stick import stick as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), mountpoint, medium=medium, label=label))
