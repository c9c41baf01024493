"""What descriptors of choices are worth to the surrogate: held-out densities with and without.

    python -m benchmarks.descriptors [--seeds 8] [--records 16 32 64]

Made-up properties over the real catalogue (oxides, ligands, polymers as the OpenMM oracle describes them). A share of
what a choice does follows a smooth random function of its descriptors, the rest is drawn for each choice by itself, so
that 0 is the case where descriptors mislead.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acquisition.encoding import Encoding
from acquisition.process import Process, reproducible
from loop.seeds import derive
from loop.space import Space
from loop.types import Design, Parameter
from oracles.openmm.descriptions import describe
from oracles.openmm.materials import catalogue

SHARES = (0.0, 0.5, 1.0)
NOISE = 0.2
"""Of a record, in standard deviations of the property."""
HELD_OUT = 300
PARAMETERS = (
    Parameter("oxide", "choices", tuple(catalogue.data("oxides"))),
    Parameter("ligand", "choices", ("none", *catalogue.ligands())),
    Parameter("polymer", "choices", tuple(catalogue.data("polymers"))),
    Parameter("hydroxyl_density", "real", bounds=(0.0, 8.0), step=0.1),
    Parameter("ligand_density", "real", bounds=(0.0, 3.0), step=0.1),
    Parameter("chain_length", "integer", bounds=(8, 24)),
)
NAMELESS = Space(PARAMETERS)
DESCRIBED = Space(PARAMETERS, describers=[describe])


@dataclass(frozen=True)
class Property:
    """A random property of designs; what each choice does follows its descriptors to the given share."""

    share: float
    seed: int

    def values(self, designs: Sequence[Design]) -> np.ndarray:
        """(n,) about standardised values."""
        rng = np.random.default_rng(derive(self.seed, "property"))
        numbers = Encoding(NAMELESS).rows(designs)[:, :3]
        effects = [self._effects(p, rng) for p in PARAMETERS[:3]]
        rows = [
            np.array([effect[design.values[p.name]] for design in designs])
            for p, effect in zip(PARAMETERS, effects, strict=False)
        ]
        curves = np.sin(2.0 * numbers @ rng.normal(size=(3, 3)) + rng.uniform(0, 6, 3)).sum(1)
        couplings = sum(rows[i] * rows[j] for i, j in ((0, 1), (1, 2))) + rows[1] * (numbers[:, 1] - 0.5) * 2
        return np.asarray(sum(rows) + 0.7 * curves + 0.5 * couplings) / 2.2

    def _effects(self, p: Parameter, rng: np.random.Generator) -> dict[object, float]:
        """Standardised effect of each choice."""
        told = DESCRIBED.descriptors(p.name)
        assert told is not None
        table = np.array([list(row.values()) for row in told.values()])
        spread = table.std(0)
        table = (table - table.mean(0)) / np.where(spread > 0, spread, 1.0)
        smooth = np.tanh(table @ rng.normal(size=(table.shape[1], 2)) / np.sqrt(table.shape[1])).sum(1)
        own = rng.normal(size=len(smooth))
        mixed = np.sqrt(self.share) * standard(smooth) + np.sqrt(1 - self.share) * standard(own)
        return dict(zip(p.choices, standard(mixed).tolist(), strict=True))


def standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean()) / x.std()


def held_out(space: Space, share: float, records: int, seed: int) -> tuple[float, float]:
    """(negative log density per held-out value, R^2) of a surrogate of so many records."""
    designs = NAMELESS.sample(records + HELD_OUT, seed=derive(seed, "designs"))
    rng = np.random.default_rng(derive(seed, "noise"))
    designs = [designs[i] for i in rng.permutation(len(designs))]
    y = Property(share, seed).values(designs)
    seen = y[:records] + NOISE * rng.standard_normal(records)
    encoding = Encoding(space)
    rows = encoding.rows(designs)
    with reproducible(0):
        process = Process(encoding, rows[:records], seen, np.full(records, NOISE**2))
        mean, variance = process.posterior(rows[records:])
    mean = mean * process.scale + process.centre
    variance = variance * process.scale**2 + NOISE**2
    truth = y[records:] + NOISE * rng.standard_normal(HELD_OUT)
    density = 0.5 * ((truth - mean) ** 2 / variance + np.log(2 * np.pi * variance)).mean()
    return float(density), float(1 - ((truth - mean) ** 2).mean() / truth.var())


def main() -> None:
    parser = argparse.ArgumentParser(description="held-out densities with and without descriptors")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--records", type=int, nargs="+", default=[16, 32, 64])
    chosen = parser.parse_args()
    print("| share of descriptors | records | NLL without | with | change | R2 without | with |")
    print("|---|---|---|---|---|---|---|")
    for share in SHARES:
        for records in chosen.records:
            table = np.array(
                [
                    [held_out(space, share, records, seed) for space in (NAMELESS, DESCRIBED)]
                    for seed in range(chosen.seeds)
                ]
            )
            (plain, r_plain), (told, r_told) = table.mean(0)
            change = table[:, 1, 0] - table[:, 0, 0]
            error = change.std(ddof=1) / np.sqrt(len(change))
            print(
                f"| {share:g} | {records} | {plain:.3f} | {told:.3f} | {change.mean():+.3f} +- {error:.3f} "
                f"| {r_plain:.2f} | {r_told:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
