"""The report's plots as plotly.js figures (data, layout). The campaign's text is escaped: plotly knows tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from loop.export import given_error
from loop.report.profiles import Panel, Profiles
from loop.standing import Standing
from loop.types import Design, Objective, goals
from loop.wording import in_words, label

if TYPE_CHECKING:
    from loop.campaign import Campaign

Figure = dict[str, Any]
BEST, OTHER, GRID, INK = "#d55e00", "#5b7a99", "#e3e8ee", "#1d2733"
LINES = (BEST, "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1d2733")
"""Colours that the colour-blind tell apart: Okabe & Ito, Color Universal Design, 2002."""
PANEL, BETWEEN = 260, 70
"""Heights of a panel and of what is between two, px."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


def figure(data: list[dict[str, Any]], height: int = 440, **layout: Any) -> Figure:
    axes = {key: {**axis(), **value} for key, value in layout.items() if key[1:].startswith("axis")}
    common = {
        "height": height,
        "margin": {"l": 80, "r": 24, "t": 40, "b": 64},
        "font": {"family": FONT, "size": 15, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
    }
    return {"data": data, "layout": common | layout | axes}


def axis() -> dict[str, Any]:
    return {"gridcolor": GRID, "linecolor": "#9aa8b6", "showline": True, "zeroline": False, "automargin": True}


def named(objective: Objective) -> dict[str, Any]:
    return {"title": {"text": escape(label(objective.property, objective.unit))}}


def bars(found: Iterable[Standing], objective: Objective) -> dict[str, Any]:
    """One standard error either way; nothing where none was given."""
    errors = [given_error(standing.estimates[objective.property]) or 0.0 for standing in found]
    return {"type": "data", "array": errors, "visible": True, "thickness": 1.5, "width": 4}


def means(found: Iterable[Standing], objective: Objective) -> list[float]:
    return [standing.estimates[objective.property].mean for standing in found]


def points(campaign: Campaign, found: Sequence[Standing], name: str, color: str) -> dict[str, Any]:
    """What every trace of designs shares."""
    free = campaign.space.free
    texts = [f"{s.design.id}, round {s.round}<br>{escape(in_words(s.design, free))}" for s in found]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "marker": {"color": color, "size": 10},
        "hovertext": texts,
        "hoverlabel": {"align": "left"},
    }


def best_designs(campaign: Campaign, leaders: Sequence[Standing]) -> Figure:
    """One column per objective, one row per design, best on top, with error bars."""
    count = len(campaign.objectives)
    data, axes = [], {}
    for i, objective in enumerate(campaign.objectives):
        suffix = str(i + 1) if i else ""
        trace = points(campaign, leaders, label(objective.property), BEST) | {"showlegend": False}
        data.append(
            trace
            | {"x": means(leaders, objective), "y": [s.design.id for s in leaders], "xaxis": f"x{suffix}"}
            | {"error_x": bars(leaders, objective)}
        )
        axes[f"xaxis{suffix}"] = named(objective) | {"domain": [(i + 0.04 * (i > 0)) / count, (i + 0.96) / count]}
    rows = {"type": "category", "autorange": "reversed"}
    return figure(data, 150 + 34 * len(leaders), yaxis=rows, **axes)


def compromises(
    campaign: Campaign, found: Sequence[Standing], front: Sequence[Standing], pair: tuple[Objective, Objective]
) -> Figure:
    """Every design in the plane of two objectives, the best compromises apart, with error bars both ways."""
    x, y = pair
    rest = [standing for standing in found if standing not in front]
    data = [
        points(campaign, group, name, color)
        | {"x": means(group, x), "y": means(group, y), "error_x": bars(group, x), "error_y": bars(group, y)}
        for group, name, color in ((rest, "other designs", OTHER), (front, "best compromises", BEST))
        if group
    ]
    lines = [*limits(x, "x"), *limits(y, "y")]
    return figure(data, 520, xaxis=named(x), yaxis=named(y), shapes=lines)


def by_evaluation(campaign: Campaign, found: Sequence[Standing], objective: Objective) -> Figure:
    """The single objective in the order of decision, with error bars."""
    trace = points(campaign, found, "designs", OTHER)
    trace |= {"x": list(range(1, len(found) + 1)), "y": means(found, objective), "error_y": bars(found, objective)}
    across = {"title": {"text": "design, in the order of decision"}, "tickformat": "d"}
    return figure([trace], 460, xaxis=across, yaxis=named(objective), shapes=limits(objective, "y"))


def limits(objective: Objective, side: str) -> list[dict[str, Any]]:
    """Dashed lines at the objective's threshold and target."""
    other = "y" if side == "x" else "x"
    return [
        {
            "type": "line",
            f"{side}0": at,
            f"{side}1": at,
            f"{other}0": 0,
            f"{other}1": 1,
            f"{other}ref": "paper",
            "line": {"dash": "dash", "width": 1.5, "color": "#7b8794"},
        }
        for at in (objective.threshold, objective.target)
        if at is not None
    ]


def progress(objectives: Sequence[Objective], steps: Sequence[tuple[int, float]]) -> Figure:
    """Best so far (one goal) or hypervolume so far (several) by round."""
    values = [value for _, value in steps]
    (first, *others) = goals(objectives)
    if others:
        title = "hypervolume so far"
    elif first.goal == "target":
        title, values = f"distance to the target, {label(first.property, first.unit)}", [-v for v in values]
    else:
        title = f"best so far, {label(first.property, first.unit)}"
        values = [-v for v in values] if first.goal == "minimize" else values
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [round for round, _ in steps],
        "y": values,
        "line": {"shape": "hv", "color": BEST, "width": 3},
        "marker": {"size": 9, "color": BEST},
    }
    across = {"title": {"text": "round"}, "tickformat": "d", "dtick": max(1, len(steps) // 12)}
    return figure([trace], 360, xaxis=across, yaxis={"title": {"text": escape(title)}})


def profiles(campaign: Campaign, found: Profiles) -> Figure:
    """The panels of one oracle below each other, a line with error bars per design, the same colour in each."""
    designs = list(dict.fromkeys(design for panel in found.panels for design in panel.lines))[: len(LINES)]
    in_legend: set[Design] = set()
    data: list[dict[str, Any]] = []
    axes: dict[str, dict[str, Any]] = {}
    count = len(found.panels)
    height = count * PANEL + (count - 1) * BETWEEN
    for i, panel in enumerate(found.panels):
        suffix, top = str(i + 1) if i else "", 1 - i * (PANEL + BETWEEN) / height
        axes[f"xaxis{suffix}"] = {
            "title": {"text": escape(label(panel.axis_label, panel.axis_unit))},
            "anchor": f"y{suffix}",
        }
        axes[f"yaxis{suffix}"] = {
            "title": {"text": escape(label(panel.label, panel.unit))},
            "domain": [max(top - PANEL / height, 0.0), top],
        }
        for design, color in zip(designs, LINES, strict=False):
            if design in panel.lines:
                line = profile_line(campaign, design, panel, color) | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"}
                data.append(line | {"showlegend": design not in in_legend})
                in_legend.add(design)
    title = {"text": escape(f"{found.oracle}, {found.fidelity}"), "x": 0, "xref": "paper", "y": 1, "yanchor": "top"}
    legend = {"orientation": "h", "x": 0, "y": 1 + 12 / height, "yanchor": "bottom"}
    margin = {"l": 80, "r": 24, "t": 80, "b": 64}
    outer = height + margin["t"] + margin["b"]
    return figure(data, outer, margin=margin, title=title | {"pad": {"t": 12}}, legend=legend, **axes)


def profile_line(campaign: Campaign, design: Design, panel: Panel, color: str) -> dict[str, Any]:
    points = panel.lines[design]
    errors = [estimate.se for estimate in points.values()]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": design.id,
        "legendgroup": design.id,
        "line": {"color": color, "width": 2},
        "x": list(points),
        "y": [estimate.mean for estimate in points.values()],
        "error_y": {"type": "data", "array": errors, "visible": True, "thickness": 1, "width": 0},
        "hovertext": escape(in_words(design, campaign.space.free)),
        "hoverlabel": {"align": "left"},
    }
