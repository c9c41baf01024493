"""The command line. Each command is a thin function in its own module; what it does is elsewhere."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import typer

from loop.cli.amend import amend
from loop.cli.ask import ask
from loop.cli.audit import audit
from loop.cli.check import check
from loop.cli.export import export
from loop.cli.init import init
from loop.cli.materials import materials
from loop.cli.replay import replay
from loop.cli.report import report
from loop.cli.run import run
from loop.cli.schema import schema
from loop.cli.status import status
from loop.cli.tell import tell

ROOMS = ("acquisition", "generators", "oracles")


def make_app() -> typer.Typer:
    app = typer.Typer(
        help="Closed-loop discovery of nanoparticle surface chemistries for reinforced polymers.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (init, check, run, status, ask, tell, report, audit, export, replay, amend, materials, schema):
        app.command()(command)
    return app


def main() -> None:
    """The console script `loop`."""
    for name in ROOMS:
        if fault := shadowed(name):
            typer.echo(fault, err=True)
            sys.exit(2)
    make_app()()


def shadowed(name: str) -> str | None:
    """What is wrong where `import name` would find somebody else's package of that name."""
    house = Path(__file__).resolve().parents[2]
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return f"the package {name!r} is missing beside {house / 'loop'}: install nanocomposite-loop again"
    found = Path(spec.origin).resolve().parent
    if found == house / name:
        return None
    return (
        f"{found} hides the package {name!r} of nanocomposite-loop in {house}: run `loop` from another folder, "
        "or `python -P -m loop`, or rename that package"
    )
