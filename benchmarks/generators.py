"""The three families of generator by the number of rule-valid designs they learn from.

    python -m benchmarks.generators --results FILE [--family NAME ...] [--corpus N ...] [--space NAME ...] [--seeds 3]
    python -m benchmarks.generators --proposals [--family NAME ...] [--space NAME ...]

Every run is a line of the file; runs that are in it already are not made again. The table gives the median over seeds
and the range. Of 500 prior samples, `valid` is the share that breaks no rule as a pool draws them, `first` that before
anything is drawn again, only constraints being masked, and `unmasked` that of the network alone, nothing enforced.
`categories` is the share of held-out designs whose choices all come back, `numbers` the mean error of their numbers in
fractions of the range, `unique` the share of valid samples that differ on a grid of 1/50 of the range, `coverage` that
of Naeem et al. (arXiv 2002.09797). Seconds are of one thread's processor time, of training only; on a busy machine they
grow: `yardstick`, a fixed piece of work, takes 0.06 s on an idle one.

With `--proposals`, each family is fitted as in a campaign, learns a surrogate's levels and is asked for 1200
candidates.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.generator_spaces import SPACES
from benchmarks.kept import kept
from generators.cvae import CVAE
from generators.decoding import Decoder
from generators.encoding import Encoding
from generators.gates import PRIOR_SAMPLES, measure, prior_samples
from generators.network import Shape, one_thread
from generators.pretrained import DRAWS_PER_DESIGN, HIDDEN, latent_size
from generators.trained import Trained
from generators.training import training_rows
from generators.vaegan import VAEGAN
from generators.wgan import WGAN
from loop.space import Space
from loop.types import Condition, Design, Objective

FAMILIES: dict[str, Callable[[], Trained]] = {"cvae": CVAE, "wgan": WGAN, "vaegan": VAEGAN}
CORPORA = (60, 1000, 4000)
HELD_OUT = 500
CANDIDATES = 1200
GRID = 50


@dataclass(frozen=True, slots=True)
class Run:
    """One training of one family, as stage 0 would at its first attempt, and what it can do."""

    space: str
    family: str
    corpus: int
    seed: int
    valid: float
    first: float
    unmasked: float
    categories: float
    numbers: float
    unique: float
    coverage: float
    seconds: float
    yardstick: float

    @property
    def cell(self) -> tuple[str, str, int]:
        return self.space, self.family, self.corpus


MEASURED = ("valid", "first", "unmasked", "categories", "numbers", "unique", "coverage", "seconds")


def yardstick() -> float:
    """Seconds of a fixed piece of work like a training step's."""
    import torch

    x, w = torch.ones(128, 96, requires_grad=True), torch.ones(96, 96)
    with one_thread():
        start = time.process_time()
        for _ in range(300):
            torch.autograd.grad((x @ w).relu().sum(), x)
        return time.process_time() - start


def different(encoding: Encoding, designs: Sequence[Design]) -> float:
    """Share of the designs that differ on the grid."""
    fields = encoding.fields(designs)
    keys = np.hstack([fields.choices, np.round(fields.numbers * GRID)])
    return len(np.unique(keys, axis=0)) / max(1, len(designs))


def trial(name: str, kind: str, space: Space, corpus: Sequence[Design], held_out: Sequence[Design], seed: int) -> Run:
    """Train once and measure."""
    family, encoding = FAMILIES[kind](), Encoding(space)
    shape = Shape(encoding.width, 0, latent_size(encoding), HIDDEN, encoding.sizes, len(encoding.numeric))
    rows, schedule = training_rows(encoding, corpus), replace(family.schedule, steps=family.steps)
    start = time.process_time()
    network = family.learn(family.start(shape, seed), rows, schedule, seed=seed)
    seconds = time.process_time() - start
    gates = measure(network, encoding, held_out, seed)
    valid = prior_samples(network, Decoder(encoding), seed)
    first = prior_samples(network, Decoder(encoding, redraws=0), seed)
    return Run(
        name, kind, len(corpus), seed,
        valid=gates.validity, first=len(first) / PRIOR_SAMPLES, unmasked=gates.validity_unmasked,
        categories=gates.reconstruction, numbers=gates.numeric_error,
        unique=different(encoding, valid), coverage=gates.coverage, seconds=seconds, yardstick=yardstick(),
    )  # fmt: skip


def runs(cells: Iterable[tuple[str, str, int]], seeds: int, done: Sequence[Run]) -> Iterable[Run]:
    """Every run of the cells that is not done, seed by seed."""
    known = {(run.cell, run.seed) for run in done}
    cells, drawn = list(cells), {}
    for seed in range(1, seeds + 1):
        for name, kind, size in cells:
            if ((name, kind, size), seed) in known:
                continue
            if name not in drawn:
                wanted = max(size for _, _, size in cells) + HELD_OUT
                space = SPACES[name]()
                drawn[name] = space, space.sample(wanted, seed=1, max_draws=2 * DRAWS_PER_DESIGN * wanted)
            space, designs = drawn[name]
            order = np.random.default_rng(seed).permutation(len(designs))
            shuffled = [designs[i] for i in order]
            yield trial(name, kind, space, shuffled[HELD_OUT:][:size], shuffled[:HELD_OUT], seed)


def table(found: Sequence[Run]) -> str:
    """Markdown: median over seeds, and least to most where they differ."""
    lines = [f"| space | family | corpus | runs | {' | '.join(MEASURED)} |", "|---" * (4 + len(MEASURED)) + "|"]
    for cell in dict.fromkeys(run.cell for run in found):
        same = [run for run in found if run.cell == cell]
        cells = (spread([getattr(run, name) for run in same], name) for name in MEASURED)
        lines.append(f"| {' | '.join(map(str, cell))} | {len(same)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: Sequence[float], name: str) -> str:
    digits = 1 if name == "seconds" else 3
    middle, least, most = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least}-{most})"


def propose(family: Trained, space: Space, seed: int) -> str:
    """Seconds of stage 0 with its corpus, of an update and of a pool, and what the pool held."""
    number = Encoding(space).numeric[-1].name
    wanted = Objective("number", "maximize", oracle="made up")

    def predict(designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
        mean = np.array([[float(design.values[number])] for design in designs])
        return mean, np.ones_like(mean)

    seconds = [time.process_time()]
    family.fit(space, [], [], seed=seed)
    seconds.append(time.process_time())
    family.fit(space, [], [wanted], seed=seed, predict=predict)
    seconds.append(time.process_time())
    found = family.propose(CANDIDATES, Condition(levels={"number": 3}), space.sample(8, seed=seed), seed=seed)
    seconds.append(time.process_time())
    stage0, update, pool = np.diff(seconds)
    notes = "; ".join(family.notes) or "no notes"
    return f"stage 0 {stage0:.1f} s, update {update:.1f} s, {len(found)} candidates {pool:.2f} s; {notes}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--family", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--corpus", nargs="*", type=int, default=list(CORPORA))
    parser.add_argument("--space", nargs="*", choices=SPACES, default=list(SPACES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--proposals", action="store_true")
    arguments = parser.parse_args()
    yardstick()
    if arguments.proposals:
        for name in arguments.space:
            for kind in arguments.family:
                said = propose(FAMILIES[kind](), SPACES[name](), 1)
                print(f"{name}, {kind}: {said} (yardstick {yardstick():.3f} s)", flush=True)
        return
    cells = [(s, f, c) for s in arguments.space for f in arguments.family for c in arguments.corpus]
    found = kept(arguments.results, Run, lambda known: runs(cells, arguments.seeds, known))
    print(table([run for run in found if run.cell in cells]))


if __name__ == "__main__":
    main()
