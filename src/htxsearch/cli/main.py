"""The `htxsearch` command: its sub-commands, and the exit codes of errors.

Nothing heavy is imported here: `htxsearch --help` must answer at once.
"""

import atexit
import gc
import os
import sys

import click

from htxsearch.cli.shared import OWN_PROCESS, engine_option, show_error, worded
from htxsearch.cli.translation import TranslatedGroup, environment_language, say, text, use_language
from htxsearch.errors import HtxError

__all__ = ["INTERRUPTED", "cli", "main"]

INTERRUPTED = 130
_ALLOCATED_BETWEEN = 10_000
"""New objects after which Python looks for cycles among them; by its usual 700 that is a twentieth of a query, for nothing."""


_COMMANDS = {
    "query": "ask:query",
    "ask": "ask:ask",
    "facts": "facts:facts",
    "related": "ask:related",
    "show": "ask:show",
    "reindex": "corpus:reindex",
    "analyse": "corpus:analyse",
    "add": "corpus:add",
    "edit": "edit:edit",
    "remove": "trash:remove",
    "put-back": "trash:put_back",
    "changes": "trash:changes",
    "feeds": "corpus:feeds",
    "info": "ask:info",
    "serve": "serve:serve",
    "token": "serve:token",
    "doctor": "upkeep:doctor",
    "snapshot": "upkeep:snapshot",
    "restore": "upkeep:restore",
    "move": "upkeep:move",
    "eval": "evaluation:evaluation",
    "bench": "benchmark:benchmark",
    "completion": "completion:completion",
}


@click.group(
    cls=TranslatedGroup,
    places=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@engine_option
@click.version_option(package_name="htxsearch", prog_name="htxsearch")
@click.pass_context
def cli(context: click.Context) -> None:
    """Search a folder of Vietnamese articles."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def main() -> None:
    """Run the command line.

    An error of htxsearch becomes a message and its exit code, Ctrl-C becomes 130.
    """
    gc.set_threshold(_ALLOCATED_BETWEEN)
    atexit.register(gc.freeze)  # else Python looks for cycles among all objects before it ends: a tenth of a query
    _open_streams()
    _speak_utf_8()
    use_language(environment_language())
    try:
        code = cli.main(prog_name="htxsearch", standalone_mode=False, obj=OWN_PROCESS)
    except HtxError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"\n{text('cli.interrupted')}", err=True)
        sys.exit(INTERRUPTED)
    except SystemExit as stop:
        sys.exit(0 if _is_pipe_closed() else stop.code)
    except OSError as error:
        _show_system_error(error)
        sys.exit(HtxError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _open_streams() -> None:
    """Give the program the streams that the shell has closed (<&-, 2>&-).

    They have nothing to read and show nothing. Else the next files that are opened would take their place.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if mode == "r" else os.O_WRONLY)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            stream = os.fdopen(descriptor, mode, encoding="utf-8", errors="replace", closefd=False)
            setattr(sys, name, stream)


def _speak_utf_8() -> None:
    """Begin again in UTF-8 if the locale is of another encoding.

    A terminal of today speaks UTF-8 whatever the locale says, and file names are in UTF-8; in another encoding Python would
    take the letters of Vietnamese apart without a word.
    """
    if os.name == "posix" and sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _show_system_error(error: OSError) -> None:
    """Print an error of the system that no command has turned into one of htxsearch."""
    reason = error.strerror or str(error)
    if _is_of_output(error):
        say("cli.cannot-write", reason=reason)
    elif error.filename is not None:
        say("cli.cannot-use", file=worded(str(error.filename)), reason=reason)
    else:
        say("cli.system-failed", reason=reason)


def _is_of_output(error: OSError) -> bool:
    """Return True if writing standard output failed.

    Only `click.echo` writes it. The error itself names no file, as is so with any file that is written.
    """
    import traceback

    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_code is click.echo.__code__ and not frame.f_locals["err"] for frame in frames)


def _is_pipe_closed() -> bool:
    """Return True if the reader of the output is gone (| head).

    click then ends the program; that is no failure.
    """
    return type(sys.stdout).__name__ == "PacifyFlushWrapper"
