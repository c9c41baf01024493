"""Other people's optimizers behind one method, with the settings that their authors recommend.

Ax is asked ASKS times for what breaks no rule, Optuna, whose proposals take milliseconds, 10000 times; where the valid
designs are those of a table, both once.
"""

from __future__ import annotations

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from benchmarks.efficiency.cases import Case
from benchmarks.efficiency.handmade import BoTorch, Searched
from benchmarks.efficiency.methods import Method
from benchmarks.efficiency.peer import Peer
from loop.types import Design, Parameter, Record

ASKS = 4


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
                if self.fits(design, known):
                    known.add(design)
                    self.open[design] = handle
                    designs.append(design)
                else:
                    self.refuse(handle)
                    self.count("refused")
                    refused.append(design)
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


PEERS: Mapping[str, Callable[[Case, int], Method]] = {
    "Optuna TPE": Optuna,
    "BayBE": BayBE,
    "Ax": Ax,
    "BoTorch mixed GP": BoTorch,
    "BoTorch, space searched": Searched,
}
