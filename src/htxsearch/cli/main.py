"""The `htxsearch` command: its sub-commands, and the exit codes of errors.

Nothing heavy is imported here: `htxsearch --help` must answer at once.
"""

import os
import sys

import click

from htxsearch.cli.ask import ask, info, query, related, show
from htxsearch.cli.benchmark import benchmark
from htxsearch.cli.completion import completion
from htxsearch.cli.corpus import add, feeds, reindex
from htxsearch.cli.evaluation import evaluation
from htxsearch.cli.serve import serve
from htxsearch.cli.shared import OWN_PROCESS, show_error
from htxsearch.cli.translation import TranslatedGroup, environment_language, say, text, use_language
from htxsearch.errors import HtxError

__all__ = ["INTERRUPTED", "cli", "main"]

INTERRUPTED = 130


@click.group(cls=TranslatedGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="htxsearch", prog_name="htxsearch")
@click.pass_context
def cli(context: click.Context) -> None:
    """Search a folder of Vietnamese articles."""
    if os.environ.get("NO_COLOR"):
        context.color = False


for _command in (query, ask, related, show, reindex, add, feeds, info, serve, evaluation, benchmark, completion):
    cli.add_command(_command)


def main() -> None:
    """Run the command line.

    An error of htxsearch becomes a message and its exit code, Ctrl-C becomes 130.
    """
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
        say("cli.cannot-write", reason=error.strerror or str(error))
        sys.exit(HtxError.exit_code)
    sys.exit(code if isinstance(code, int) else 0)


def _is_pipe_closed() -> bool:
    """Return True if the reader of the output is gone (| head).

    click then ends the program; that is no failure.
    """
    return type(sys.stdout).__name__ == "PacifyFlushWrapper"
