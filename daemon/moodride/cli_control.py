"""`moodride status`, `press`, `mood`, `volume`, `reload`, `quit`: a word with the running service.

Every command imports what it needs when it runs.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

import click

from moodride.types import MOODS, PressKind

if TYPE_CHECKING:
    from moodride.config import Loaded

__all__ = ["COMMANDS"]

EXITS = """
\b
Exit status:
   0  good
   2  the command line is wrong
  69  no moodride is running, it does not answer, or it refused (EX_UNAVAILABLE)
  78  the configuration is wrong (EX_CONFIG)
 130  interrupted
"""

PRESS = """Press the button from a shell.

\b
KIND is a gesture, which means what the configuration says of it:
  short, double, long, very-long
or what a gesture or a key can mean:
  next, previous, next-mood, wrong-mood, automatic,
  play-pause, volume-up, volume-down, camera
"""

# The service itself is not loaded to tell them.
_GESTURES: Final = ("short", "double", "long", "very-long")
_KINDS: Final = tuple(kind.value for kind in PressKind)
_MOODS: Final = (*(mood.value.lower() for mood in MOODS), "automatic")

_STEP: Final = re.compile(r"[+-][0-9]{1,3}(\.[0-9]{1,3})?")


def _load(ctx: click.Context) -> Loaded:
    from moodride.config import load_config, shipped_file  # noqa: PLC0415

    configs, strict = ctx.obj
    files = [shipped_file(), *configs] if configs else None
    return load_config(files, strict=strict)


def _amount(_: click.Context, __: click.Parameter, text: str) -> float | str:
    """A volume is a number, or a step with its sign."""
    if _STEP.fullmatch(text) and abs(float(text)) <= 100.0:  # noqa: PLR2004 - per cent
        return text
    try:
        pct = math.nan if text[:1] in {"+", "-"} else float(text)
    except ValueError:
        pct = math.nan
    if not 0.0 <= pct <= 100.0:  # noqa: PLR2004 - per cent
        raise click.BadParameter("must be a number from 0 to 100, or a step such as +5 or -5")
    return pct


@click.command(epilog=EXITS)
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON.")
@click.option(
    "--follow",
    "-f",
    is_flag=True,
    help="Go on until interrupted: in place on a terminal, else a line for each change. "
    "With --json one document a line, whenever it changed.",
)
@click.pass_context
def status(ctx: click.Context, *, as_json: bool, follow: bool) -> None:
    """Ask the running service what it plays, and why."""
    from moodride.commands.status import status as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), as_json=as_json, follow=follow))


@click.command(epilog=EXITS, help=PRESS)
@click.argument("kind", metavar="KIND", type=click.Choice(_GESTURES + _KINDS))
@click.pass_context
def press(ctx: click.Context, kind: str) -> None:
    """Press the button from a shell."""
    from moodride.commands.tell import press as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), kind))


@click.command(epilog=EXITS)
@click.argument("name", metavar="MOOD", type=click.Choice(_MOODS, case_sensitive=False))
@click.pass_context
def mood(ctx: click.Context, name: str) -> None:
    """Choose a mood by hand: happy, sad, calm, energetic; or automatic."""
    from moodride.commands.tell import mood as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), name))


# Without this -5 would be taken for an option.
@click.command(epilog=EXITS, context_settings={"ignore_unknown_options": True})
@click.argument("amount", metavar="PERCENT", callback=_amount)
@click.pass_context
def volume(ctx: click.Context, amount: float | str) -> None:
    """Set the volume: 0 to 100, or a step such as +5 or -5."""
    from moodride.commands.tell import volume as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), amount))


@click.command(epilog=EXITS)
@click.pass_context
def reload(ctx: click.Context) -> None:
    """Have the service read its configuration again; the music plays on.

    Prints what changed, what needs a restart to change, and what is wrong.
    """
    from moodride.commands.tell import reload as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx)))


@click.command("quit", epilog=EXITS)
@click.pass_context
def quit_service(ctx: click.Context) -> None:
    """Have the service save, fade out and end.

    systemd starts it again: there, `systemctl stop moodride` ends it.
    """
    from moodride.commands.tell import quit_service as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx)))


COMMANDS: Final = (status, press, mood, volume, reload, quit_service)
"""All of them, for the command line."""
