"""The ledger's plots: the generator's draws, what cheap sources gain, and how error bars hold, by round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

from loop.ledger import Gate, Ledger
from loop.report.figures import LINES, OTHER, Figure, figure
from loop.wording import label

HEIGHT = 340


def plots(ledgers: Sequence[Ledger]) -> list[Figure]:
    """Those that have anything to show."""
    return [each for each in (draws(ledgers), likeness(ledgers), gains(ledgers), calibration(ledgers)) if each["data"]]


def draws(ledgers: Sequence[Ledger]) -> Figure:
    """Validity before repair, uniqueness among the valid, novelty among the unique, and the share of the generated
    molecules that have no name."""
    parts = {"valid": "generated", "unique": "valid", "novel": "unique", "unnamed": "molecules"}
    traces = [
        line(f"{part} of the {whole}", color, ledgers, partial(share, part, whole))
        for (part, whole), color in zip(parts.items(), LINES, strict=False)
    ]
    return by_round("share of the generator's draws", traces)


def share(part: str, whole: str, ledger: Ledger) -> float | None:
    counts = ledger.counts()
    return counts[part] / counts[whole] if counts.get(whole) else None


def number(part: str, name: str, ledger: Ledger) -> float | None:
    """Of a part of the ledger, where there is one."""
    found: float | None = getattr(getattr(ledger, part), name, None)
    return found


def likeness(ledgers: Sequence[Ledger]) -> Figure:
    """Coverage, density and C2ST of the draws; the null of C2ST is dashed in its colour."""
    names = {"coverage": "coverage", "density": "density", "c2st": "C2ST", "c2st_null": "null of C2ST"}
    colors = (*LINES[:3], LINES[2])
    traces = [
        line(words, color, ledgers, partial(number, "quality", name))
        for (name, words), color in zip(names.items(), colors, strict=True)
    ]
    for trace in traces:
        if trace["name"] == names["c2st_null"]:
            trace["line"]["dash"] = "dash"
    return by_round("draws against held-out designs", traces)


def gains(ledgers: Sequence[Ledger]) -> Figure:
    """What every source gains for every property, one standard error either way; filled where it was admitted."""
    found: dict[tuple[str, str, str], list[tuple[int, Gate]]] = {}
    for ledger in ledgers:
        for gate in ledger.gates:
            found.setdefault((gate.source, gate.property, gate.form), []).append((ledger.round, gate))
    traces = []
    for i, ((source, prop, form), judged) in enumerate(found.items()):
        color = LINES[i % len(LINES)]
        symbols = ["circle" if gate.admitted else "circle-open" for _, gate in judged]
        errors = [gate.error for _, gate in judged]
        traces.append(
            trace_of(f"{source} for {label(prop)}, as {form}", color, [(at, gate.gain) for at, gate in judged])
            | {"marker": {"color": color, "size": 11, "symbol": symbols}}
            | {"error_y": {"type": "data", "array": errors, "visible": True, "thickness": 1.5, "width": 4}}
        )
    return by_round("gain, nat per real record", traces, at=(0.0,))


def calibration(ledgers: Sequence[Ledger]) -> Figure:
    """The share of left-out records inside the 68 % and 95 % intervals; dashed where it should be."""
    names = {"within_68": "in the 68 % interval", "within_95": "in the 95 % interval"}
    traces = [
        line(words, color, ledgers, partial(number, "calibration", name))
        for (name, words), color in zip(names.items(), LINES, strict=False)
    ]
    return by_round("share of left-out records", traces, at=(0.68, 0.95))


def line(name: str, color: str, ledgers: Sequence[Ledger], of: Callable[[Ledger], float | None]) -> dict[str, Any]:
    """One number of the ledger by round, where it is known."""
    return trace_of(name, color, [(ledger.round, x) for ledger in ledgers if (x := of(ledger)) is not None])


def trace_of(name: str, color: str, points: Sequence[tuple[int, float]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": escape(name),
        "x": [round for round, _ in points],
        "y": [value for _, value in points],
        "line": {"color": color, "width": 2},
        "marker": {"color": color, "size": 8},
    }


def by_round(title: str, traces: Sequence[dict[str, Any]], at: Sequence[float] = ()) -> Figure:
    """The traces that have points, and dashed lines across at some values."""
    data = [trace for trace in traces if trace["x"]]
    across = {"title": {"text": "round"}, "tickformat": "d", "dtick": step(data)}
    shapes = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": {"dash": "dash", "color": OTHER}}
        for y in at
    ]
    return figure(data, HEIGHT, xaxis=across, yaxis={"title": {"text": title}}, shapes=shapes, showlegend=True)


def step(data: Sequence[dict[str, Any]]) -> int:
    """Rounds between ticks: whole ones, a dozen at most."""
    rounds = [round for trace in data for round in trace["x"]]
    return max(1, (max(rounds) - min(rounds)) // 12) if rounds else 1
