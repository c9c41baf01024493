"""One replica of one film: prepare, equilibrate, produce, judge. Each part goes on from what the journal holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.seeds import derive
from loop.types import Check, OracleFailure
from oracles.openmm.constants import GAS_CONSTANT
from oracles.openmm.observe import gates
from oracles.openmm.observe.dipoles import Moments
from oracles.openmm.observe.observer import Bonds, Observer, Thermometer, arrays
from oracles.openmm.observe.statistics import relaxed
from oracles.openmm.simulate.dispersion import Tail, tail_of
from oracles.openmm.simulate.energy import InteractionEnergy, charges
from oracles.openmm.simulate.equilibrate import Engine
from oracles.openmm.simulate.fidelity import Fidelity, Stage
from oracles.openmm.simulate.platforms import Compute, force_error, openmm_version
from oracles.openmm.simulate.pushoff import push_off
from oracles.openmm.simulate.segments import Journal

if TYPE_CHECKING:
    from oracles.openmm.build.specimen import Specimen

RUNAWAY = 2.0
"""Mean temperature of a segment over the target beyond which a run has blown up."""
PREPARED = "prepared"
FRAMES_KEPT = 3
FARTHEST = 900.0
"""nm; a PDB has no room for larger coordinates, which only an explosion has."""


class Exploded(Exception):
    """The integration ran away; `frames` (k, N, 3) nm are the last finite configurations."""

    def __init__(self, reason: str, frames: np.ndarray) -> None:
        super().__init__(reason)
        self.reason = reason
        self.frames = frames


class Replica:
    """A film under way on one platform; `journal` holds all that is finished.

    `run` raises Exploded where the integration runs away and OracleFailure where a gate fails before any dynamics.
    """

    def __init__(
        self, film: Specimen, fidelity: Fidelity, temperature: float, seed: int, compute: Compute, journal: Journal
    ) -> None:
        self.film, self.fidelity, self.temperature, self.seed = film, fidelity, temperature, seed
        self.last_frames = film.positions[None]
        self.compute, self._journal = compute, journal
        self._thermometer, self._bonds = Thermometer(film.system), Bonds(film.system)
        self.observer, self._moments = Observer(film), Moments(film)
        self._interaction: InteractionEnergy | None = None
        self._tail: Tail | None = None
        journal.resume(machine(film, compute))

    @property
    def heights(self) -> np.ndarray:
        """Sampled box heights (nm) of the last stage under pressure."""
        under_pressure = [stage for stage in self.fidelity.stages if stage.pressure is not None]
        return self._journal.series(under_pressure[-1].name)["height"]

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the mobile atoms."""
        return int(self._thermometer.freedom)

    def run(self) -> None:
        """Finish every segment that the journal does not hold yet. Each takes a core anew: where more runs than cores
        are under way, they take turns."""
        with exploding(self):
            with self.compute.core():
                engine = Engine(self.film, self.temperature, self.compute, self.seed)
                if not self._journal.entries:
                    self.prepare(engine)
            for index, (stage, steps, previous) in enumerate(segments(self.fidelity), start=1):
                if index >= len(self._journal.entries):
                    with self.compute.core():
                        self.advance(engine, index, stage, steps, previous)

    def energy_drift(self) -> Check:
        """The last configuration run on without thermostat: is the total energy conserved?"""
        import openmm

        stage, last = self.fidelity.production, self._journal.entries[-1]
        step, every = stage.step_fs * 1e-3, 10
        energies = []
        with exploding(self), self.compute.core():
            engine = Engine(self.film, self.temperature, self.compute, self.seed)
            engine.begin(stage, self.seed, self._journal.checkpoint(), last["height"])
            positions, velocities, box = arrays(engine.context, "positions", "velocities", "box")
            integrator = openmm.VerletIntegrator(step)
            context = self.compute.context(self.film.system, integrator)
            context.setPeriodicBoxVectors(*np.diag(box))
            context.setPositions(positions)
            context.setVelocities(velocities)
            for _ in range(self.fidelity.nve // every):
                integrator.step(every)
                state = context.getState(energy=True)
                energies.append((state.getPotentialEnergy() + state.getKineticEnergy())._value)
        times = step * every * np.arange(len(energies))
        kT = GAS_CONSTANT * self.temperature
        return gates.energy_drift(times, np.array(energies), self._thermometer.freedom, kT)

    def prepare(self, engine: Engine) -> None:
        """Overlaps removed, energy minimised, velocities drawn; the platform proven on this very film."""
        charged = self._charge_checks()
        refuse(charged)
        with self._journal.timed("push-off"):
            pushed = push_off(self.film, self.fidelity.push_off, derive(self.seed, "push-off"), self.compute)
        with self._journal.timed("minimise"):
            largest = engine.minimise(pushed, self.fidelity.minimise, self.seed)
            (positions,) = arrays(engine.context, "positions")
            self._keep(positions[None])
            force = gates.max_force(largest)
            if not force.passed:
                raise Exploded(f"largest force after minimisation {largest:.0f} kJ/mol/nm", self.last_frames)
            agree = force_error(engine.context.getSystem(), positions, self.compute, self.seed)
            refuse([agree])
        checks = [*charged, force, agree]
        self._journal.commit(
            PREPARED,
            0,
            engine.context.createCheckpoint(),
            {},
            height=float(self.film.box[2]),
            checks=[asdict(check) for check in checks],
        )

    def advance(self, engine: Engine, index: int, stage: Stage, steps: int, previous: Stage | None) -> None:
        """Run one segment and make it durable."""
        producing = stage is self.fidelity.production
        with self._journal.timed("production" if producing else "equilibration"):
            last = self._journal.entries[-1]
            engine.begin(stage, derive(self.seed, "segment", index), self._journal.checkpoint(), last["height"])
            if stage.pressure is None and previous is not None and previous.pressure is not None:
                engine.set_height(float(relaxed(self.heights).mean()))
            frames = self.sample(engine, stage, steps)
            series = {name: frames[name] for name in ("temperature", "height")}
            if producing:
                series |= self._observe(frames)
            self._journal.commit(
                stage.name, steps, engine.context.createCheckpoint(), series, height=float(frames["height"][-1])
            )

    def sample(self, engine: Engine, stage: Stage, steps: int) -> dict[str, np.ndarray]:
        """Dynamics of one segment with its sampled frames; Exploded where it runs away."""
        positions, temperatures, heights = [], [], []
        for _ in range(steps // stage.sample):
            engine.step(stage.sample)
            x, v, box = arrays(engine.context, "positions", "velocities", "box")
            positions.append(x)
            temperatures.append(self._thermometer(v))
            heights.append(box[2])
            self._keep(np.array(positions[-FRAMES_KEPT:]))
            if not np.isfinite(temperatures[-1]):
                raise Exploded(f"velocities are not finite in {stage.name}", self.last_frames)
        mean = float(np.mean(temperatures))
        if mean > RUNAWAY * max(self.temperature, stage.temperature):
            raise Exploded(f"temperature {mean:.0f} K in {stage.name}", self.last_frames)
        return {"positions": np.array(positions), "temperature": np.array(temperatures), "height": np.array(heights)}

    def _observe(self, frames: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Observables of production frames, and every so many frames the interaction energy and one for viewing."""
        positions, heights = frames["positions"], frames["height"]
        if self._interaction is None or self._tail is None:
            box = self.film.cell(float(heights[0]))
            self._interaction = InteractionEnergy(self.film.system, self.film.polymer, box, self.compute)
            self._tail = tail_of(self.film, box)
        self._interaction.restart()
        every = slice(None, None, self.fidelity.energy_every)
        found, both = [self._interaction(x) for x in positions[every]], self.film.interface
        return {
            **self.observer.series(positions, heights),
            **self._moments.series(positions),
            **self.observer.wall_field(positions[every], heights[every], np.array([each.pull for each in found])),
            "coulomb": np.array([each.coulomb for each in found]) / both,
            "lj": np.array([each.lj + self._tail(x) for each, x in zip(found, positions[every], strict=True)]) / both,
            "stretch": self._bonds.stretch(positions)[None],
            "slab": positions[-1:, self.film.slab],
            "view": positions[:: self.fidelity.view_every].astype(np.float32),
        }

    def _keep(self, frames: np.ndarray) -> None:
        """Remember those of `frames` (k, N, 3) nm that a file can show as the last that were seen."""
        near = frames[(np.abs(frames) < FARTHEST).all(axis=(1, 2))]
        if len(near):
            self.last_frames = near

    def _charge_checks(self) -> list[Check]:
        total = float(charges(self.film.system).sum())
        return gates.charges(total, self.film.dq, self.film.slab_dipole)


def segments(fidelity: Fidelity) -> Iterator[tuple[Stage, int, Stage | None]]:
    """(stage, steps, stage of the segment before) of every segment of a replica, in order."""
    previous = None
    for stage in fidelity.stages:
        for steps in stage.lengths():
            yield stage, steps, previous
            previous = stage


@contextmanager
def exploding(replica: Replica) -> Iterator[None]:
    """Turn OpenMM's complaint about coordinates that are not numbers into Exploded, any other (memory, driver) into an
    infrastructure failure."""
    import openmm

    try:
        yield
    except openmm.OpenMMException as error:
        told = str(error).splitlines()[0]
        if "nan" in told.lower() or "infinite" in told.lower():
            raise Exploded(told, replica.last_frames) from error
        raise OracleFailure("infrastructure", f"OpenMM on {replica.compute.platform}: {told}") from error


def refuse(checks: Sequence[Check]) -> None:
    """Raise OracleFailure for the first gate that is not passed, with the cause it stands for."""
    for check in checks:
        if not check.passed:
            raise OracleFailure(gates.CAUSES[check.name], describe(check), checks=checks)


def describe(check: Check) -> str:
    """`name value unit exceeds limit: detail` in one line."""
    value, limit = (f"{x:.4g}" if isinstance(x, float) else x for x in (check.value, check.limit))
    return f"{check.name} is {value} {check.unit}, limit {limit}: {check.detail}".rstrip(": ")


def machine(film: Specimen, compute: Compute) -> dict[str, Any]:
    """What a checkpoint depends on: platform, versions and the film to the last bit."""
    import openmm

    digest = hashlib.sha256(openmm.XmlSerializer.serialize(film.system).encode())
    digest.update(np.ascontiguousarray(film.positions).tobytes())
    return {
        "platform": compute.platform,
        "precision": compute.precision,
        "openmm": openmm_version(),
        "film": digest.hexdigest(),
    }
