"""How stiff a film is across: its normal stress at five strains.

From the end of production the box is stretched and squeezed by up to two per cent of the gap, every chain as a rigid
body, the slab rigid throughout; each of the five films then relaxes and is sampled, all with the same random numbers.
The normal pressure of a frame follows from its potential energy U on scaling the chains' centres with the gap h,

    Pzz = -dU/dLz / A + N_chains kT / (A h)          modulus_zz = -dPzz/de,  e = dLz / h,

dU/dLz by central difference. Any point of a molecule may be scaled in place of its atoms (Ciccotti & Ryckaert, Comput.
Phys. Rep. 1986, 4, 346: the molecular virial). 100 ps after a sudden strain this is a stiffness at very high
rate, with both interfaces in it and no sideways contraction: an upper bound of the tensile modulus, not its value.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from loop.seeds import derive
from loop.types import Check, Estimate, Outcome
from oracles.openmm.build.film import flat
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.observe import gates
from oracles.openmm.observe.statistics import Equilibration, estimate
from oracles.openmm.outcome import as_json, from_json
from oracles.openmm.simulate.equilibrate import Engine
from oracles.openmm.simulate.fidelity import Stage
from oracles.openmm.simulate.platforms import Compute
from oracles.openmm.simulate.replica import Replica, exploding, machine
from oracles.openmm.simulate.segments import Journal

if TYPE_CHECKING:
    from oracles.openmm.build.film import Film

MODULUS_ZZ = "modulus_zz"
PROPERTIES: Mapping[str, str] = {MODULUS_ZZ: "GPa"}
GPA = 1.66053906660e-3
"""GPa in one kJ/mol/nm^3."""
STEP = 2e-4
"""nm between the two box heights of a central difference."""
MISFIT = 3.0
"""Mean squared deviation from the straight line, in squared standard errors, beyond which it is no line."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The runs: strains of the gap; ps of each run, of it left out at the start, between samples and checkpoints."""

    strains: tuple[float, ...] = (-0.02, -0.01, 0.0, 0.01, 0.02)
    length: float = 100.0
    relax: float = 20.0
    every: float = 0.2
    segment: float = 20.0

    def stage(self, name: str, production: Stage) -> Stage:
        """One run, with the step and friction of production."""
        steps, segment, sample = (
            round(time * 1e3 / production.step_fs) for time in (self.length, self.segment, self.every)
        )
        return Stage(name, steps, production.step_fs, production.friction, segment=segment, sample=sample)

    def steps(self, production: Stage) -> float:
        """Steps of all runs; the two energies of a sample cost one each."""
        stage = self.stage("", production)
        return len(self.strains) * stage.steps * (1 + 2 / stage.sample)


STRETCH = Stretch()


def respond(replica: Replica, journal: Journal, stretch: Stretch = STRETCH) -> Outcome:
    """The property of a finished replica, whose `journal` is left as it is; goes on with what the folder `modulus` in
    its folder holds. Raises Exploded."""
    end = journal.entries[-1]
    question = {"from": end["checkpoint"]["sha256"], "stretch": asdict(stretch)}
    own = Journal(journal.folder / MODULUS_ZZ, question)
    own.resume(machine(replica.film, replica.compute))
    if own.answer is None:
        run(replica, own, journal.checkpoint(), end["height"], stretch)
        first = round(stretch.relax / stretch.every)
        pressures = [own.series(name)["pressure"][first:] for name in names(stretch)]
        own.finish(as_json(stiffness(stretch.strains, pressures)))
    journal.seconds.update(own.seconds)
    return from_json(own.answer or {})


def names(stretch: Stretch) -> list[str]:
    return [f"strain {strain:+g}" for strain in stretch.strains]


def run(replica: Replica, journal: Journal, checkpoint: bytes, height: float, stretch: Stretch) -> None:
    """Finish every segment that the `journal` does not hold yet; each strain starts from `checkpoint`, a film in a box
    of `height` nm."""
    stages = segments(replica.fidelity.production, stretch)
    with exploding(replica):
        with replica.compute.core():
            engine = Engine(replica.film, replica.temperature, replica.compute, replica.seed)
        for index, (stage, strain, number, steps) in enumerate(stages):
            if index >= len(journal.entries):
                with replica.compute.core(), journal.timed(MODULUS_ZZ):
                    strained = height + strain * (height - flat(replica.film).slab_height)
                    seed = derive(replica.seed, MODULUS_ZZ, number)
                    if number:
                        engine.begin(stage, seed, journal.checkpoint(), strained)
                    else:
                        engine.begin(stage, seed, checkpoint, height)
                        engine.set_height(strained)
                    frames = replica.sample(engine, stage, steps)["positions"]
                    pressure = NormalPressure(flat(replica.film), strained, replica.temperature, replica.compute)
                    series = {"pressure": np.array([pressure(positions) for positions in frames])}
                    journal.commit(stage.name, steps, engine.context.createCheckpoint(), series)


def segments(production: Stage, stretch: Stretch) -> Iterator[tuple[Stage, float, int, int]]:
    """(stage, strain, number within the stage, steps) of every segment in order."""
    for name, strain in zip(names(stretch), stretch.strains, strict=True):
        stage = stretch.stage(name, production)
        for number, steps in enumerate(stage.lengths()):
            yield stage, strain, number, steps


class NormalPressure:
    """Evaluates Pzz in GPa of configurations of a film in a box of `height` nm."""

    def __init__(self, film: Film, height: float, temperature: float, compute: Compute) -> None:
        import openmm

        self._film, self._height = film, height
        system = copy.deepcopy(film.system)
        system.setDefaultPeriodicBoxVectors(*np.diag([*film.box[:2], height]))
        self._context = compute.context(system, openmm.VerletIntegrator(0.001))
        self._ideal = len(film.chains) * GAS_CONSTANT * temperature / (film.area * (height - film.slab_height))

    def __call__(self, positions: np.ndarray) -> float:
        """Of `positions` (N, 3) nm."""
        above, below = (self._energy(positions, self._height + sign * STEP / 2) for sign in (1, -1))
        return float(GPA * (self._ideal - (above - below) / (STEP * self._film.area)))

    def _energy(self, positions: np.ndarray, height: float) -> float:
        self._context.setPeriodicBoxVectors(*np.diag([*self._film.box[:2], height]))
        self._context.setPositions(self._film.rescaled(positions, self._height, height))
        return float(self._context.getState(energy=True).getPotentialEnergy()._value)


def stiffness(strains: Sequence[float], pressures: Sequence[np.ndarray]) -> Outcome:
    """Minus the slope of the straight line through the mean pressures (GPa, one series (frames,) a strain).

    The error is that of the means or of their scatter about the line, whichever is larger: a lower bound, the chains
    being the same in all; replicates decide.
    """
    whole = Equilibration(0.0, 0.0, float("inf"))
    means = [estimate(series, "GPa", whole) for series in pressures]
    stress, errors = np.array([-found.mean for found in means]), np.array([found.se for found in means])
    centred = np.asarray(strains) - np.mean(strains)
    weights = centred / (centred**2).sum()
    slope = float(weights @ stress)
    residual = stress - stress.mean() - slope * centred
    freedom = len(strains) - 2
    scatter = np.sqrt((residual**2).sum() / freedom * (weights**2).sum())
    se = float(max(np.sqrt((weights**2 * errors**2).sum()), scatter))
    method = f"{len(strains)} strains from {min(strains):+g} to {max(strains):+g}, straight line"
    curve = {"strain": list(strains), "stress_GPa": stress.tolist(), "se_GPa": errors.tolist()}
    return Outcome(
        {MODULUS_ZZ: Estimate(slope, se, "GPa", method=method)},
        (straight(residual, errors, freedom),),
        provenance={MODULUS_ZZ: curve},
    )


def straight(residual: np.ndarray, errors: np.ndarray, freedom: int) -> Check:
    """Whether the stresses lie on a line within their errors."""
    misfit = float(((residual / errors) ** 2).sum() / freedom)
    detail = "stress is not linear in strain: the film yields, or its chains moved on between runs"
    return gates.flag("modulus_linear", misfit > MISFIT, misfit, MISFIT, "1", detail)
