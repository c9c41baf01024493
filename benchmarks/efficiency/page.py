"""docs/benchmarks.md: the text of page.md with the numbers of the runs that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median

from benchmarks.efficiency.cases import EVALUATIONS
from benchmarks.efficiency.peers import PEERS
from benchmarks.efficiency.problems import PROBLEMS, SEVERAL
from benchmarks.efficiency.runs import Run, interval, mean_curve, reached

TEXT = Path(__file__).with_suffix(".md")
WANTED = 20
OTHERS = ("random", "Sobol", *PEERS)
"""What the product is compared with; the first two are its own, and learn nothing."""
CHECKPOINTS = (20, 30, EVALUATIONS)


def page(runs: Sequence[Run], methods: Sequence[str]) -> str:
    """The whole page; `methods` is the order of the rows."""
    text = TEXT.read_text(encoding="utf-8")
    parts = {problem: table(on(runs, problem), methods) for problem in PROBLEMS}
    parts |= {"summary": summary(runs), "gaps": gaps(runs, methods)}
    parts["versions"] = ", ".join(sorted({run.version for run in runs}))
    for name, part in parts.items():
        text = text.replace(f"[{name}]", part)
    return text


def on(runs: Sequence[Run], problem: str) -> list[Run]:
    return [run for run in runs if run.problem == problem]


def of(runs: Sequence[Run], method: str) -> list[Run]:
    return [run for run in runs if run.method == method]


def best_peer(runs: Sequence[Run]) -> str | None:
    """Of the peers with the most seeds that of the least mean at the end, over the seeds that they share; None without
    any."""
    most = max((len(of(runs, name)) for name in OTHERS), default=0)
    there = [name for name in OTHERS if most and len(of(runs, name)) == most]
    shared = set.intersection(*({run.seed for run in of(runs, name)} for name in there)) if there else set()
    if not shared:
        return None
    return min(there, key=lambda name: fmean(run.missing(EVALUATIONS) for run in of(runs, name) if run.seed in shared))


def paired(runs: Sequence[Run], method: str, other: str) -> list[float]:
    """Differences at the end, method less other, of the seeds that both have."""
    theirs = {run.seed: run.missing(EVALUATIONS) for run in of(runs, other)}
    return [run.missing(EVALUATIONS) - theirs[run.seed] for run in of(runs, method) if run.seed in theirs]


def summary(runs: Sequence[Run]) -> str:
    heads = "problem", "best peer", "`loop` less best peer", "won", "evaluations of `loop` to the peer's mean at 50"
    rows = [row(heads), row(["---"] * len(heads))]
    for problem in PROBLEMS:
        found = on(runs, problem)
        peer, own = best_peer(found), of(found, "loop")
        if peer is None or not own:
            continue
        differences = paired(found, "loop", peer)
        when = reached(own, float(mean_curve(of(found, peer))[-1]))
        told = with_interval(differences, f"+{precision(problem)}")
        rows.append(row([problem, peer, told, won(differences), when or "not reached"]))
    return "\n".join(rows)


def table(runs: Sequence[Run], methods: Sequence[str]) -> str:
    if not runs:
        return "Not measured."
    peer, problem = best_peer(runs), runs[0].problem
    what, form = "missing share" if problem in SEVERAL else "regret", precision(problem)
    heads = ["method", "seeds", *(f"{what} at {at}" for at in CHECKPOINTS), f"less {peer}", "won", "s", "MB", "helped"]
    rows = [row(heads), row(["---"] * len(heads))]
    for method in methods:
        found = of(runs, method)
        if not found:
            continue
        cells = [with_interval([run.missing(at) for run in found], form) for at in CHECKPOINTS]
        differences = paired(runs, method, peer) if peer and method != peer else []
        seconds, memory = median(s for run in found for s in run.seconds), max(run.memory for run in found)
        told = [with_interval(differences, f"+{form}"), won(differences)]
        rows.append(row([method, len(found), *cells, *told, f"{seconds:.2g}", f"{memory:.0f}", helped(found)]))
    return "\n".join(rows)


def precision(problem: str) -> str:
    """Digits that tell methods apart: shares are smaller than regrets."""
    return ".3f" if problem in SEVERAL else ".2f"


def row(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def with_interval(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    found = interval(values)
    return f"{fmean(values):{form}}" + (f" ({found[0]:{form}} to {found[1]:{form}})" if found else "")


def won(differences: Sequence[float]) -> str:
    return f"{sum(d < 0 for d in differences)} of {len(differences)}" if differences else ""


def helped(runs: Sequence[Run]) -> str:
    """What the method needed help with, per run of 40 designs."""
    names = sorted({name for run in runs for name in run.notes})
    return ", ".join(f"{fmean(run.notes.get(name, 0) for run in runs):.3g} {name}" for name in names)


def gaps(runs: Sequence[Run], methods: Sequence[str]) -> str:
    lines = []
    for problem in PROBLEMS:
        seeds = {method: len(of(on(runs, problem), method)) for method in methods}
        counts = [n for n in seeds.values() if n] or [0]
        if min(counts) < WANTED:
            some = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
            lines.append(f"- {problem}: {some} seeds of {WANTED}; so few decide nothing.")
    return "\n".join(lines)
