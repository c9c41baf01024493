"""What each fidelity runs: one frozen table. Sizes of films are in `build.size`; the physics is the same in all.

The recipe (cosine push-off, 0.5-1-2-4 fs ramp, compression along z only, NVT production at 4 fs with hydrogens of
3 amu) was measured: 4 fs drifts 0.2 kT/ns per degree of freedom, 5 fs 1.3 and hydrogens of 4 amu blow up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of dynamics under one setting, run in segments with a checkpoint at the end of each.

    `step_fs` fs, `friction` 1/ps, `pressure` bar along z (None: constant volume); `segment` and `sample` are the steps
    between checkpoints and between sampled frames.
    """

    name: str
    steps: int
    step_fs: float
    friction: float
    pressure: float | None = None
    segment: int = 1000
    sample: int = 50

    def lengths(self) -> list[int]:
        """Steps of each segment; they add up to `steps`."""
        whole, rest = divmod(self.steps, self.segment)
        return [self.segment] * whole + ([rest] if rest else [])

    def halved(self) -> Stage:
        """The same stretch of time with half the step: what a retry runs."""
        return replace(
            self, steps=2 * self.steps, step_fs=self.step_fs / 2, segment=2 * self.segment, sample=2 * self.sample
        )


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Lengths of one replica. `push_off` are steps per strength of the soft repulsion, `nve` steps of the energy
    conservation test; interaction energies and viewing frames are taken every so many production frames."""

    replicates: int
    push_off: int
    minimise: int
    equilibration: tuple[Stage, ...]
    production: Stage
    energy_every: int
    view_every: int
    nve: int

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (*self.equilibration, self.production)

    def halved(self) -> Fidelity:
        return replace(
            self,
            equilibration=tuple(stage.halved() for stage in self.equilibration),
            production=self.production.halved(),
        )


FIDELITIES: Mapping[str, Fidelity] = {
    # About 10 CPU-seconds, seven of them dynamics. Too short for the film to settle: ranks adhesion like a second
    # screen run (Pearson 0.96) but reads it too weak, and says nothing about the dipole.
    "smoke": Fidelity(
        replicates=1,
        push_off=150,
        minimise=100,
        equilibration=(
            Stage("ramp 0.5 fs", 60, 0.5, 10.0, sample=20),
            Stage("ramp 1 fs", 60, 1.0, 10.0, sample=20),
            Stage("ramp 2 fs", 80, 2.0, 10.0, sample=20),
            Stage("compress", 150, 4.0, 5.0, pressure=1000.0, sample=25),
            Stage("relax", 250, 4.0, 5.0, pressure=1.0, sample=25),
        ),
        production=Stage("production", 1000, 4.0, 1.0, segment=500, sample=20),
        energy_every=2,
        view_every=5,
        nve=400,
    ),
    # 48 ps: the shortest run whose three replicas separate surfaces by their first-layer dipole (signal over noise
    # 4.6, against 3.3 after 20 ps). 2800 steps of equilibration. Segments of 2000 steps lose 8 s to a kill.
    "screen": Fidelity(
        replicates=3,
        push_off=150,
        minimise=300,
        equilibration=(
            Stage("ramp 0.5 fs", 100, 0.5, 10.0),
            Stage("ramp 1 fs", 100, 1.0, 10.0),
            Stage("ramp 2 fs", 150, 2.0, 10.0),
            Stage("relax", 250, 4.0, 5.0),
            Stage("compress 1000 bar", 500, 4.0, 5.0, pressure=1000.0),
            Stage("compress 300 bar", 350, 4.0, 5.0, pressure=300.0),
            Stage("compress 1 bar", 1000, 4.0, 5.0, pressure=1.0, segment=1000),
            Stage("settle", 350, 4.0, 1.0),
        ),
        production=Stage("production", 12000, 4.0, 1.0, segment=2000, sample=100),
        energy_every=4,
        view_every=4,
        nve=500,
    ),
}
