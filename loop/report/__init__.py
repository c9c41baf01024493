"""The report: one HTML file that opens anywhere, without a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from loop.durable import write_text

if TYPE_CHECKING:
    from loop.campaign import Campaign


def write(campaign: Campaign, path: Path | None = None) -> Path:
    """Write the report (default: `report.html` in the run folder) and return its path.

    Raises BadInput for a campaign that was never run or a path that cannot be a file, StorageError where the disk
    refuses.
    """
    from loop.export import open_run, writing
    from loop.report.content import gather

    out = path or campaign.run_folder / "report.html"
    with open_run(campaign) as reader:
        html = render(gather(campaign, reader))
    with writing(out):
        write_text(out, html)
    return out


def render(content: dict[str, object]) -> str:
    """The page; everything from the campaign is escaped, plotly.js stands in it once."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=PackageLoader("loop.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "allow_nan": False}
    return environment.get_template("report.html").render(content, plotly_js=get_plotlyjs())
