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

    `step_fs` fs, `friction` 1/ps, `pressure` bar along z (None: constant volume), `temperature` K where that is hotter
    than the film's own; `segment` and `sample` are the steps between checkpoints and between sampled frames.
    """

    name: str
    steps: int
    step_fs: float
    friction: float
    pressure: float | None = None
    temperature: float = 0.0
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


def ramp(steps: int) -> tuple[Stage, ...]:
    """`steps` of dynamics at each of 0.5, 1 and 2 fs, strongly damped."""
    return tuple(Stage(f"ramp {fs:g} fs", steps, fs, 10.0) for fs in (0.5, 1.0, 2.0))


def densify(steps: int) -> tuple[Stage, ...]:
    """`steps` of dynamics at constant volume, at 1000 and at 300 bar."""
    relax = Stage("relax", steps, 4.0, 5.0)
    return relax, *(Stage(f"compress {bar} bar", steps, 4.0, 5.0, pressure=float(bar)) for bar in (1000, 300))


def anneal(steps: int) -> tuple[Stage, ...]:
    """`steps` at 600 K, half as many at 550, 500 and 450 K, `steps` at the film's own temperature, all at 1 bar; then
    constant volume. Torsions of PVDF cross their barriers in tens of ps at 500 K and in ns at 300 K."""
    cooling = ((600, steps), (550, steps // 2), (500, steps // 2), (450, steps // 2))
    return (
        *(Stage(f"anneal {kelvin} K", n, 4.0, 2.0, pressure=1.0, temperature=float(kelvin)) for kelvin, n in cooling),
        Stage("compress 1 bar", steps, 4.0, 2.0, pressure=1.0),
        Stage("settle", steps // 2, 4.0, 1.0),
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
    # 4.6, against 3.3 after 20 ps). 2750 steps of equilibration. Segments of 2000 steps lose 8 s to a kill.
    "screen": Fidelity(
        replicates=3,
        push_off=150,
        minimise=300,
        equilibration=(
            *ramp(100),
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
    # 1 ns after an anneal from 600 K: conformations of chains twice as long relax, profiles and moduli mean something.
    # Hours of a CPU core, minutes of a GPU.
    "standard": Fidelity(
        replicates=4,
        push_off=400,
        minimise=500,
        equilibration=(*ramp(300), *densify(2500), *anneal(12500)),
        production=Stage("production", 250_000, 4.0, 1.0, segment=10_000, sample=500),
        energy_every=4,
        view_every=10,
        nve=1000,
    ),
    # 10 ns, for a GPU.
    "production": Fidelity(
        replicates=4,
        push_off=400,
        minimise=1000,
        equilibration=(*ramp(500), *densify(12_500), *anneal(62_500)),
        production=Stage("production", 2_500_000, 4.0, 1.0, segment=25_000, sample=2500),
        energy_every=4,
        view_every=20,
        nve=1000,
    ),
}
