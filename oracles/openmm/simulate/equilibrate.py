"""From pushed-off chains to a film under the full force field at its own density."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np

from oracles.openmm.observe.observer import arrays
from oracles.openmm.simulate.fidelity import Stage
from oracles.openmm.simulate.platforms import Compute
from oracles.openmm.simulate.pushoff import seed32

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen

BAROSTAT_EVERY = 10
"""Steps between trial moves of the box height while a pressure is set."""
MINIMISE_TOLERANCE = 20.0
"""kJ/mol/nm, root mean square force."""


class Engine:
    """One Context with the film's force field, a thermostat, and a barostat that moves its free edges."""

    def __init__(self, film: Specimen, temperature: float, compute: Compute, seed: int) -> None:
        import openmm

        self.temperature = temperature
        self._film = film
        system = copy.deepcopy(film.system)
        system.setDefaultPeriodicBoxVectors(*np.diag(film.box))
        self._barostat, self._pressure = film.barostat(temperature)
        system.addForce(self._barostat)
        self._integrator = openmm.LangevinMiddleIntegrator(temperature, 1.0, 0.001)
        self._set_seeds(seed)
        self.context = compute.context(system, self._integrator)

    def minimise(self, positions: np.ndarray, iterations: int, seed: int) -> float:
        """Relax `positions` (N, 3) nm, give velocities, and return the largest force on a mobile atom, kJ/mol/nm."""
        import openmm

        self.context.setPositions(positions)
        openmm.LocalEnergyMinimizer.minimize(self.context, MINIMISE_TOLERANCE, iterations)
        mobile = np.ones(len(positions), dtype=bool)
        mobile[self._film.slab] = False
        largest = float(np.linalg.norm(arrays(self.context, "forces")[0][mobile], axis=1).max())
        self.context.applyConstraints(1e-6)
        self.context.setVelocitiesToTemperature(self.temperature, seed32(seed, "velocities"))
        return largest

    def begin(self, stage: Stage, seed: int, checkpoint: bytes, height: float) -> None:
        """Make the Context ready for a segment, from the checkpoint of the one before at box height `height` nm.

        A fresh start every time (no neighbour list, no random state survives) is what makes a resumed run identical.
        """
        self._integrator.setStepSize(stage.step_fs * 1e-3)
        self._integrator.setFriction(stage.friction)
        self._barostat.setFrequency(BAROSTAT_EVERY if stage.pressure is not None else 0)
        self._set_seeds(seed)
        box = self._film.cell(height)
        self.context.getSystem().setDefaultPeriodicBoxVectors(*np.diag(box))
        self.context.reinitialize()
        self.context.loadCheckpoint(checkpoint)
        temperature = max(self.temperature, stage.temperature)
        self._integrator.setTemperature(temperature)
        self.context.setParameter(self._barostat.Temperature(), temperature)
        if stage.pressure is not None:
            self.context.setParameter(self._pressure, stage.pressure)

    def _set_seeds(self, seed: int) -> None:
        """Before a Context exists too: where a checkpoint holds the state of a generator, that state must have come
        from a seed."""
        self._integrator.setRandomNumberSeed(seed32(seed, "thermostat"))
        self._barostat.setRandomNumberSeed(seed32(seed, "barostat"))

    def step(self, steps: int) -> None:
        self._integrator.step(steps)

    def set_height(self, height: float) -> None:
        """Change the box height to `height` nm: chains move as rigid bodies."""
        positions, box = arrays(self.context, "positions", "box")
        self.context.setPeriodicBoxVectors(*np.diag(self._film.cell(height)))
        self.context.setPositions(self._film.rescaled(positions, float(box[2]), height))
