"""The problems that methods are compared on. Every one is a space with rules, goals, and a truth that is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.problems import BLOCKS, NOISE, Problem
from loop.pareto import hypervolume
from loop.replay.pool import TableSpace
from loop.seeds import derive
from loop.space import Describer, Space
from loop.types import Check, Design, Estimate, Objective, Parameter, Record, goals

INITIAL, BATCH, ROUNDS = 10, 4, 10
EVALUATIONS = INITIAL + BATCH * ROUNDS
CROWD = 20_000
"""Valid designs among which the best hypervolume of a made-up problem is looked for."""

BEST_PRICE = 6.059714
"""Of the pressure vessel: Coello Coello & Mezura Montes, Adv. Eng. Inform. 16 (2002) 193 have 6059.946; Gandomi, Yang
& Alavi, Eng. Comput. 29 (2013) 17, 6059.714, at 13 and 7 sixteenths."""

Truth = Callable[[Sequence[Design]], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One problem of one seed.

    `truth` gives (n, goals) property values without noise; `noise` the limits between which the standard deviation of
    an evaluation is drawn, in the units of the goals (0, 0: exact). `best` works out the best score that a campaign can
    reach, in seconds. `describe` is what a catalogue says of a choice; `cheap` labels designs with the first property
    for next to nothing, with a bias. `errors` gives the standard errors that are told, (n, goals), where they are known
    and not drawn. `slack` takes a tensor of designs, (..., parameters) in their units, and gives by how much the rules
    hold, (..., rules), less than 0 where one does not: for methods that can follow the gradient.
    """

    space: Space
    objectives: tuple[Objective, ...]
    truth: Truth
    best: Callable[[], float]
    noise: tuple[float, float] = (0.0, 0.0)
    describe: Describer | None = None
    cheap: Truth | None = None
    errors: Truth | None = None
    slack: Callable[[Any], Any] | None = None

    def score(self, values: np.ndarray) -> float:
        """Of noise-free property values (n, goals): the greatest utility, or with several goals the hypervolume of the
        utilities above the thresholds."""
        utilities = np.array([[o.utility(v) for o, v in zip(self.objectives, row, strict=True)] for row in values])
        if len(goals(self.objectives)) == 1:
            return float(utilities.max())
        return hypervolume(utilities, self.corner)

    @property
    def corner(self) -> list[float]:
        """The utilities from which hypervolume is counted."""
        return corner(self.objectives)

    @property
    def described(self) -> Space:
        """The space with what is known of its choices."""
        return self.space.with_checks([], [self.describe] if self.describe else [])

    @property
    def listed(self) -> bool:
        """Whether the valid designs are those of a table, too rare to be hit by a search of the space."""
        return isinstance(self.space, TableSpace)

    def initial(self, seed: int) -> list[Design]:
        """The designs that every method starts from."""
        return self.space.sample(INITIAL, seed=derive(seed, "initial"))


class Evaluations:
    """Answers designs one after another. The k-th answer of a seed has the same error for every method, and the same
    statement of it, which is off as one from six blocks is."""

    def __init__(self, case: Case, seed: int, most: int = EVALUATIONS) -> None:
        rng = np.random.default_rng(derive(seed, "noise"))
        shape = most, len(case.objectives)
        sd = rng.uniform(*case.noise, size=shape)
        self._case = case
        self._errors = sd * rng.normal(size=shape)
        self._stated = sd * np.sqrt(rng.chisquare(BLOCKS, size=shape) / BLOCKS)
        self.records: list[Record] = []
        self.values = np.zeros((0, len(case.objectives)))

    def add(self, designs: Sequence[Design], round: int) -> None:
        """Raises ValueError for a design that breaks a rule or was evaluated before."""
        known = {record.design for record in self.records}
        for design in designs:
            if broken := self._case.space.violations(design):
                raise ValueError(f"round {round} proposes a design that breaks {', '.join(broken)}: {design.values}")
            if design in known:
                raise ValueError(f"round {round} proposes a design again: {design.values}")
            known.add(design)
        truth, first = self._case.truth(designs), len(self.records)
        if self._case.errors:
            self._stated[first : first + len(designs)] = self._case.errors(designs)
        for k, (design, values) in enumerate(zip(designs, truth, strict=True), start=first):
            estimates = {
                o.property: Estimate(float(value + error), float(stated), o.unit, float(BLOCKS))
                for o, value, error, stated in zip(
                    self._case.objectives, values, self._errors[k], self._stated[k], strict=True
                )
            }
            self.records.append(Record(design, "md", "screen", "simulation", estimates, 1, round))
        self.values = np.concatenate([self.values, truth])

    def scores(self) -> list[float]:
        """Of the first 10, 11, ... evaluations."""
        return [self._case.score(self.values[:k]) for k in range(INITIAL, len(self.values) + 1)]


def corner(objectives: Sequence[Objective]) -> list[float]:
    """The utilities from which hypervolume is counted."""
    return [o.utility(o.threshold) for o in objectives if o.threshold is not None]


def front(points: np.ndarray) -> np.ndarray:
    """The rows of (n, 2) that no other surpasses in both columns; as `loop.pareto`, but for many thousands."""
    rows = points[np.lexsort((-points[:, 1], -points[:, 0]))]
    before = np.concatenate([[-np.inf], np.maximum.accumulate(rows[:, 1])[:-1]])
    return rows[rows[:, 1] > before]


def column(truth: Callable[[Sequence[Design]], np.ndarray]) -> Truth:
    return lambda designs: np.asarray(truth(designs)).reshape(-1, 1)


def particles(seed: int, *, cheap: bool = False) -> Case:
    """The made-up particle in a polymer of `benchmarks.problems`, another one for each seed."""
    problem = Problem(seed)
    return Case(
        Space(problem.space.parameters, problem.space.constraints),
        (Objective("strength", "maximize", "md"),),
        column(problem.truth),
        problem.optimum,
        NOISE,
        problem.describe,
        column(problem.good) if cheap else None,
    )


def two_goals(seed: int) -> Case:
    """Two truths of the same space: that of `particles`, and that of another seed. Hypervolume counts from the means,
    the best being that of the front of many valid designs."""
    problem, other = Problem(seed), Problem(derive(seed, "second goal") % 2**31)
    names = ("strength", "toughness")
    objectives = tuple(Objective(name, "maximize", "md", threshold=0.0) for name in names)

    def truth(designs: Sequence[Design]) -> np.ndarray:
        return np.stack([problem.truth(designs), other.truth(designs)], 1)

    def best() -> float:
        crowd = problem.space.sample(CROWD, seed=derive(seed, "crowd"))
        return hypervolume(front(truth(crowd)), corner(objectives))

    space = Space(problem.space.parameters, problem.space.constraints)
    return Case(space, objectives, truth, best, NOISE, problem.describe)


def public(function: Any, read: Callable[[Design], list[float]]) -> Truth:
    """A BoTorch test function of what `read` makes of a design."""
    import torch

    def truth(designs: Sequence[Design]) -> np.ndarray:
        x = torch.tensor([read(design) for design in designs], dtype=torch.float64)
        return np.asarray(function.evaluate_true(x).reshape(len(designs), -1).numpy())

    return truth


def ackley(seed: int) -> Case:
    """AckleyMixed of BoTorch with seven two-way choices and three reals. The optimum, 0, is elsewhere for each seed."""
    import torch
    from botorch.test_functions.synthetic import AckleyMixed

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(seed, "ackley") % 2**31)
        function = AckleyMixed(dim=10, randomize_optimum=True)
    flags = [Parameter(f"flag{i}", "choices", ("off", "on")) for i in range(7)]
    numbers = [Parameter(f"number{i}", "real", bounds=(0.0, 1.0), step=0.001) for i in range(3)]
    space = Space([*flags, *numbers])

    def read(design: Design) -> list[float]:
        return [
            float(v == "on") if isinstance(v, str) else v for v in (design.values[p.name] for p in space.parameters)
        ]

    return Case(space, (Objective("ackley", "minimize", "md"),), public(function, read), lambda: 0.0)


def vessel(seed: int) -> Case:
    """The pressure vessel (Coello Coello & Mezura Montes 2002; PressureVessel of BoTorch): the thicknesses of shell and
    head in sixteenths of an inch, radius and length in inches, and the price in thousands to be kept low; its four
    constraints are rules."""
    from botorch.test_functions.synthetic import PressureVessel

    function = PressureVessel()
    parameters = [
        Parameter("shell", "integer", bounds=(1, 160)),
        Parameter("head", "integer", bounds=(1, 160)),
        Parameter("radius", "real", bounds=(10.0, 50.0), step=0.01),
        Parameter("length", "real", bounds=(150.0, 200.0), step=0.01),
    ]

    def read(design: Design) -> list[float]:
        v = {name: float(value) for name, value in design.values.items()}
        return [v["shell"] / 16, v["head"] / 16, v["radius"], v["length"]]

    def slack(x: Any) -> Any:
        return function._evaluate_slack_true(x * x.new_tensor([1 / 16, 1 / 16, 1, 1]))

    price = public(function, read)

    def stands(design: Design) -> list[Check]:
        shell, head, radius, length = read(design)
        volume = math.pi * radius**2 * (length + 4 / 3 * radius)
        return [
            Check("shell", shell >= 0.0193 * radius),
            Check("head", head >= 0.00954 * radius),
            Check("volume", volume >= 1_296_000),
        ]

    return Case(
        Space(parameters, checks=[stands]),
        (Objective("price", "minimize", "md"),),
        lambda d: price(d) / 1000,
        lambda: -BEST_PRICE,
        slack=slack,
    )


def brake(seed: int) -> Case:
    """The disc brake (Ray & Liew 2002; DiscBrake of BoTorch) with a whole number of discs: mass and stopping time to be
    kept low, four constraints as rules, BoTorch's reference point. Its constraints bind the numbers to each other."""
    from botorch.test_functions.multi_objective import DiscBrake

    function = DiscBrake()
    parameters = [
        Parameter("inner", "integer", bounds=(55, 80)),
        Parameter("outer", "integer", bounds=(75, 110)),
        Parameter("force", "real", bounds=(1000.0, 3000.0), step=1.0),
        Parameter("discs", "integer", bounds=(11, 20)),
    ]

    def read(design: Design) -> list[float]:
        return [float(design.values[p.name]) for p in parameters]

    limits = zip(("mass", "time"), function._ref_point, strict=True)
    objectives = tuple(Objective(name, "minimize", "md", threshold=limit) for name, limit in limits)

    def best() -> float:
        """Exact: mass does not depend on the force and time falls with it, so that of all forces only the greatest that
        pressure and temperature allow can be on the front."""
        import torch

        whole = [np.arange(p.bounds[0], p.bounds[1] + 1.0) for p in parameters if p.name != "force" and p.bounds]
        inner, outer, discs = (axis.ravel() for axis in np.meshgrid(*whole))
        ring = outer - inner >= 20
        inner, outer, discs = inner[ring], outer[ring], discs[ring]
        area, cubes = outer**2 - inner**2, outer**3 - inner**3
        force = np.floor(np.minimum(3000, np.minimum(0.4 * 3.14 * area, area**2 / (2.22e-3 * cubes))))
        x = torch.from_numpy(np.column_stack([inner, outer, force, discs])[force >= 1000])
        kept = x[(function.evaluate_slack_true(x) >= 0).all(-1)]
        return hypervolume(front(-function.evaluate_true(kept).numpy()), corner(objectives))

    def holds(design: Design) -> list[Check]:
        inner, outer, force, discs = read(design)
        if outer - inner < 20:
            return [Check("distance", False)]
        area, cubes = outer**2 - inner**2, outer**3 - inner**3
        return [
            Check("pressure", force <= 0.4 * 3.14 * area),
            Check("temperature", 2.22e-3 * force * cubes <= area**2),
            Check("torque", 2.66e-2 * force * discs * cubes >= 900 * area),
        ]

    space = Space(parameters, checks=[holds])
    return Case(space, objectives, public(function, read), best, slack=function._evaluate_slack_true)
