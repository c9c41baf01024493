"""The three families of generator on three spaces, by the number of rule-valid designs they learn from.

    python -m benchmarks.generators [--family NAME ...] [--corpus N ...] [--space NAME ...] [--proposals]

`valid` and `unmasked` are shares of 500 prior samples that break no rule, decoded with the mask and without; nothing is
repaired or drawn again. `categories` is the share of held-out designs whose choices all come back, `numbers` the mean
error of their numbers in fractions of the range, `unique` the share of valid samples that differ on a grid of 1/50 of
the range, `coverage` that of Naeem et al. (arXiv 2002.09797). Seconds are of one thread's processor time; on a busy
machine they grow: `yardstick`, a fixed piece of work, shows by how much. With `--proposals`, each family also learns a
surrogate's levels and is asked for 1200 candidates, as in a campaign.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from generators.cvae import CVAE
from generators.decoding import Decoder
from generators.encoding import Encoding
from generators.gates import PRIOR_SAMPLES, measure, prior_samples
from generators.network import Network, Shape, one_thread
from generators.pretrained import HIDDEN, latent_size
from generators.trained import Trained
from generators.training import training_rows
from generators.vaegan import VAEGAN
from generators.wgan import WGAN
from loop.space import Constraint, Range, Space
from loop.types import Check, Condition, Design, Objective, Parameter

FAMILIES: dict[str, Callable[[], Trained]] = {"cvae": CVAE, "wgan": WGAN, "vaegan": VAEGAN}
CORPORA = (60, 1000, 4000)
HELD_OUT = 500
CANDIDATES = 1200
GRID = 50


def choices(name: str, words: str) -> Parameter:
    return Parameter(name, "choices", tuple(words.split()))


def real(name: str, low: float, high: float, step: float | None = None) -> Parameter:
    return Parameter(name, "real", bounds=(low, high), step=step)


def grafted() -> Space:
    """Ten fields. What fits on a surface is known to a check only, which the decoder cannot read."""
    faces = {"ceria": ("100", "111"), "zirconia": ("101",), "alumina": ("001",), "zincite": ("100", "001")}
    room = {"none": 0.0, "acid": 4.5, "silane": 3.0, "phosphonate": 2.5, "catechol": 2.0}

    def fits(design: Design) -> list[Check]:
        v = design.values
        crowding = float(v["graft_density"]) * (1 + 0.02 * float(v["graft_length"]))
        return [
            Check("face", v["face"] in faces[str(v["oxide"])]),
            Check("crowding", crowding <= room[str(v["linker"])]),
            Check("dry", not (v["solvent"] == "water" and v["linker"] == "silane")),
        ]

    return Space(
        [
            choices("oxide", "ceria zirconia alumina zincite"),
            choices("face", "100 101 111 001"),
            choices("linker", "none acid silane phosphonate catechol"),
            choices("polymer", "PLA PCL PVDF PA6 PET PC"),
            choices("solvent", "melt water toluene"),
            real("graft_density", 0, 3, 0.1),
            Parameter("graft_length", "integer", bounds=(2, 30)),
            Parameter("chain_length", "integer", bounds=(10, 80)),
            real("temperature", 290, 500),
            real("loading", 0.005, 0.2),
        ],
        [
            Constraint("bare", {"linker": ("none",)}, {"graft_density": (0,), "graft_length": (2,)}),
            Constraint("PLA degrades", {"polymer": ("PLA",)}, {"temperature": Range(None, 450)}),
            Constraint("nothing dissolves PET", {"polymer": ("PET", "PA6"), "solvent": ("toluene",)}),
        ],
        [fits],
    )


def fourteen() -> Space:
    """Fourteen fields, nine of them choices, and rules in chains."""
    return Space(
        [
            choices("core", "gold silver silica titania magnetite"),
            choices("shape", "sphere rod plate cube"),
            choices("shell", "none silica alumina"),
            choices("ligand", "none thiol amine carboxylate silane"),
            choices("spacer", "none C6 C12 PEG"),
            choices("end_group", "methyl hydroxyl fluoro"),
            choices("matrix", "PS PMMA PVDF PEO epoxy"),
            choices("architecture", "linear branched network"),
            choices("processing", "cast melt"),
            real("diameter", 2, 20, 0.5),
            real("aspect", 1, 8),
            real("coverage", 0, 4, 0.05),
            Parameter("chain_length", "integer", bounds=(10, 100)),
            real("temperature", 280, 480, 1),
        ],
        [
            Constraint("round", {"shape": ("sphere", "cube")}, {"aspect": (1,)}),
            Constraint("long", {"shape": ("rod",)}, {"aspect": Range(1.5, None)}),
            Constraint(
                "bare", {"ligand": ("none",)}, {"coverage": (0,), "spacer": ("none",), "end_group": ("methyl",)}
            ),
            Constraint("thiol", {"ligand": ("thiol",)}, {"core": ("gold", "silver"), "shell": ("none",)}),
            Constraint("silane", {"ligand": ("silane",), "shell": ("none",)}, {"core": ("silica", "titania")}),
            Constraint("shelled silica", {"core": ("silica",), "shell": ("silica",)}),
            Constraint("cured", {"matrix": ("epoxy",)}, {"architecture": ("network",), "processing": ("cast",)}),
            Constraint("network", {"architecture": ("network",)}, {"matrix": ("epoxy", "PEO")}),
            Constraint("crowded", {"spacer": ("PEG",)}, {"coverage": Range(None, 1.5)}),
            Constraint("cold melt", {"processing": ("melt",)}, {"temperature": Range(400, None)}),
            Constraint("small plates", {"shape": ("plate",), "diameter": Range(None, 4)}),
        ],
    )


def films() -> Space:
    """Eight fields whose numbers bind each other through a check."""

    planes = {"halite": ("100", "110"), "quartz": ("001", "100"), "spinel": ("001", "111")}

    def stands(design: Design) -> list[Check]:
        v = design.values
        return [
            Check("gap", float(v["gap"]) >= 2 * float(v["brush"]) + 1.0),
            Check("plane", v["plane"] in planes[str(v["mineral"])]),
        ]

    return Space(
        [
            choices("mineral", "halite quartz spinel"),
            choices("plane", "001 100 110 111"),
            choices("brush_polymer", "none PEO PAA PNIPAM"),
            choices("film", "PVA PEO PSS nafion"),
            choices("salt", "none NaCl CaCl2"),
            real("brush", 0, 3, 0.05),
            real("gap", 1, 12, 0.1),
            real("concentration", 0, 2),
        ],
        [
            Constraint("no brush", {"brush_polymer": ("none",)}, {"brush": (0,)}),
            Constraint("no salt", {"salt": ("none",)}, {"concentration": (0,)}),
            Constraint(
                "PAA gels", {"brush_polymer": ("PAA",), "salt": ("CaCl2",)}, {"concentration": Range(None, 0.5)}
            ),
            Constraint("salt dissolves", {"mineral": ("halite",)}, {"film": ("PVA", "PEO")}),
        ],
        [stands],
    )


SPACES = {"grafted": grafted, "fourteen": fourteen, "films": films}


def yardstick() -> float:
    """Seconds of a fixed piece of work like a training step's."""
    import torch

    x, w = torch.ones(128, 96, requires_grad=True), torch.ones(96, 96)
    with one_thread():
        start = time.process_time()
        for _ in range(300):
            torch.autograd.grad((x @ w).relu().sum(), x)
        return time.process_time() - start


def different(encoding: Encoding, designs: Sequence[Design]) -> float:
    """Share of the designs that differ on the grid."""
    fields = encoding.fields(designs)
    keys = np.hstack([fields.choices, np.round(fields.numbers * GRID)])
    return len(np.unique(keys, axis=0)) / max(1, len(designs))


def trial(family: Trained, space: Space, corpus: Sequence[Design], held_out: Sequence[Design], seed: int) -> str:
    """Train once, as stage 0 would at its first attempt, and measure."""
    encoding = Encoding(space)
    start = time.process_time()
    shape = Shape(encoding.width, 0, latent_size(encoding), HIDDEN, encoding.sizes, len(encoding.numeric))
    schedule = replace(family.schedule, steps=family.steps)
    network: Network = family.learn(family.start(shape, seed), training_rows(encoding, corpus), schedule, seed=seed)
    seconds = time.process_time() - start
    gates = measure(network, encoding, held_out, seed)
    valid = prior_samples(network, Decoder(encoding), seed)
    assert len(valid) == round(gates.validity * PRIOR_SAMPLES)
    return (
        f"{gates.validity:6.3f}  {gates.validity_unmasked:8.3f}  {gates.reconstruction:10.3f}  "
        f"{gates.numeric_error:7.3f}  {different(encoding, valid):6.3f}  {gates.coverage:8.3f}  {seconds:7.1f}"
    )


def propose(family: Trained, space: Space, seed: int) -> str:
    """Seconds of stage 0 with its corpus, of an update and of a pool, and what the pool held."""
    number = Encoding(space).numeric[-1].name
    wanted = Objective("number", "maximize", oracle="made up")

    def predict(designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
        mean = np.array([[float(design.values[number])] for design in designs])
        return mean, np.ones_like(mean)

    seconds = [time.process_time()]
    family.fit(space, [], [], seed=seed)
    seconds.append(time.process_time())
    family.fit(space, [], [wanted], seed=seed, predict=predict)
    seconds.append(time.process_time())
    found = family.propose(CANDIDATES, Condition(levels={"number": 3}), space.sample(8, seed=seed), seed=seed)
    seconds.append(time.process_time())
    stage0, update, pool = np.diff(seconds)
    notes = "; ".join(family.notes) or "no notes"
    return f"stage 0 {stage0:.1f} s, update {update:.1f} s, {len(found)} candidates {pool:.2f} s; {notes}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--corpus", nargs="*", type=int, default=list(CORPORA))
    parser.add_argument("--space", nargs="*", choices=SPACES, default=list(SPACES))
    parser.add_argument("--proposals", action="store_true")
    arguments = parser.parse_args()
    yardstick()
    print(f"yardstick {yardstick():.3f} s")
    print("space     corpus  family   valid  unmasked  categories  numbers  unique  coverage  seconds")
    for name in arguments.space:
        space = SPACES[name]()
        designs = space.sample(max([0, *arguments.corpus]) + HELD_OUT, seed=1)
        for size in arguments.corpus:
            for family in arguments.family:
                row = trial(FAMILIES[family](), space, designs[HELD_OUT:][:size], designs[:HELD_OUT], 1)
                print(f"{name:8s}  {size:6d}  {family:6s}  {row}", flush=True)
        for family in arguments.family if arguments.proposals else ():
            print(f"{name}, {family}: {propose(FAMILIES[family](), space, 1)}", flush=True)
    print(f"yardstick {yardstick():.3f} s")


if __name__ == "__main__":
    main()
