"""Made-up problems with the shape of the real one, whose truth is known everywhere.

Nine fields, as of a coated particle in a polymer: oxide, facet, termination, ligand, polymer, chain length, grafting
density, temperature, loading. The truth is a smooth made-up physics of hidden constants (polarities that should match,
a brush that wets until it is too dense, an optimum of temperature and of loading) plus tables of random interactions of
two and three choices, which no physics knows; in units of its standard deviation over valid designs. A seed is another
problem: other constants, tables and rules. Measured values have errors that differ from record to record and are
themselves known from six blocks only. Choices are described by their constants with an error, and by one number each
that means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loop.seeds import derive
from loop.space import Constraint, Range, Space
from loop.types import Design, Estimate, Kind, Objective, Parameter, Record, Value

OBJECTIVE = Objective("strength", "maximize", "md")
SIZES = {"oxide": 6, "facet": 4, "termination": 3, "ligand": 8, "polymer": 6}
INTERACTIONS = (("oxide", "ligand"), ("facet", "polymer"), ("termination", "ligand", "polymer"))
EPISTASIS = 0.5
"""Standard deviation of the interactions, that of the physics being one."""
WIDTH = 1.5
"""Difference of polarities that still matches."""
BARE = "ligand0"
NOISE = (0.1, 0.3)
BLOCKS = 6
DESCRIPTOR_ERROR = 0.1
SCALED_ON = 1000

Constants = dict[str, np.ndarray]
Columns = dict[str, np.ndarray]


def drawn_constants(rng: np.random.Generator) -> Constants:
    """The hidden numbers of every choice."""
    return {
        "oxide": rng.normal(size=6),
        "facet": 0.4 * rng.normal(size=4),
        "termination": 0.6 * rng.normal(size=3),
        "ligand": rng.normal(size=8),
        "polymer": rng.normal(size=6),
        "warmth": rng.normal(size=6),
        "saturation": rng.normal(size=6),
    }


def physics(constants: Constants, x: Columns) -> np.ndarray:
    """The smooth part, not scaled."""
    cover = x["grafting_density"] / 0.8
    bare = constants["oxide"][x["oxide"]] + constants["facet"][x["facet"]] + constants["termination"][x["termination"]]
    surface = (1 - cover) * bare + cover * constants["ligand"][x["ligand"]]
    match = np.exp(-np.square((surface - constants["polymer"][x["polymer"]]) / WIDTH) / 2)
    wetting = match * (0.7 + cover / (1 + np.exp(0.3 * (cover * x["chain_length"] - 20))))
    best_loading = 0.03 + 0.09 * match
    best_temperature = 380 + 40 * constants["warmth"][x["polymer"]]
    length = 15 * np.exp(0.4 * constants["saturation"][x["polymer"]])
    return np.asarray(
        2.5 * wetting
        - 0.4 * np.square((x["loading"] - best_loading) / 0.05)
        - 0.3 * np.square((x["temperature"] - best_temperature) / 70)
        + 0.8 * (1 - np.exp(-x["chain_length"] / length))
    )


@dataclass(frozen=True)
class Problem:
    """One problem. Functions of designs give (n,) values in standard deviations of the truth."""

    seed: int

    @cached_property
    def constants(self) -> Constants:
        return drawn_constants(self._rng("constants"))

    @cached_property
    def tables(self) -> list[np.ndarray]:
        rng = self._rng("tables")
        return [rng.normal(size=[SIZES[name] for name in names]) for names in INTERACTIONS]

    @cached_property
    def space(self) -> Space:
        numbers = [
            Parameter("chain_length", "integer", bounds=(8, 64)),
            Parameter("grafting_density", "real", bounds=(0.0, 0.8), step=0.01),
            Parameter("temperature", "real", bounds=(280.0, 480.0), step=1.0),
            Parameter("loading", "real", bounds=(0.01, 0.15), step=0.001),
        ]
        choices = [Parameter(name, "choices", tuple(f"{name}{i}" for i in range(n))) for name, n in SIZES.items()]
        return Space([*choices, *numbers], self._rules(), (), [self.describe])

    def _rules(self) -> list[Constraint]:
        rng = self._rng("rules")
        rules = [Constraint("bare", {"ligand": (BARE,)}, {"grafting_density": (0.0,)})]
        for i in range(SIZES["oxide"]):
            facet = f"facet{rng.integers(SIZES['facet'])}"
            rules.append(Constraint(f"no {facet} of oxide{i}", {"oxide": (f"oxide{i}",), "facet": (facet,)}))
        for i in range(1, SIZES["ligand"]):
            end = f"termination{rng.integers(SIZES['termination'])}"
            rules.append(Constraint(f"ligand{i} off {end}", {"ligand": (f"ligand{i}",), "termination": (end,)}))
            room = Range(None, round(float(rng.uniform(0.3, 0.8)), 2))
            rules.append(Constraint(f"ligand{i} crowds", {"ligand": (f"ligand{i}",)}, {"grafting_density": room}))
        return rules

    def describe(self, name: str, value: Value) -> dict[str, float]:
        """What a catalogue would say of a choice."""
        if name not in SIZES:
            return {}
        i = int(str(value).removeprefix(name))
        told = {"polarity": self.constants[name][i]}
        if name == "polymer":
            told |= {k: self.constants[k][i] for k in ("warmth", "saturation")}
        rng = self._rng(f"describe {value}")
        spread = {k: float(self.constants[name if k == "polarity" else k].std()) for k in told}
        described = {k: float(v + DESCRIPTOR_ERROR * spread[k] * rng.normal()) for k, v in told.items()}
        return described | {"nonsense": float(rng.normal())}

    def columns(self, designs: Sequence[Design]) -> Columns:
        """Choices as indices, numbers as they are."""
        found: Columns = {}
        for p in self.space.parameters:
            values = [design.values[p.name] for design in designs]
            index = {choice: i for i, choice in enumerate(p.choices)}
            found[p.name] = np.array([index[v] for v in values] if p.choices else values)
        return found

    @cached_property
    def _sample(self) -> Columns:
        return self.columns(self.space.sample(SCALED_ON, seed=derive(self.seed, "scale")))

    def _scaled_physics(self, constants: Constants, x: Columns) -> np.ndarray:
        over = physics(constants, self._sample)
        return np.asarray((physics(constants, x) - over.mean()) / over.std())

    def _truth(self, x: Columns) -> np.ndarray:
        random = sum(table[tuple(x[n] for n in names)] for names, table in zip(INTERACTIONS, self.tables, strict=True))
        return self._scaled_physics(self.constants, x) + EPISTASIS * random / len(INTERACTIONS) ** 0.5

    @cached_property
    def _spread(self) -> tuple[float, float]:
        values = self._truth(self._sample)
        return float(values.mean()), float(values.std())

    def truth(self, designs: Sequence[Design]) -> np.ndarray:
        mean, sd = self._spread
        return np.asarray((self._truth(self.columns(designs)) - mean) / sd)

    def good(self, designs: Sequence[Design]) -> np.ndarray:
        """The physics without the interactions."""
        return self._scaled_physics(self.constants, self.columns(designs))

    def mediocre(self, designs: Sequence[Design]) -> np.ndarray:
        """The physics with constants that are half wrong."""
        other = drawn_constants(self._rng("mediocre"))
        mixed = {name: 0.7 * value + 0.7 * other[name] for name, value in self.constants.items()}
        return self._scaled_physics(mixed, self.columns(designs))

    def wrong(self, designs: Sequence[Design]) -> np.ndarray:
        """The physics of something else, its numbers taken for one another."""
        x, numbers = self.columns(designs), [p for p in self.space.parameters if p.bounds is not None]
        for p, q in zip(numbers, [*numbers[1:], numbers[0]], strict=True):
            (low, high), (least, most) = p.bounds, q.bounds
            x[p.name] = low + (self.columns(designs)[q.name] - least) / (most - least) * (high - low)
        return self._scaled_physics(drawn_constants(self._rng("wrong")), x)

    def optimum(self, tries: int = 20) -> float:
        """The greatest value found by moving one field at a time from the best of the random designs."""
        rng, starts = self._rng("optimum"), self.space.sample(2000, seed=derive(self.seed, "starts"))
        order = np.argsort(-self.truth(starts))[:tries]
        return max(self._climbed(starts[i], rng) for i in order)

    def _climbed(self, design: Design, rng: np.random.Generator) -> float:
        best = float(self.truth([design])[0])
        while True:
            near = [d for d in self._neighbours(design, rng) if not self.space.violations(d)]
            values = self.truth(near)
            if not len(near) or values.max() <= best + 1e-6:
                return best
            design, best = near[int(values.argmax())], float(values.max())

    def _neighbours(self, design: Design, rng: np.random.Generator) -> list[Design]:
        found = []
        for p in self.space.parameters:
            values = p.choices or np.clip(float(design.values[p.name]) + np.ptp(p.bounds) * 0.1 * rng.normal(size=6),
                                          *p.bounds).tolist()  # fmt: skip
            found += [self.space.canonicalise({**design.values, p.name: value}) for value in values]
        return found

    def records(
        self,
        designs: Sequence[Design],
        values: np.ndarray,
        *,
        seed: int,
        noise: tuple[float, float] = NOISE,
        kind: Kind = "simulation",
        oracle: str = "md",
        round: int = 0,
    ) -> list[Record]:
        """`values` as they would be measured: errors between the limits of `noise`, stated as six blocks would."""
        rng = self._rng(f"noise {oracle} {seed}")
        sd = rng.uniform(*noise, size=len(designs))
        stated = sd * np.sqrt(rng.chisquare(BLOCKS, size=len(designs)) / BLOCKS)
        measured = values + sd * rng.normal(size=len(designs))
        name = OBJECTIVE.property
        return [
            Record(d, oracle, "screen", kind, {name: Estimate(float(v), float(e), "1", float(BLOCKS))}, 1, round)
            for d, v, e in zip(designs, measured, stated, strict=True)
        ]

    def _rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng(derive(self.seed, purpose))
