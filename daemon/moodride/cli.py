"""The command line: the one place that picks real parts.

Every command imports what it needs when it runs, so that the music process never
loads OpenCV and the vision process never loads libmpv, and both start fast.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from moodride import __version__
from moodride.cli_control import COMMANDS
from moodride.cli_library import library
from moodride.errors import MoodrideError, StorageError

if TYPE_CHECKING:
    from moodride.config import Loaded

__all__ = ["main"]

EXITS = """
\b
Exit status:
   0  good
   1  check found something wrong
   2  the command line is wrong
  65  a catalogue, a model or a JSON line is damaged (EX_DATAERR)
  66  a camera, file or folder gives no pictures or readings (EX_NOINPUT)
  69  libmpv, sound, a server or the running service cannot be reached (EX_UNAVAILABLE)
  70  an unforeseen error, with a traceback (EX_SOFTWARE)
  74  the disk refuses (EX_IOERR)
  78  the configuration is wrong: --strict was given, or it was to be reloaded (EX_CONFIG)
 130  interrupted
"""

log = logging.getLogger("moodride")


class _Group(click.Group):
    """Turns our errors into one line and their exit status."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click declares it
        """Run the command; no traceback for what Moodride raises on purpose."""
        try:
            return super().invoke(ctx)
        except MoodrideError as error:
            click.echo(f"moodride: {error}", err=True)
            ctx.exit(error.exit_status)
        except KeyboardInterrupt:
            ctx.exit(130)
        except BrokenPipeError:
            _write_to_nothing()  # nobody reads any more; Python would complain on the way out
            ctx.exit(0)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                _write_to_nothing()  # what we keep has errors of its own: this is our output
                click.echo("moodride: standard output: no room; make some", err=True)
                ctx.exit(StorageError.exit_status)
            log.exception("unforeseen error; please report it with the lines above")
            ctx.exit(MoodrideError.exit_status)


def _write_to_nothing() -> None:
    """Have what standard output still holds go nowhere."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


@click.group(cls=_Group, epilog=EXITS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="moodride")
@click.option(
    "--config",
    "configs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A file over the shipped configuration; may be given more than once. "
    "Without it /etc/moodride/moodride.toml is read, if there is one.",
)
@click.option("--strict", is_flag=True, help="Refuse a wrong configuration instead of defaults.")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.pass_context
def main(ctx: click.Context, configs: tuple[Path, ...], *, strict: bool, verbose: bool) -> None:
    """Music for the car that follows the driver's mood, without a screen."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    ctx.obj = (configs, strict)


def _load(ctx: click.Context) -> Loaded:
    from moodride.config import load_config, shipped_file  # noqa: PLC0415

    configs, strict = ctx.obj
    files = [shipped_file(), *configs] if configs else None
    return load_config(files, strict=strict)


def _drawable(_: click.Context, __: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in {".png", ".svg"}:
        raise click.BadParameter("must end in .png or .svg")
    return path


@main.command(epilog=EXITS)
@click.pass_context
def run(ctx: click.Context) -> None:
    """Play: the music daemon."""
    from moodride.commands.run import run as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx)))


@main.command(epilog=EXITS)
@click.option("--source", help="Camera index, /dev/v4l/by-id path, video file, folder of images.")
@click.option("--rate", "rate_hz", type=click.FloatRange(0.2, 30.0), help="Analyses a second.")
@click.option("--jsonl", is_flag=True, help="Print one JSON object a line for every frame.")
@click.option("--fast", is_flag=True, help="A file as fast as it goes, not in real time.")
@click.option("--loop/--no-loop", default=None, help="Start a file again at its end.")
@click.pass_context
def watch(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Watch: the vision process. Frames become readings; pictures never leave it."""
    from moodride.commands.watch import watch as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), **given))


@main.command(epilog=EXITS)
@click.option("--source", help="Check this camera or file instead of the configured one.")
@click.pass_context
def check(ctx: click.Context, source: str | None) -> None:
    """Check configuration, models, camera, sound and library, one line each."""
    from moodride.commands.check import check as start  # noqa: PLC0415

    configs, _ = ctx.obj
    ctx.obj = (configs, False)
    ctx.exit(start(_load(ctx), source=source))


@main.command(epilog=EXITS)
@click.option("--forget", is_flag=True, help="Remove it; the service must be stopped for that.")
@click.pass_context
def usual(ctx: click.Context, *, forget: bool) -> None:
    """Show what was learnt of how the driver's face usually looks, or forget it."""
    from moodride.commands.usual import usual as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), forget=forget))


@main.group(epilog=EXITS, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def taste(ctx: click.Context, *, as_json: bool) -> None:
    """Show what was learnt of what the drivers like, or forget it."""
    if ctx.invoked_subcommand is None:
        from moodride.commands.taste import taste as start  # noqa: PLC0415

        ctx.exit(start(_load(ctx), forget=False, as_json=as_json))


@taste.command("forget", epilog=EXITS)
@click.pass_context
def taste_forget(ctx: click.Context) -> None:
    """Remove it; the service must be stopped for that."""
    from moodride.commands.taste import taste as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), forget=True, as_json=False))


@main.command(epilog=EXITS)
@click.option("--camera", help="A real camera: its index or /dev/v4l/by-id path.")
@click.option("--source", help="A video file or a folder of images.")
@click.option("--seconds", type=click.FloatRange(1.0), help="Stop after this long.")
@click.option("--record", type=click.Path(path_type=Path), help="Write the sound to a WAV file.")
@click.option("--quick/--real-times", default=True, help="Times divided by eight (default).")
@click.pass_context
def demo(ctx: click.Context, /, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Run the main job on the demo drive, or on a camera, and show what happens."""
    from moodride.commands.demo import demo as start  # noqa: PLC0415

    configs, _ = ctx.obj
    ctx.exit(start(configs, **given))


@main.command(epilog=EXITS)
@click.argument("file", metavar="FILE")
@click.option("--policy", metavar="NAME", help="Try this policy instead of the configured one.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    callback=_drawable,
    help="Draw the time line into this file, .png or .svg (needs matplotlib).",
)
@click.option(
    "--no-learn", is_flag=True, help="Judge from the start, as a car does that knows a face."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def replay(ctx: click.Context, /, file: str, **given: Any) -> None:  # noqa: ANN401 - click's options
    """Run recorded readings through the mood again, and print what would have changed.

    FILE holds what `moodride watch --jsonl` wrote, one reading a line; - is standard input. It
    is told as of a fresh car, which learns the usual face (learn_s) before anything changes.
    """
    from moodride.commands.replay import replay as start  # noqa: PLC0415

    ctx.exit(start(_load(ctx), file, **given))


@main.group(epilog=EXITS)
def models() -> None:
    """The networks: list them, fetch one that others publish, check them."""


@models.command("list", epilog=EXITS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.pass_context
def models_list(ctx: click.Context, *, as_json: bool) -> None:
    """Show every model: name, task, size, classes, input, state, licence."""
    from moodride.commands.models import list_models  # noqa: PLC0415

    ctx.exit(list_models(as_json=as_json))


@models.command("fetch", epilog=EXITS)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--mirror",
    envvar="MOODRIDE_MODELS_MIRROR",
    show_envvar=True,
    help="Folder to fetch from instead, https://HOST/FOLDER; what comes is checked all the same.",
)
@click.pass_context
def models_fetch(ctx: click.Context, names: tuple[str, ...], mirror: str | None) -> None:
    """Fetch models that others publish, by name or by folder; goes on where it was cut off."""
    from moodride.commands.models import fetch_models  # noqa: PLC0415

    ctx.exit(fetch_models(names, mirror=mirror))


@models.command("verify", epilog=EXITS)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@click.pass_context
def models_verify(ctx: click.Context, names: tuple[str, ...], *, as_json: bool) -> None:
    """Check every card and model that is here; exit status 65 if one is damaged."""
    from moodride.commands.models import verify_models  # noqa: PLC0415

    ctx.exit(verify_models(names, as_json=as_json))


main.add_command(library)
for command in COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    main()
