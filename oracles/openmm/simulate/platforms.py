"""Which hardware runs the simulation, decided before the first step and proven on the film itself.

Order: CUDA, HIP, OpenCL on a real GPU, CPU. OpenMM ranks the CPU emulation of OpenCL (PoCL) above its own CPU platform,
in single precision and 3-6 times slower; here it runs only when it is named. A named platform is a hard requirement.
"""

from __future__ import annotations

import locale
import os
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from loop.types import Check, OracleFailure
from oracles.openmm.simulate.cores import one_core

if TYPE_CHECKING:
    import openmm

AUTOMATIC = ("CUDA", "HIP", "OpenCL", "CPU")
NAMES = ("auto", *AUTOMATIC, "PoCL", "Reference")
UNFAILING = ("auto", "CPU", "Reference")
"""Platforms that every machine has, or that fall back on one."""
PRECISIONS = ("mixed", "single", "double")
POCL_VENDOR = "Portable Computing Language"
FORCE_ERROR_LIMIT = 1e-4
"""Median relative force error against Reference; 2e-5 is usual in single precision."""
SHAKE = 0.01
"""nm."""


@dataclass(frozen=True, slots=True)
class Compute:
    """A platform that works here: `properties` are what a Context on it needs."""

    platform: str
    device: str
    precision: str
    properties: dict[str, str] = field(default_factory=dict)

    def context(self, system: openmm.System, integrator: openmm.Integrator) -> openmm.Context:
        """A Context on this platform. On a CPU the environment is told to use one thread: the reciprocal part of PME
        starts threads of its own, which the platform's property does not reach and which make forces irreproducible."""
        import openmm

        if self.platform == "CPU":
            os.environ["OPENMM_CPU_THREADS"] = "1"
        spoken = locale.setlocale(locale.LC_ALL)
        try:
            return openmm.Context(
                system, integrator, openmm.Platform.getPlatformByName(self.platform), dict(self.properties)
            )
        finally:
            # on OpenCL this leaves the process in the C locale, in which Python reads files as ASCII
            locale.setlocale(locale.LC_ALL, spoken)

    def core(self) -> AbstractContextManager[int | None]:
        """On a CPU, a core of its own for a run's Contexts made (or reinitialised) inside; elsewhere nothing."""
        return one_core() if self.platform == "CPU" else nullcontext()


def choose(name: str = "auto", precision: str = "mixed") -> Compute:
    """The first platform of the order that works, or the named one.

    Raises OracleFailure("infrastructure") where the named platform does not work here.
    """
    reasons = {}
    for candidate in AUTOMATIC if name == "auto" else (name,):
        found = _try(candidate, precision)
        if isinstance(found, Compute):
            return found
        reasons[candidate] = found
    tried = "; ".join(f"{candidate}: {reason}" for candidate, reason in reasons.items())
    raise OracleFailure(
        "infrastructure",
        f"platform {name} does not work on this machine ({tried}); it has {', '.join(available())}; "
        "name one of these, or auto",
    )


def problem(name: str, precision: str) -> str:
    """Why a platform does not work on this machine, or nothing.

    Asked of a process of its own: a GPU's driver, once started, would stay with this one.
    """
    if name in UNFAILING:
        return ""
    command = [sys.executable, "-P", "-m", "oracles.openmm.simulate.platforms", name, precision]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    told = (done.stdout or done.stderr).strip().splitlines()
    return "" if done.returncode == 0 else told[-1] if told else f"trying it ended with code {done.returncode}"


def available() -> list[str]:
    """Names of the platforms this OpenMM was installed with."""
    import openmm

    return [openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())]


def properties_of(platform: str, precision: str) -> dict[str, str]:
    """Properties of a platform: one thread on a CPU (a second one makes runs irreproducible and wins little)."""
    if platform == "CPU":
        return {"Threads": "1"}
    if platform == "Reference":
        return {}
    properties = {"Precision": precision}
    if platform == "CUDA":
        properties["DeterministicForces"] = "true"
    return properties


def _try(name: str, precision: str) -> Compute | str:
    """A Compute proven by creating a small Context, or why there is none."""
    import openmm

    platform = "OpenCL" if name == "PoCL" else name
    if platform not in available():
        return "not installed"
    emulation = _opencl_devices(POCL_VENDOR) if platform == "OpenCL" else {}
    properties = properties_of(platform, precision)
    if name == "PoCL":
        if not emulation:
            return "no PoCL device"
        properties["OpenCLPlatformIndex"] = str(min(emulation))
    system = openmm.System()
    system.addParticle(1.0)
    integrator = openmm.VerletIntegrator(0.001)
    try:
        context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName(platform), properties)
    except openmm.OpenMMException as error:
        return str(error).splitlines()[0]
    device = _device(context)
    if name == "OpenCL" and POCL_VENDOR in device:
        return f"its only device is an emulation on the CPU ({device}); name PoCL to use that"
    kind = properties.get("Precision", "double" if platform == "Reference" else "mixed")
    return Compute(platform, device, kind, properties)


def _opencl_devices(vendor: str) -> dict[int, str]:
    """Indices of the OpenCL platforms of a vendor, found by asking for each in turn."""
    import openmm

    found = {}
    for index in range(8):
        system = openmm.System()
        system.addParticle(1.0)
        try:
            context = openmm.Context(
                system,
                openmm.VerletIntegrator(0.001),
                openmm.Platform.getPlatformByName("OpenCL"),
                {"OpenCLPlatformIndex": str(index)},
            )
        except openmm.OpenMMException:
            continue
        device = _device(context)
        if vendor in device:
            found[index] = device
    return found


def _device(context: openmm.Context) -> str:
    """`vendor platform, device` of a Context, or the processor's name."""
    import platform as machine

    used = context.getPlatform()
    names = used.getPropertyNames()
    parts = [used.getPropertyValue(context, name) for name in ("OpenCLPlatformName", "DeviceName") if name in names]
    return ", ".join(filter(None, parts)) or machine.processor() or machine.machine()


def force_error(system: openmm.System, positions: np.ndarray, compute: Compute, seed: int) -> Check:
    """Median over atoms of |F - F_Reference| / |F_Reference|: the proof that the chosen platform computes this force
    field. Atoms first move from `positions` (N, 3) nm by 0.01 nm at random: at a minimum forces vanish.
    """
    import openmm

    shaken = positions + np.random.default_rng(seed).normal(0.0, SHAKE, positions.shape)
    forces = []
    for used in (compute, Compute("Reference", "", "double")):
        context = used.context(system, openmm.VerletIntegrator(0.001))
        context.setPositions(shaken)
        forces.append(context.getState(forces=True).getForces(asNumpy=True)._value)
    size = np.linalg.norm(forces[1], axis=1)
    error = float(np.median(np.linalg.norm(forces[0] - forces[1], axis=1) / size))
    return Check(
        "forces_agree",
        bool(error < FORCE_ERROR_LIMIT),
        error,
        FORCE_ERROR_LIMIT,
        detail=f"median relative force difference, {compute.platform} against Reference",
    )


if __name__ == "__main__":
    try:
        choose(*sys.argv[1:])
    except OracleFailure as failure:
        print(failure.reason)
        sys.exit(1)


def openmm_version() -> str:
    """OpenMM's own, with its build."""
    import openmm

    return str(openmm.version.full_version)
