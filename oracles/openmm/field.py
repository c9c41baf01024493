"""How far the chains of a film turn in an electric field along its normal, in a fixed time.

From the end of production the film runs 6 ps twice, in +E and in -E, with the same random numbers: half the
difference is what the field does, and most of the noise is common to both. A field of 1.5 V/nm is strong (the response
is no longer linear) and weak enough to leave conformations alone; a tenth of it drowns in noise. The response still
grows after 6 ps, so that only equal times compare. It is no static permittivity.

    field_response = (P(+E) - P(-E)) / (2 eps0 E),  P = sum_polymer q z / (A h)
    wall_response  = <mu_z(+E) - mu_z(-E)> / (2 E)  over the monomers that start in the first layer

P over the gap of height h, ligands' room not counted, both averaged over the last 2 ps; a periodic cell in a conducting
medium.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.seeds import derive
from loop.types import Estimate, OracleFailure, Outcome
from oracles.openmm.build.film import flat
from oracles.openmm.constants import FARADAY
from oracles.openmm.observe.observer import arrays
from oracles.openmm.observe.permittivity import EPSILON0
from oracles.openmm.observe.statistics import Equilibration, estimate
from oracles.openmm.simulate.energy import charges
from oracles.openmm.simulate.equilibrate import Engine
from oracles.openmm.simulate.pushoff import seed32
from oracles.openmm.simulate.replica import Exploded, Replica, exploding
from oracles.openmm.simulate.segments import Journal

if TYPE_CHECKING:
    import openmm


FIELD_RESPONSE = "field_response"
PROPERTIES: Mapping[str, str] = {FIELD_RESPONSE: "1", "wall_response": "D*nm/V"}
FIELD = 1.5
"""V/nm."""
LENGTH, EVERY, WINDOW = 6.0, 0.2, 2.0
"""ps in all, between samples, and averaged over at the end."""
STAGES = {"field +": 1.0, "field -": -1.0}


def steps(step_fs: float) -> int:
    """Steps of one of the two runs."""
    return round(LENGTH * 1e3 / step_fs)


def respond(replica: Replica, journal: Journal) -> Outcome:
    """Both properties of a finished replica; goes on with what the journal holds.

    Raises Exploded, and OracleFailure("unconverged") where no monomer starts in the first layer.
    """
    for stage, sign in STAGES.items():
        if not journal.series(stage):
            with journal.timed("field"):
                series = run(replica, journal, sign * FIELD)
            # the film stays where it was: the checkpoint is the one this run started from
            height = journal.entries[-1]["height"]
            journal.commit(stage, 0, journal.checkpoint(), series, height=height)
    plus, minus = (journal.series(stage) for stage in STAGES)
    return Outcome(response(plus, minus))


def response(plus: Mapping[str, np.ndarray], minus: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
    """Both properties from the series of the two runs: `polarisation` (samples,) e/nm^2 and `dipole` (samples,) D, one
    sample every 0.2 ps. The errors are those of one pair, a lower bound: replicates decide."""
    last = round(WINDOW / EVERY)
    whole = Equilibration(0.0, 0.0, float("inf"))
    turned, near = ((plus[name][-last:] - minus[name][-last:]) / (2 * FIELD) for name in ("polarisation", "dipole"))
    return {
        FIELD_RESPONSE: estimate(turned / EPSILON0, "1", whole),
        "wall_response": estimate(near, PROPERTIES["wall_response"], whole),
    }


def run(replica: Replica, journal: Journal, field: float) -> dict[str, np.ndarray]:
    """Series of one run in `field` V/nm from the end of production."""
    film, stage, last = flat(replica.film), replica.fidelity.production, journal.entries[-1]
    seed = derive(replica.seed, "field")
    with exploding(replica), replica.compute.core():
        engine = Engine(film, replica.temperature, replica.compute, replica.seed)
        engine.begin(stage, replica.seed, journal.checkpoint(), last["height"])
        positions, velocities, box = arrays(engine.context, "positions", "velocities", "box")
        layer = replica.observer.first_layer(positions[None], box[2:])[0]
        if not layer.any():
            raise OracleFailure("unconverged", "no monomer is in the first layer: nothing near the wall to turn")
        context, integrator = _context(replica, field, seed, box)
        context.setPositions(positions)
        context.setVelocities(velocities)
        frames = []
        for _ in range(round(LENGTH / EVERY)):
            integrator.step(round(EVERY * 1e3 / stage.step_fs))
            frames.append(arrays(context, "positions")[0])
    sampled = np.array(frames)
    if not np.isfinite(sampled).all():
        raise Exploded(f"coordinates are not finite in a field of {field:g} V/nm", replica.last_frames)
    q = charges(film.system)[film.polymer]
    return {
        "polarisation": sampled[:, film.polymer, 2] @ q / (film.area * film.gap(float(box[2]))),
        "dipole": replica.observer.normal_dipoles(sampled)[:, layer].mean(axis=1),
    }


def _context(replica: Replica, field: float, seed: int, box: np.ndarray) -> tuple[openmm.Context, Any]:
    """A Context of the film in a field (V/nm) along z, and its integrator."""
    import openmm

    film, stage = replica.film, replica.fidelity.production
    system = copy.deepcopy(film.system)
    system.setDefaultPeriodicBoxVectors(*np.diag(box))
    force = openmm.CustomExternalForce("-field*q*z")
    force.addGlobalParameter("field", FARADAY * field)
    force.addPerParticleParameter("q")
    for atom, q in enumerate(charges(film.system)):
        if system.getParticleMass(atom)._value > 0:
            force.addParticle(atom, [q])
    system.addForce(force)
    integrator = openmm.LangevinMiddleIntegrator(replica.temperature, stage.friction, stage.step_fs * 1e-3)
    integrator.setRandomNumberSeed(seed32(seed, "thermostat"))
    return replica.compute.context(system, integrator), integrator
