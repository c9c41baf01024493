"""The molecular dynamics oracle: one task is one replica of one film, answered with error bars or a typed failure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loop.seeds import derive
from loop.types import TEACHING_CAUSES, Check, Design, OracleFailure, Outcome, Task, Value
from oracles.keys import BadKey, one_of
from oracles.openmm import descriptions, field, modulus, two_ended
from oracles.openmm.build import feasible
from oracles.openmm.build.feasible_particle import whole_particle
from oracles.openmm.build.film import build_film
from oracles.openmm.build.polymers import PVDF_MODELS
from oracles.openmm.build.size import SIZES, Seeds, Size
from oracles.openmm.build.suspension import build_suspension
from oracles.openmm.field import FIELD_RESPONSE
from oracles.openmm.forcefield import oxides
from oracles.openmm.materials import catalogue
from oracles.openmm.modulus import MODULUS_ZZ
from oracles.openmm.observe import answer, interphase, permittivity
from oracles.openmm.observe.interphase import INTERPHASE
from oracles.openmm.observe.permittivity import PERMITTIVITY
from oracles.openmm.outcome import as_json, conclude, failure_as_json, from_json
from oracles.openmm.simulate.fidelity import FIDELITIES, Fidelity
from oracles.openmm.simulate.platforms import NAMES, PRECISIONS, choose, problem
from oracles.openmm.simulate.pushoff import STRENGTHS
from oracles.openmm.simulate.replica import Replica
from oracles.openmm.simulate.segments import Journal
from oracles.openmm.simulate.tries import MAX_RETRIES, tried
from oracles.openmm.two_ended import BETA_PREFERENCE, merged

if TYPE_CHECKING:
    from oracles.openmm.build.film import Film
    from oracles.openmm.build.specimen import Specimen

OBSERVABLES: Mapping[str, Mapping[str, str]] = {
    BETA_PREFERENCE: two_ended.PROPERTIES,
    FIELD_RESPONSE: field.PROPERTIES,
    MODULUS_ZZ: modulus.PROPERTIES,
    PERMITTIVITY: permittivity.PROPERTIES,
    INTERPHASE: interphase.PROPERTIES,
}
"""What a campaign may ask for, and the properties each reports."""
AFTER_PRODUCTION: Mapping[str, Callable[[Replica, Journal], Outcome]] = {
    FIELD_RESPONSE: field.respond,
    MODULUS_ZZ: modulus.respond,
    PERMITTIVITY: permittivity.respond,
    INTERPHASE: interphase.respond,
}
"""Those that a finished replica answers."""
LEAST = {MODULUS_ZZ: "standard", PERMITTIVITY: "standard", INTERPHASE: "standard"}
"""The first fidelity at which the signal stands out: at `screen` it drowns in the scatter of seeds, or the film is too
thin to have a middle."""
SECONDS_PER_ATOM_STEP = 3e-6
"""One idle CPU core, PME at 0.8-0.9 nm: 2.3 to 3.5 microseconds were measured; a shared core takes twice that."""
SECONDS_SET_UP = 5.0
"""Interpreter, imports, building, platform proof, files."""
BYTES_SERIES, BYTES_TOPOLOGY_ATOM, BYTES_MANIFEST = 4e4, 100.0, 2e4
"""Manifest and series; a line of PDB with its bonds; a manifest alone."""
PUSH_OFF_SHARE, MINIMISER_STEPS = 1.0, 2.0
"""Time of a push-off step and of an iteration of the minimiser over that of a step of dynamics."""


class OpenMMOracle:
    """Sandwich films of polymer between oxide surfaces, or whole nanoparticles in a melt (`particle_radius`), simulated
    with OpenMM.

    Keys of a campaign: `oxide_model`, the published set for the oxide; `pvdf_model`, the force field of plain PVDF,
    `sage` or `byutner-smith` (all other polymers have `sage`); `observables`, what else is measured
    (`beta_preference`: two more films and, unless known, two bulks; `field_response`: 12 ps in a field; `modulus_zz`:
    500 ps under strain; `permittivity`, `interphase`: from production itself); `platform`, `auto` or a name that then
    must work; `precision` on a GPU; `cache`, for fitted force-field parameters and bulks (default: the user's folder).
    """

    kind = "simulation"
    isolation = "process"
    execution_keys = ("platform", "cache")
    properties: Mapping[str, str] = answer.PROPERTIES
    fidelities = tuple(FIDELITIES)

    def __init__(
        self,
        oxide_model: str = oxides.DEFAULT,
        pvdf_model: str = PVDF_MODELS[0],
        platform: str = "auto",
        precision: str = "mixed",
        cache: Path | None = None,
        observables: Sequence[str] = (),
    ) -> None:
        one_of("oxide_model", oxide_model, oxides.MODELS)
        one_of("pvdf_model", pvdf_model, PVDF_MODELS)
        one_of("platform", platform, NAMES)
        one_of("precision", precision, PRECISIONS)
        self.oxide_model, self.pvdf_model = oxide_model, pvdf_model
        self.platform, self.precision = platform, precision
        self.cache = cache
        for name in observables:
            one_of("observables", name, tuple(OBSERVABLES))
        self.observables = tuple(name for name in OBSERVABLES if name in observables)
        asked = {name: unit for key in self.observables for name, unit in OBSERVABLES[key].items()}
        self.properties = {**answer.PROPERTIES, **asked}

    describe = staticmethod(descriptions.describe)
    heads = staticmethod(descriptions.heads)
    named = staticmethod(descriptions.named)

    @staticmethod
    def materials() -> dict[str, Any]:
        """Tables of what can be simulated, and of what not and why."""
        from oracles.openmm.listing import materials

        return materials()

    def ready(self) -> None:
        """Raises BadKey where the platform that is named does not work on this machine."""
        missing = problem(self.platform, self.precision)
        if missing:
            raise BadKey("platform", missing)

    def default_replicates(self, fidelity: str) -> int:
        """Replicas of a design unless the campaign says otherwise."""
        return FIDELITIES[fidelity].replicates

    def evaluate(self, design: Design, task: Task, workdir: Path) -> Outcome:
        """Run one replica with its own surface, chain and velocity seeds; on a work folder begun before, go on.

        An integration that runs away is tried again with new seeds and half the step, twice; each try is in the
        provenance. Raises OracleFailure: `unphysical` or `unconverged` where a gate fails (files show why),
        `infeasible` where the film cannot be built, `infrastructure` where platform or disk do not work.
        """
        try:
            journal = Journal(workdir, self._question(design, task))
            if journal.answer is None:
                journal.finish(self._settle(design, task, workdir, journal))
        except OSError as error:
            raise OracleFailure("infrastructure", f"the work folder cannot be used: {error}") from error
        return from_json(journal.answer or {})

    def check(self, design: Design, fidelity: str) -> Sequence[Check]:
        """Whether the film can be built, each rule with its limit and cure; pure, milliseconds."""
        checks = feasible.check(design.values, fidelity, self.oxide_model, self.pvdf_model)
        if whole_particle(feasible.with_defaults(design.values)):
            return [*checks, *map(_needs_a_film, self.observables)]
        if BETA_PREFERENCE in self.observables:
            checks += two_ended.check(design.values, fidelity, self.oxide_model, self.pvdf_model)
        return [*checks, *(_heard(name, fidelity) for name in self.observables if name in LEAST)]

    def cost(self, design: Design, fidelity: str) -> float:
        """Expected seconds of one replica on one CPU core: atoms times steps, and setting up.

        With `beta_preference` the bulks are counted every time, though those of a polymer, chain length and temperature
        are run once.
        """
        atoms = feasible.atoms(design.values, fidelity, self.oxide_model)
        seconds = SECONDS_SET_UP + _seconds(FIDELITIES[fidelity], atoms)
        if FIELD_RESPONSE in self.observables:
            seconds += SECONDS_PER_ATOM_STEP * 2 * field.steps(FIDELITIES[fidelity].production.step_fs) * atoms
        if MODULUS_ZZ in self.observables:
            seconds += SECONDS_PER_ATOM_STEP * modulus.STRETCH.steps(FIDELITIES[fidelity].production) * atoms
        if BETA_PREFERENCE in self.observables:
            bulk = two_ended.bulk_atoms(design.values, fidelity)
            seconds += 2 * (_seconds(two_ended.ends(fidelity), atoms) + _seconds(two_ended.ends(fidelity), bulk))
        return seconds

    def disk(self, design: Design, fidelity: str) -> float:
        """Bytes one replica leaves: viewing frames in single precision, topology, series."""
        run = FIDELITIES[fidelity]
        frames = run.production.steps / run.production.sample / run.view_every
        atoms = feasible.atoms(design.values, fidelity, self.oxide_model)
        manifests = BYTES_MANIFEST * 2 * len(two_ended.STARTS) if BETA_PREFERENCE in self.observables else 0.0
        return BYTES_SERIES + manifests + atoms * (BYTES_TOPOLOGY_ATOM + 12 * frames)

    def _settle(self, design: Design, task: Task, workdir: Path, journal: Journal) -> dict[str, Any]:
        """The answer as JSON: an outcome, or the failure that says something about the design."""
        try:
            return as_json(self._answer(design, task, workdir, journal))
        except OracleFailure as failure:
            if failure.cause not in TEACHING_CAUSES:
                raise
            return {"failure": failure_as_json(failure)}

    def _answer(self, design: Design, task: Task, workdir: Path, journal: Journal) -> Outcome:
        compute = choose(self.platform, self.precision)
        values = feasible.with_defaults(design.values)
        seeds = [self._seeds(task, retry) for retry in range(MAX_RETRIES + 1)]

        def prepare(retry: int) -> Replica:
            fidelity = FIDELITIES[task.fidelity] if retry == 0 else FIDELITIES[task.fidelity].halved()
            with journal.timed("build"):
                specimen = self._specimen(values, SIZES[task.fidelity], seeds[retry])
            return Replica(specimen, fidelity, float(values["temperature"]), seeds[retry].velocities, compute, journal)

        def finish(replica: Replica) -> Outcome:
            ligands = values["ligand"] != catalogue.NO_LIGAND
            found = conclude(replica, journal, compute, workdir, ligands)
            for name, respond in AFTER_PRODUCTION.items():
                if name in self.observables:
                    found = merged(found, respond(replica, journal))
            return found

        outcome = tried(journal, workdir, prepare, finish)
        if BETA_PREFERENCE in self.observables:
            pair = two_ended.Pair(self._film, compute, self.cache, self._question(design, task))
            outcome = merged(outcome, pair.outcome(values, task, workdir, seeds[0].surface))
        return outcome

    def _seeds(self, task: Task, retry: int) -> Seeds:
        seed = derive(task.seed, "try", retry)
        return Seeds(*(derive(seed, purpose) for purpose in ("surface", "chains", "velocities")))

    def _specimen(self, values: Mapping[str, Value], size: Size, seeds: Seeds) -> Specimen:
        if whole_particle(values):
            return build_suspension(values, size, seeds, self.cache, self.oxide_model, self.pvdf_model)
        return self._film(values, size, seeds)

    def _film(self, values: Mapping[str, Value], size: Size, seeds: Seeds) -> Film:
        return build_film(values, size, seeds, self.cache, self.oxide_model, self.pvdf_model)

    def _question(self, design: Design, task: Task) -> dict[str, Any]:
        """What the answer depends on; a work folder of another question is not gone on with."""
        settings = asdict(FIDELITIES[task.fidelity])
        return {
            "design": dict(design.values),
            "fidelity": task.fidelity,
            "seed": task.seed,
            "settings": settings,
            "size": asdict(SIZES[task.fidelity]),
            "oxide_model": self.oxide_model,
            "pvdf_model": self.pvdf_model,
            "platform": self.platform,
            "precision": self.precision,
            "observables": list(self.observables),
        }


def _seconds(run: Fidelity, atoms: int) -> float:
    """Of the dynamics, push-off and minimisation of so many atoms."""
    steps: float = sum(stage.steps for stage in run.stages) + run.nve
    steps += len(STRENGTHS) * run.push_off * PUSH_OFF_SHARE + MINIMISER_STEPS * run.minimise
    return SECONDS_PER_ATOM_STEP * steps * atoms


def _needs_a_film(observable: str) -> Check:
    """What refuses an observable of a design with a whole particle."""
    cure = f"{observable} is one of flat films: take it out of `observables`, or set particle_radius to 0"
    return Check(observable, False, "whole particle", "flat film", detail=cure)


def _heard(observable: str, fidelity: str) -> Check:
    """Whether an observable stands out of its noise at a fidelity."""
    least = LEAST[observable]
    enough = list(FIDELITIES).index(fidelity) >= list(FIDELITIES).index(least)
    cure = "" if enough else f"noise at {fidelity}: set `fidelity: {least}`, or take it out of `observables`"
    return Check(observable, enough, fidelity, least, detail=cure)
