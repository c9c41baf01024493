"""What a person writes with BoTorch by hand, after its tutorials."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.efficiency.peer import CANDIDATES, Peer, nearest
from loop.types import Design, Parameter, Record

if TYPE_CHECKING:
    from torch import Tensor

RULED_OUT = 100.0
"""Nats: more than any two valid designs differ by."""
MOST = 10.0
"""How often its usual size a rule is broken at most."""
NEAR = 0.003, 0.01, 0.03, 0.1
"""Fractions of the range that numbers are moved by where a proposal has to be, the least that helps."""


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
    constraints only: what breaks a rule is expected to bring RULED_OUT less, and where `Case.slack` is known as many
    times that as the rule is broken by. What it proposes that is known already or still breaks a rule is moved to the
    nearest valid design around it."""

    def optimized(self, acquisition: Any, records: Sequence[Record], q: int, round: int) -> list[Design]:
        import torch
        from botorch.acquisition.penalized import PenalizedAcquisitionFunction
        from botorch.optim.optimize_mixed import optimize_acqf_mixed_alternating

        levels = {i: len(p.choices) for i, p in enumerate(self.free) if p.bounds is None}
        steps = {i: int(p.bounds[1] - p.bounds[0]) for i, p in enumerate(self.free) if p.bounds and p.kind == "integer"}
        bounds = torch.tensor([[0.0, levels.get(i, 2) - 1.0] for i in range(len(self.free))], dtype=torch.float64).mT
        found, _ = optimize_acqf_mixed_alternating(
            PenalizedAcquisitionFunction(acquisition, self.excess() if self.case.slack else self.broken, RULED_OUT),
            bounds,
            discrete_dims={i: [k / n for k in range(n + 1)] for i, n in steps.items()},
            cat_dims={i: list(range(n)) for i, n in levels.items()},
            q=q,
        )
        designs, refused, known = list[Design](), list[Design](), {record.design for record in records}
        for k, row in enumerate(found.tolist()):
            design = self.design(row)
            if not self.fits(design, known):
                self.count("moved")
                moved = self.beside(row, design, known, self.draw("beside", round, k))
                if moved is None:
                    refused.append(design)
                    continue
                design = moved
            known.add(design)
            designs.append(design)
        return self.completed(designs, refused, q, records, round)

    def beside(self, row: Sequence[float], refused: Design, known: Collection[Design], seed: int) -> Design | None:
        """The valid design nearest to the one refused among many whose numbers are a little off."""
        rng = np.random.default_rng(seed)
        numeric = np.array([p.bounds is not None for p in self.free])
        for sd in NEAR:
            rows = np.asarray(row) + sd * numeric * rng.normal(size=(CANDIDATES, len(row)))
            rows[:, numeric] = rows[:, numeric].clip(0, 1)
            around = [d for d in dict.fromkeys(map(self.design, rows.tolist())) if self.fits(d, known)]
            if around:
                return nearest(self.case.space, [refused], around)[0]
        return None

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

    def excess(self) -> Callable[[Tensor], Tensor]:
        """By how much rows break the rules, (batch,) of (batch, q, width), each rule in its usual size, added up."""
        import torch

        slack, bounds = self.case.slack, [p.bounds for p in self.free if p.bounds]
        low, high = torch.tensor(bounds, dtype=torch.float64).mT

        def held(x: Tensor) -> Tensor:
            return torch.nan_to_num(slack(low + x * (high - low)))

        torch.manual_seed(self.draw("slack"))
        usual = held(torch.rand(CANDIDATES, len(bounds), dtype=torch.float64)).abs().median(0).values
        return lambda x: (-held(x) / usual).clamp(0, MOST).sum(-1).amax(-1)
