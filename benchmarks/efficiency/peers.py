"""Other people's optimizers behind one method, with the settings that their authors recommend.

What they cannot express of the rules is handled alike for all: a peer that picks from a table is offered valid designs,
drawn anew for every round; one that searches the space itself is asked again for what breaks a rule or was evaluated
before, and after so many times gets the nearest valid design instead (both counted in `notes`): Ax after ASKS, Optuna,
whose proposals take milliseconds, after 10000; where the valid designs are those of a table, both at once.
"""

from __future__ import annotations

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from acquisition.encoding import Encoding
from benchmarks.efficiency.cases import Case
from benchmarks.efficiency.methods import Method
from loop.seeds import derive
from loop.space import is_fixed
from loop.types import Design, Parameter, Record

if TYPE_CHECKING:
    from torch import Tensor

CANDIDATES = 1000
"""As many as the product's pool."""
ASKS = 4
RULED_OUT = 100.0
"""Nats: more than any two valid designs differ by."""


class Peer:
    """What the adapters share. `free` are the parameters that vary."""

    def __init__(self, case: Case, seed: int) -> None:
        self.notes: dict[str, float] = {}
        self.case, self.seed = case, seed
        self.free = [p for p in case.space.parameters if not is_fixed(p)]

    def draw(self, *purpose: str | int) -> int:
        """A seed that other people's generators take."""
        return derive(self.seed, *purpose) % 2**31

    def values(self, design: Design) -> dict[str, Any]:
        return {p.name: design.values[p.name] for p in self.free}

    def count(self, what: str) -> None:
        self.notes[what] = self.notes.get(what, 0) + 1

    def candidates(self, records: Sequence[Record], round: int) -> list[Design]:
        known = {record.design for record in records}
        drawn = self.case.space.sample(CANDIDATES + len(known), seed=self.draw("candidates", round))
        return [design for design in drawn if design not in known][:CANDIDATES]

    def completed(
        self, designs: list[Design], refused: Sequence[Design], q: int, records: Sequence[Record], round: int
    ) -> list[Design]:
        """Up to q designs, what is missing being made up by candidates near to those refused first."""
        if len(designs) == q:
            return designs
        left = [design for design in self.candidates(records, round) if design not in designs]
        return designs + self.instead_of(refused[: q - len(designs)], left)

    def instead_of(self, refused: Sequence[Design], left: Sequence[Design]) -> list[Design]:
        """The designs left that are nearest to those refused."""
        encoding = Encoding(self.case.space)
        apart = encoding.distances(encoding.rows(refused), encoding.rows(left))
        found = []
        for row in apart:
            found.append(int(row.argmin()))
            apart[:, found[-1]] = float("inf")
            self.count("replaced")
        return [left[i] for i in found]


class Asked(Peer, ABC):
    """A peer that searches the space itself: it is asked again for what breaks a rule or was evaluated before."""

    def __init__(self, case: Case, seed: int) -> None:
        super().__init__(case, seed)
        self.told = 0
        self.open: dict[Design, Any] = {}

    @abstractmethod
    def times(self, q: int) -> int:
        """How often to ask for a batch of q before what is missing is made up."""

    @abstractmethod
    def ask(self, n: int) -> Iterable[tuple[Any, Mapping[str, Any]]]:
        """At most n proposals: the peer's own handle, and the values."""

    @abstractmethod
    def refuse(self, handle: Any) -> None:
        """Tell that a proposal is not to be had."""

    @abstractmethod
    def answer(self, handle: Any, record: Record) -> None:
        """Tell the record of a proposal."""

    @abstractmethod
    def attach(self, record: Record) -> None:
        """Tell the record of a design that the peer did not propose."""

    def propose(self, records: Sequence[Record], q: int, round: int) -> list[Design]:
        self.tell(records)
        known, designs, refused = {record.design for record in records}, list[Design](), list[Design]()
        for _ in range(self.times(q)):
            for handle, values in self.ask(q - len(designs)):
                design = self.case.space.canonicalise(values)
                if design in known or self.case.space.violations(design):
                    self.refuse(handle)
                    self.count("refused")
                    refused.append(design)
                else:
                    known.add(design)
                    self.open[design] = handle
                    designs.append(design)
            if len(designs) == q:
                break
        return self.completed(designs, refused, q, records, round)

    def tell(self, records: Sequence[Record]) -> None:
        for record in records[self.told :]:
            if record.design in self.open:
                self.answer(self.open.pop(record.design), record)
            else:
                self.attach(record)
        self.told = len(records)


class Optuna(Asked):
    """The tree-structured Parzen estimator, `multivariate` and with the constant liar for batches."""

    def __init__(self, case: Case, seed: int) -> None:
        import optuna

        super().__init__(case, seed)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.TPESampler(
            multivariate=True, constant_liar=True, n_startup_trials=0, seed=self.draw("optuna")
        )
        directions = ["minimize" if o.falls else "maximize" for o in case.objectives]
        self.study = optuna.create_study(directions=directions, sampler=sampler)
        self.distributions = {p.name: distribution(p) for p in self.free}

    def times(self, q: int) -> int:
        return q if self.case.listed else 10_000

    def ask(self, n: int) -> list[tuple[Any, Mapping[str, Any]]]:
        """One at a time: each learns of the refusal of those before it."""
        trial = self.study.ask(self.distributions)
        return [(trial, trial.params)]

    def refuse(self, handle: Any) -> None:
        from optuna.trial import TrialState

        self.study.tell(handle, state=TrialState.FAIL)

    def answer(self, handle: Any, record: Record) -> None:
        self.study.tell(handle, self.means(record))

    def attach(self, record: Record) -> None:
        from optuna.trial import create_trial

        params, values = self.values(record.design), self.means(record)
        self.study.add_trial(create_trial(params=params, distributions=self.distributions, values=values))

    def means(self, record: Record) -> list[float]:
        return [record.estimates[o.property].mean for o in self.case.objectives]


def distribution(p: Parameter) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if p.bounds is None:
        return CategoricalDistribution(p.choices)
    low, high = p.bounds
    return IntDistribution(int(low), int(high)) if p.kind == "integer" else FloatDistribution(low, high)


class BayBE(Peer):
    """BayBE's Bayesian recommender as it comes, on a table of valid designs, choices by the descriptors there are."""

    def propose(self, records: Sequence[Record], q: int, round: int) -> list[Design]:
        import pandas as pd
        from baybe.recommenders import BotorchRecommender
        from baybe.searchspace import SearchSpace, SubspaceDiscrete
        from baybe.settings import Settings

        candidates = self.candidates(records, round)
        table = pd.DataFrame([self.values(design) for design in candidates])
        told = pd.DataFrame([self.values(record.design) for record in records])
        known = pd.concat([table, told])
        # `SearchSpace.from_dataframe` makes the same space, but compares every value with every level
        space = SearchSpace(SubspaceDiscrete([self.parameter(p, known[p.name]) for p in self.free], table))
        for o in self.case.objectives:
            told[o.property] = [record.estimates[o.property].mean for record in records]
        with Settings(random_seed=self.draw("baybe", round)):
            found = BotorchRecommender().recommend(q, space, self.objective(), told)
        return [candidates[i] for i in found.index]

    def parameter(self, p: Parameter, values: Any) -> Any:
        import pandas as pd
        from baybe.parameters import CategoricalParameter, CustomDiscreteParameter, NumericalDiscreteParameter

        if p.bounds is not None:
            return NumericalDiscreteParameter(p.name, sorted({float(value) for value in values}))
        described = self.case.described.descriptors(p.name)
        told = pd.DataFrame.from_dict(dict(described or {}), orient="index")
        telling = told.loc[:, told.nunique() > 1]  # BayBE refuses what is the same for all
        return CategoricalParameter(p.name, p.choices) if telling.empty else CustomDiscreteParameter(p.name, telling)

    def objective(self) -> Any:
        from baybe.objectives import ParetoObjective, SingleTargetObjective
        from baybe.targets import NumericalTarget

        targets = [NumericalTarget(o.property, minimize=o.falls) for o in self.case.objectives]
        return SingleTargetObjective(targets[0]) if len(targets) == 1 else ParetoObjective(targets)


class Ax(Asked):
    """Ax's own choice of method (Modular BoTorch), told the standard errors."""

    def __init__(self, case: Case, seed: int) -> None:
        from ax.api.client import Client

        super().__init__(case, seed)
        logging.disable(logging.WARNING)
        warnings.simplefilter("ignore")
        self.client = Client(random_seed=self.draw("ax"))
        self.client.configure_experiment([self.parameter(p) for p in self.free])
        goals = ", ".join(f"-{o.property}" if o.falls else o.property for o in case.objectives)
        limits = [
            f"{o.property} {'<=' if o.falls else '>='} {o.threshold}"
            for o in case.objectives
            if o.threshold is not None
        ]
        self.client.configure_optimization(goals, outcome_constraints=limits or None)
        self.client.configure_generation_strategy(initialization_budget=0, initialize_with_center=False)

    def parameter(self, p: Parameter) -> Any:
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        if p.bounds is None:
            return ChoiceParameterConfig(p.name, [str(choice) for choice in p.choices], "str", is_ordered=False)
        if p.kind == "integer":
            return RangeParameterConfig(p.name, (int(p.bounds[0]), int(p.bounds[1])), "int")
        return RangeParameterConfig(p.name, p.bounds, "float")

    def times(self, q: int) -> int:
        return 1 if self.case.listed else ASKS

    def ask(self, n: int) -> Iterable[tuple[Any, Mapping[str, Any]]]:
        return self.client.get_next_trials(n).items()

    def refuse(self, handle: Any) -> None:
        self.client.mark_trial_abandoned(handle)

    def answer(self, handle: Any, record: Record) -> None:
        estimates = ((o.property, record.estimates[o.property]) for o in self.case.objectives)
        self.client.complete_trial(handle, {name: (estimate.mean, estimate.se) for name, estimate in estimates})

    def attach(self, record: Record) -> None:
        self.answer(self.client.attach_trial(self.values(record.design)), record)


class BoTorch(Peer):
    """As its tutorials have it: `MixedSingleTaskGP` with the errors given (`SingleTaskGP` where nothing is a choice),
    qLogNEI or qLogNEHVI, optimized over valid designs."""

    def propose(self, records: Sequence[Record], q: int, round: int) -> list[Design]:
        import torch

        x = self.rows([record.design for record in records])
        torch.manual_seed(self.draw("botorch", round))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.optimized(self.acquisition(self.model(x, records), x), records, q, round)

    def optimized(self, acquisition: Any, records: Sequence[Record], q: int, round: int) -> list[Design]:
        """q designs of which much is expected."""
        from botorch.optim import optimize_acqf_discrete

        candidates = self.candidates(records, round)
        choices = self.rows(candidates)
        found, _ = optimize_acqf_discrete(acquisition, q, choices, max_batch_size=128)
        return [candidates[int((choices == row).all(-1).nonzero()[0, 0])] for row in found]

    def rows(self, designs: Sequence[Design]) -> Tensor:
        """(n, width): choices by their number, numbers as fractions of their range."""
        import torch

        rows = [[fraction(p, design.values[p.name]) for p in self.free] for design in designs]
        return torch.tensor(rows, dtype=torch.float64)

    def model(self, x: Tensor, records: Sequence[Record]) -> Any:
        import torch
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import MixedSingleTaskGP, ModelListGP, SingleTaskGP
        from gpytorch.mlls import SumMarginalLogLikelihood

        categorical = [i for i, p in enumerate(self.free) if p.bounds is None]
        models = []
        for o in self.case.objectives:
            told = [record.estimates[o.property] for record in records]
            y = torch.tensor([[o.utility(e.mean)] for e in told], dtype=torch.float64)
            noise = torch.tensor([[max(e.se**2, 1e-6)] for e in told], dtype=torch.float64)
            models.append(MixedSingleTaskGP(x, y, categorical, noise) if categorical else SingleTaskGP(x, y, noise))
        model = ModelListGP(*models)
        fit_gpytorch_mll(SumMarginalLogLikelihood(model.likelihood, model))
        return model

    def acquisition(self, model: Any, x: Tensor) -> Any:
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.acquisition.multi_objective import logei

        logei._load_attempted = True  # no compiling of C++ on first use, as in `acquisition.improve`
        if len(model.models) == 1:
            return qLogNoisyExpectedImprovement(model.models[0], x, prune_baseline=True)
        return logei.qLogNoisyExpectedHypervolumeImprovement(model, self.case.corner, x, prune_baseline=True)


def fraction(p: Parameter, value: Any) -> float:
    if p.bounds is None:
        return float(p.choices.index(value))
    return (float(value) - p.bounds[0]) / (p.bounds[1] - p.bounds[0])


class Searched(BoTorch):
    """The same, optimized over the whole space by BoTorch's alternating mixed optimizer as it comes, which takes linear
    constraints only: what breaks a rule is expected to bring RULED_OUT less. What it proposes that is known already, or
    breaks a rule, is replaced."""

    def optimized(self, acquisition: Any, records: Sequence[Record], q: int, round: int) -> list[Design]:
        import torch
        from botorch.acquisition.penalized import PenalizedAcquisitionFunction
        from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating

        levels = {i: len(p.choices) for i, p in enumerate(self.free) if p.bounds is None}
        steps = {i: int(p.bounds[1] - p.bounds[0]) for i, p in enumerate(self.free) if p.bounds and p.kind == "integer"}
        bounds = torch.tensor([[0.0, levels.get(i, 2) - 1.0] for i in range(len(self.free))], dtype=torch.float64).mT
        found, _ = optimize_acqf_mixed_alternating(
            PenalizedAcquisitionFunction(acquisition, self.broken, RULED_OUT),
            bounds,
            discrete_dims={i: [k / n for k in range(n + 1)] for i, n in steps.items()},
            cat_dims={i: list(range(n)) for i, n in levels.items()},
            q=q,
        )
        designs, refused, known = list[Design](), list[Design](), {record.design for record in records}
        for row in found.tolist():
            design = self.design(row)
            wrong = design in known or design in designs or self.case.space.violations(design)
            (refused if wrong else designs).append(design)
        return self.completed(designs, refused, q, records, round)

    def design(self, row: Sequence[float]) -> Design:
        """The nearest design to a row."""
        values = {}
        for p, x in zip(self.free, row, strict=True):
            values[p.name] = p.choices[round(x)] if p.bounds is None else p.bounds[0] + x * (p.bounds[1] - p.bounds[0])
        return self.case.space.canonicalise(values)

    def broken(self, x: Tensor) -> Tensor:
        """(batch,) 1 where a row of x (batch, q, width) breaks a rule."""
        rules = self.case.space.violations
        flags = [
            any(rules(self.design(row)) for row in rows) for rows in x.detach().reshape(-1, *x.shape[-2:]).tolist()
        ]
        return x.new_tensor(flags)


PEERS: Mapping[str, Callable[[Case, int], Method]] = {
    "Optuna TPE": Optuna,
    "BayBE": BayBE,
    "Ax": Ax,
    "BoTorch mixed GP": BoTorch,
    "BoTorch, space searched": Searched,
}
