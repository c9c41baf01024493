"""Does a surface favour all-trans (beta) chains? The same film is started beta and alpha, and so is the bulk.

Nothing crosses from one conformation to the other in the time of a run, so that the two ends can be compared. The films
of a pair have the same hydroxyls and ligands in the same places, which cancels the energy of the surface itself:

    beta_energy     = [(E_beta - E_alpha) / N]_film
    beta_preference = [(E_beta - E_alpha) / N]_film - [(E_beta - E_alpha) / N]_bulk

with E the potential energy and N the repeat units. Negative: the film favours beta, for whatever reason; the surface
does, beyond what the chains prefer away from any. Both ends run half a production.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import hypot
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loop.seeds import derive
from loop.types import Check, Estimate, OracleFailure, Outcome, Task, Value
from oracles.openmm.build import feasible
from oracles.openmm.build.away import away
from oracles.openmm.build.feasible_chains import chain_atoms
from oracles.openmm.build.size import SIZES, Seeds, Size
from oracles.openmm.materials import catalogue
from oracles.openmm.observe import answer, gates
from oracles.openmm.observe.statistics import estimate, find_equilibration
from oracles.openmm.outcome import as_json, from_json
from oracles.openmm.simulate.energy import potential_energies
from oracles.openmm.simulate.fidelity import FIDELITIES, Fidelity
from oracles.openmm.simulate.platforms import Compute, openmm_version
from oracles.openmm.simulate.replica import Replica, describe
from oracles.openmm.simulate.segments import Journal, write_durably
from oracles.openmm.simulate.tries import tried

if TYPE_CHECKING:
    from oracles.openmm.build.film import Film

BETA_PREFERENCE = "beta_preference"
PROPERTIES: Mapping[str, str] = {BETA_PREFERENCE: "kJ/mol", "beta_energy": "kJ/mol", "beta_adhesion": "mJ/m^2"}
"""`beta_energy` is that of the film alone; `beta_adhesion` the adhesion energy of the beta film less the alpha's."""
STARTS = ("beta", "alpha")
SURFACE = ("oxide", "facet", "termination", "hydroxyl_density", "ligand", "ligand_density")
"""What a bulk does not depend on."""
BULK_GAPS = 2
"""Gaps of a film that a bulk is high, so that its box holds the cut-off."""
KEPT = 0.5
"""Share of neighbouring trans pairs that tells beta from alpha chains."""

Build = Callable[[Mapping[str, Value], Size, Seeds], "Film"]


def ends(fidelity: str) -> Fidelity:
    """What each end runs: half the production, every frame kept for its energy."""
    run = FIDELITIES[fidelity]
    return replace(run, production=replace(run.production, steps=run.production.steps // 2), view_every=1)


def check(values: Mapping[str, Value], fidelity: str, oxide_model: str, pvdf_model: str) -> list[Check]:
    """Whether the film can be built from both starts."""
    return [
        replace(found, name=f"{start}: {found.name}")
        for start in STARTS
        for found in feasible.check({**values, "start": start}, fidelity, oxide_model, pvdf_model)
    ]


def bulk_atoms(values: Mapping[str, Value], fidelity: str) -> int:
    return BULK_GAPS * chain_atoms(feasible.with_defaults(values), SIZES[fidelity])


@dataclass(frozen=True)
class Pair:
    """Runs both ends of a film and of its bulk. `question` is that of the task; `cache` keeps finished bulks."""

    build: Build
    compute: Compute
    cache: Path | None
    question: Mapping[str, Any]

    def outcome(self, values: Mapping[str, Value], task: Task, workdir: Path, surface: int) -> Outcome:
        """The three properties, from runs in folders of their own in `workdir`; goes on where it was interrupted.

        Raises OracleFailure where an end does not hold, its reason naming the end.
        """
        films = {start: self._film_end(values, start, task, workdir, surface) for start in STARTS}
        bulks = {start: self._bulk_end(values, start, task, workdir) for start in STARTS}
        checks = [kept(name, run) for name, run in (*films.items(), *((f"bulk {s}", r) for s, r in bulks.items()))]
        seconds = {start: run.provenance["cpu_seconds"] for start, run in films.items()}
        provenance = {"two_ended_cpu_seconds": seconds}
        return Outcome(preference(films, bulks), tuple(checks), (), provenance)

    def _film_end(self, values: Mapping[str, Value], start: str, task: Task, workdir: Path, surface: int) -> Outcome:
        design = {**values, "start": start}

        def film(retry: int) -> tuple[Film, int]:
            seed = derive(task.seed, start, retry)
            seeds = Seeds(surface, derive(seed, "chains"), derive(seed, "velocities"))
            return self.build(design, SIZES[task.fidelity], seeds), seeds.velocities

        question = {**self.question, "start": start, "surface": surface}
        ligands = values["ligand"] != catalogue.NO_LIGAND
        conclude = partial(film_answer, ligands=ligands)
        return self._run(question, workdir / start, task.fidelity, design, film, conclude)

    def _bulk_end(self, values: Mapping[str, Value], start: str, task: Task, workdir: Path) -> Outcome:
        """The k-th replicate of every design has the k-th bulk: designs share its noise, replicates do not."""
        own = {name: value for name, value in values.items() if name not in SURFACE}
        design = feasible.with_defaults({**own, "start": start})
        size = replace(SIZES[task.fidelity], gap=BULK_GAPS * SIZES[task.fidelity].gap)

        def film(retry: int) -> tuple[Film, int]:
            seed = derive(task.replicate, "bulk", start, retry)
            seeds = Seeds(0, derive(seed, "chains"), derive(seed, "velocities"))
            return away(self.build(design, size, seeds)), seeds.velocities

        left_out = ("design", "seed", "oxide_model", "observables")
        question = {key: value for key, value in self.question.items() if key not in left_out}
        question |= {"bulk": design, "replicate": task.replicate, "device": asdict(self.compute)}
        question |= {"openmm": openmm_version(), "ends": asdict(ends(task.fidelity)), "size": asdict(size)}
        known = self._known(question)
        if known is not None:
            return known
        found = self._run(question, workdir / f"bulk-{start}", task.fidelity, design, film, bulk_answer, kind=Bulk)
        self._keep(question, found)
        return found

    def _run(
        self,
        question: Mapping[str, Any],
        folder: Path,
        fidelity: str,
        design: Mapping[str, Value],
        film: Callable[[int], tuple[Film, int]],
        conclude: Callable[[Replica, Journal], Outcome],
        kind: type[Replica] = Replica,
    ) -> Outcome:
        journal = Journal(folder, question)
        run = ends(fidelity)

        def prepare(retry: int) -> Replica:
            with journal.timed("build"):
                built, seed = film(retry)
            lengths = run if retry == 0 else run.halved()
            return kind(built, lengths, float(design["temperature"]), seed, self.compute, journal)

        if journal.answer is None:
            try:
                found = tried(journal, folder, prepare, lambda replica: conclude(replica, journal))
            except OracleFailure as failure:
                reason = f"{folder.name}: {failure.reason}"
                evidence = [f"{folder.name}/{name}" for name in failure.evidence]
                raise OracleFailure(failure.cause, reason, evidence, failure.checks) from failure
            journal.finish(as_json(found))
        return from_json(journal.answer or {})

    def _known(self, question: Mapping[str, Any]) -> Outcome | None:
        try:
            return from_json(json.loads(self._place(question).read_bytes()))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _keep(self, question: Mapping[str, Any], found: Outcome) -> None:
        place = self._place(question)
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            draft = Path(folder) / place.name
            write_durably(draft, json.dumps(as_json(found)).encode())
            draft.replace(place)

    def _place(self, question: Mapping[str, Any]) -> Path:
        from oracles.openmm.forcefield.sage import default_cache

        digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:20]
        return (self.cache or default_cache()) / "bulk" / f"{digest}.json"


class Bulk(Replica):
    """A film without surface: only frames are kept of it."""

    def _observe(self, frames: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        positions = frames["positions"]
        return {"stretch": self._bonds.stretch(positions)[None], "view": positions.astype(np.float32)}


def film_answer(replica: Replica, journal: Journal, ligands: bool) -> Outcome:
    """Energy per repeat unit, conformation and adhesion of a film that passes the gates of any film."""
    series = journal.series(replica.fidelity.production.name)
    run = answer.settled(series)
    require(answer.judge(replica, series, run, ligands))
    reported = answer.estimates(replica.film, series, replica.heights, run)
    own = energy(replica, series) | {name: reported[name] for name in ("adhesion_energy", "tt_fraction")}
    return Outcome(own, provenance={"cpu_seconds": sum(journal.seconds.values())})


def bulk_answer(replica: Replica, journal: Journal) -> Outcome:
    """Energy per repeat unit and conformation of a bulk at its temperature with its bonds whole."""
    series = journal.series(replica.fidelity.production.name)
    production = replica.fidelity.production
    memory = production.steps * production.step_fs * 1e-3 * production.friction
    checks = [gates.temperature(series["temperature"], replica.temperature, replica.freedom, memory)]
    require([*checks, *gates.bond_stretch(series["stretch"].mean(axis=0))])
    tt = replica.observer.conformations(series["view"].astype(float))[1]
    own = energy(replica, series) | {"tt_fraction": estimate(tt, "1", find_equilibration(tt))}
    return Outcome(own, provenance={"cpu_seconds": sum(journal.seconds.values())})


def energy(replica: Replica, series: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
    """Mean potential energy per repeat unit, kJ/mol."""
    film = replica.film
    box = np.array([*film.box[:2], series["height"][-1]])
    energies = potential_energies(film.system, series["view"], box, replica.compute) / len(film.monomers)
    return {"energy": estimate(energies, "kJ/mol", find_equilibration(energies))}


def preference(films: Mapping[str, Outcome], bulks: Mapping[str, Outcome]) -> dict[str, Estimate]:
    """The three properties from the runs of both ends; errors of the runs in quadrature. They are those of single runs,
    a lower bound: replicates decide."""
    surface = difference(films, "energy")
    bulk = difference(bulks, "energy")
    mean, se = surface.mean - bulk.mean, hypot(surface.se, bulk.se)
    return {
        BETA_PREFERENCE: replace(surface, mean=mean, se=se),
        "beta_energy": surface,
        "beta_adhesion": difference(films, "adhesion_energy"),
    }


def difference(runs: Mapping[str, Outcome], name: str) -> Estimate:
    beta, alpha = (runs[start][name] for start in STARTS)
    return Estimate(beta.mean - alpha.mean, hypot(beta.se, alpha.se), beta.unit, method="beta less alpha, one run each")


def kept(name: str, run: Outcome) -> Check:
    """Whether an end still is what it started as."""
    tt = run["tt_fraction"].mean
    lost = tt < KEPT if "beta" in name else tt > KEPT
    return gates.flag(
        f"start kept: {name}", lost, tt, KEPT, "1", "the chains have left the conformation they started in"
    )


def merged(outcome: Outcome, more: Outcome) -> Outcome:
    """One Outcome of both."""
    return Outcome(
        {**outcome.estimates, **more.estimates},
        (*outcome.checks, *more.checks),
        (*outcome.artifacts, *more.artifacts),
        {**outcome.provenance, **more.provenance},
    )


def require(checks: list[Check]) -> None:
    for found in checks:
        if not found.passed:
            raise OracleFailure(gates.CAUSES[found.name], describe(found), checks=checks)
