"""What the commands have in common: their arguments, and how an error becomes one line and an exit code."""

from __future__ import annotations

import errno
import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from loop.errors import BadInput, LoopError

if TYPE_CHECKING:
    from loop.campaign import Campaign

ABORTED = 130
File = Annotated[Path, typer.Argument(metavar="FILE", help="campaign file, or its run folder")]
Json = Annotated[bool, typer.Option("--json", help="print JSON instead of text")]


def command(function: Callable[..., int | None]) -> Callable[..., None]:
    """A command whose result is its exit code; errors a person can cure are one line each on stderr."""

    @functools.wraps(function)
    def run(*args: Any, **options: Any) -> None:
        try:
            code = function(*args, **options) or 0
            sys.stdout.flush()
        except LoopError as error:
            code = complain(error)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader, such as `head`, has enough
            code = 0
        except OSError as error:
            code = complain(disk_error(error))
        except KeyboardInterrupt:
            code = ABORTED
        leave(code)

    return run


def leave(code: int) -> None:
    """End the command. After an abort or a full disk, threads may still wait for simulations: these end with this
    process, without a result, and the next run takes them up from their checkpoints."""
    from loop.execution.slots import slots_in_use

    if slots_in_use():
        sys.stderr.flush()
        os._exit(code)
    raise typer.Exit(code)


def complain(error: LoopError) -> int:
    """Print the error and return its exit code."""
    lines = error.problems if isinstance(error, BadInput) else str(error).splitlines()
    for line in lines:
        typer.echo(line, err=True)
    return error.exit_code


def disk_error(error: OSError) -> LoopError:
    """What the disk says, with its cure. Raises the error itself where it is none of the disk's."""
    from loop.durable import CURES
    from loop.errors import StorageError

    cures = {**CURES, errno.ENOENT: "no such file or folder", errno.EISDIR: "is a folder"}
    if error.errno not in cures:
        raise error
    return StorageError(f"{error.filename or 'disk'}: {cures[error.errno]}")


def open_campaign(file: Path, *, thorough: bool = False) -> Campaign:
    """The campaign; commands that only look at results need no thorough judgement of the file."""
    from loop.campaign import load

    return load(file, thorough=thorough)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))
