"""Every family of generator as the engine uses it: trained for real, on a small but genuine space."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from generators.cvae import CVAE
from generators.encoding import Encoding
from generators.gates import measure
from generators.network import Network
from generators.pretrained import gather_corpus
from generators.trained import Trained
from generators.training import Schedule, train, training_rows
from generators.vaegan import VAEGAN
from generators.wgan import WGAN
from loop.space import Constraint, Range, Space, SpaceError
from loop.types import Check, Condition, Design, Estimate, Objective, Parameter, Proposal, Record

FACETS = {"magnetite": ("001", "111"), "hematite": ("001",), "corundum": ("001",), "periclase": ("001", "110")}
ADHESION = Objective("adhesion", "maximize", oracle="screen", unit="mJ/m^2")
TOP = Condition(levels={"adhesion": 3})


def buildable(design: Design) -> list[Check]:
    return [Check("facet", design.values["facet"] in FACETS[str(design.values["oxide"])])]


SPACE = Space(
    [
        Parameter("oxide", "choices", tuple(FACETS)),
        Parameter("facet", "choices", ("001", "110", "111")),
        Parameter("ligand", "choices", ("none", "hexanoate", "phosphonate")),
        Parameter("ligand_density", "real", bounds=(0, 3), unit="1/nm^2", step=0.1),
        Parameter("hydroxyl_density", "real", bounds=(0, 8), unit="1/nm^2", step=0.1),
        Parameter("polymer", "choices", ("PVDF", "PEO", "PE")),
        Parameter("chain_length", "integer", bounds=(8, 24)),
        Parameter("temperature", "fixed", (400,), unit="K"),
    ],
    [
        Constraint("bare", {"ligand": ("none",)}, {"ligand_density": (0,)}),
        Constraint("crowded", {"ligand": ("phosphonate",)}, {"ligand_density": Range(None, 2.0)}),
    ],
    [buildable],
)
POLARITY = {"PVDF": 1.0, "PEO": 0.6, "PE": 0.0}
HAMAKER = {"magnetite": 1.0, "hematite": 0.9, "corundum": 0.5, "periclase": 0.2}


def adhesion(design: Design) -> float:
    """A smooth made-up surface with an interaction: polar chains hold to hydroxylated oxide, ligands screen it."""
    v = {name: value for name, value in design.values.items() if not isinstance(value, str)}
    polar = POLARITY[str(design.values["polymer"])] * v["hydroxyl_density"] / 8
    return 60 + 40 * polar + 20 * HAMAKER[str(design.values["oxide"])] - 10 * v["ligand_density"]


def predict(designs: Sequence[Design]) -> tuple[np.ndarray, np.ndarray]:
    mean = np.array([[adhesion(design)] for design in designs])
    return mean, np.ones_like(mean)


def record(design: Design) -> Record:
    return Record(
        design, "screen", "screen", "simulation", {"adhesion": Estimate(adhesion(design), 1.0, "mJ/m^2")}, 3, 0
    )


RECORDS = [record(design) for design in SPACE.sample(12, seed=4)]
INCUMBENTS = sorted((r.design for r in RECORDS), key=adhesion)[-8:]


FAMILIES: dict[str, tuple[type[Trained], int]] = {"cvae": (CVAE, 700), "wgan": (WGAN, 600), "vaegan": (VAEGAN, 450)}
"""And the steps each needs on this space."""
SLOW = [pytest.param("cvae"), *(pytest.param(name, marks=pytest.mark.slow) for name in ("wgan", "vaegan"))]


def small(family: str) -> Trained:
    kind, steps = FAMILIES[family]
    return kind(corpus=2000, steps=steps)  # type: ignore[call-arg]


@pytest.fixture(scope="module", params=SLOW)
def stage0(request: pytest.FixtureRequest) -> Trained:
    generator = small(request.param)
    generator.fit(SPACE, [], [ADHESION], seed=11)
    return generator


@pytest.fixture(scope="module")
def saved0(stage0: Trained, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stage0")
    stage0.save(folder)
    return folder


@pytest.fixture(scope="module")
def stage1(stage0: Trained, saved0: Path) -> Trained:
    """A generator as in a resumed campaign: stage 0 from its snapshot, then an update."""
    generator = small(stage0.name)
    generator.load(saved0)
    generator.fit(SPACE, RECORDS, [ADHESION], seed=11, predict=predict)
    assert generator.notes == ()
    return generator


@pytest.fixture(scope="module")
def pool(stage1: Trained) -> list[Proposal]:
    return stage1.propose(600, TOP, INCUMBENTS, seed=5)


def weights(generator: Trained) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in generator._content()[0].items()}


def test_stage_0_passes_its_gates(stage0: Trained) -> None:
    assert stage0.gates is not None
    assert stage0.gates.failed(reconstructs=stage0.reconstructs) == ()
    if stage0.reconstructs:
        assert stage0.gates.reconstruction >= 0.98
        assert stage0.gates.numeric_error <= 0.03
        assert stage0.gates.round_trip <= 0.3
    assert stage0.gates.validity >= 0.97  # the check on facets is learnt from the corpus
    assert stage0.gates.validity >= stage0.gates.validity_unmasked
    assert stage0.gates.coverage > (0.7 if stage0.reconstructs else 0.6)
    assert stage0.notes == ()


def test_training_anew_gives_the_same_weights_and_other_threads_change_nothing(
    stage0: Trained, stage1: Trained
) -> None:
    import torch

    torch.rand(3)  # the global random state must not matter
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        anew = small(stage0.name)
        anew.fit(SPACE, [], [ADHESION], seed=11)
        assert weights(anew) == weights(stage0)
        assert anew.digest == stage0.digest
        anew.fit(SPACE, RECORDS, [ADHESION], seed=11, predict=predict)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    assert weights(anew) == weights(stage1)  # stage 1 from a snapshot's stage 0 equals stage 1 after training
    assert anew.propose(200, TOP, INCUMBENTS, seed=9) == stage1.propose(200, TOP, INCUMBENTS, seed=9)


def test_save_and_load_give_the_same_proposals(stage1: Trained, tmp_path: Path) -> None:
    digest = stage1.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "model.json"}
    again = small(stage1.name)
    again.load(tmp_path)
    assert again.digest == digest == stage1.digest
    assert again.gates == stage1.gates
    again.fit(SPACE, [], [ADHESION], seed=11)  # brings the oracle's checks, which a snapshot does not hold
    assert again.digest != digest
    again.load(tmp_path)
    assert again.propose(100, TOP, INCUMBENTS, seed=3) == stage1.propose(100, TOP, INCUMBENTS, seed=3)
    assert again.save(tmp_path / "copy") == digest


def test_a_damaged_snapshot_is_refused(stage0: Trained, tmp_path: Path) -> None:
    stage0.save(tmp_path)
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged model"):
        small(stage0.name).load(tmp_path)
    path.write_bytes(content[:100])
    with pytest.raises(ValueError, match="not a readable model"):
        small(stage0.name).load(tmp_path)


def test_a_pool_is_valid_distinct_and_complete(stage1: Trained, pool: list[Proposal]) -> None:
    assert len(pool) == 600
    assert len({p.design for p in pool}) == 600
    assert all(not SPACE.violations(p.design) for p in pool)
    assert all(SPACE.canonicalise(p.design.values) == p.design for p in pool)
    sources = {name: sum(p.generator == name for p in pool) for name in stage1.counts}
    assert sources == {name: count["unique"] for name, count in stage1.counts.items()}
    assert sources["uniform"] >= 60
    assert min(sources[f"{stage1.name}:{name}"] for name in ("prior", "conditional", "incumbent", "crossover")) > 40
    for count in stage1.counts.values():
        assert count["drawn"] >= count["valid"] >= count["unique"]


def test_every_proposal_tells_where_it_came_from(stage1: Trained, pool: list[Proposal]) -> None:
    ids = {design.id for design in INCUMBENTS}
    parents = {"prior": 0, "conditional": 0, "incumbent": 1, "crossover": 2, "uniform": 0}
    for proposal in pool:
        assert len(proposal.parents) == parents[proposal.generator.removeprefix(f"{stage1.name}:")]
        assert set(proposal.parents) <= ids
        assert proposal.log_density is not None
        assert np.isfinite(proposal.log_density)
        uniform = proposal.generator == "uniform"
        assert proposal.model_digest == (None if uniform else stage1.digest)
        assert (proposal.latent is None) == uniform
        assert uniform or len(proposal.latent or ()) == 12


def test_what_is_asked_for_is_what_comes(stage1: Trained) -> None:
    """In units of the corpus's own spread, quarters 0 and 3 of a uniform corpus differ by about 2.5."""
    spread = np.std([adhesion(design) for design in SPACE.sample(500, seed=6)])

    def mean_at(level: int) -> float:
        proposals = stage1.propose(300, Condition(levels={"adhesion": level}), [], seed=2)
        return float(np.mean([adhesion(p.design) for p in proposals if p.generator == f"{stage1.name}:conditional"]))

    means = [mean_at(level) for level in range(4)]
    assert means[3] - means[0] > 1.2 * spread
    assert means == sorted(means)


def test_incumbents_have_better_children(stage1: Trained, pool: list[Proposal]) -> None:
    def mean_of(source: str) -> float:
        return float(np.mean([adhesion(p.design) for p in pool if p.generator == source]))

    margin = 5 if stage1.reconstructs else 0  # whoever does not reconstruct starts from a likeness of the incumbent
    assert mean_of(f"{stage1.name}:incumbent") > mean_of("uniform") + margin
    assert mean_of(f"{stage1.name}:crossover") > mean_of("uniform") + margin


def test_known_designs_are_not_proposed_again(stage1: Trained, pool: list[Proposal]) -> None:
    known = frozenset(p.design for p in pool)
    again = stage1.propose(600, Condition(TOP.levels, known=known), INCUMBENTS, seed=5)
    assert len(again) == 600
    assert known.isdisjoint(p.design for p in again)
    assert sum(count["known"] for count in stage1.counts.values()) > 300


def test_pins_are_honoured_by_every_source(stage1: Trained) -> None:
    pins = {"oxide": "periclase", "facet": "110", "hydroxyl_density": 2.5}
    proposals = stage1.propose(200, Condition(levels={"adhesion": 3}, pins=pins), INCUMBENTS, seed=8)
    assert len(proposals) == 200
    assert all(p.design.values[name] == value for p in proposals for name, value in pins.items())
    assert sum(p.generator.startswith(stage1.name) for p in proposals) >= 120
    with pytest.raises(SpaceError, match=r"refused by .*bare"):  # each pin is possible, both together are not
        stage1.propose(5, Condition(pins={"ligand": "none", "ligand_density": 2.0}), [], seed=8)
    with pytest.raises(SpaceError, match="oxide: pinned to 'gold'"):
        stage1.propose(5, Condition(pins={"oxide": "gold"}), [], seed=8)


def test_wrong_levels_are_named(stage1: Trained) -> None:
    with pytest.raises(ValueError, match="no objective 'dipole'"):
        stage1.propose(5, Condition(levels={"dipole": 3}), [], seed=1)
    with pytest.raises(ValueError, match="level 7"):
        stage1.propose(5, Condition(levels={"adhesion": 7}), [], seed=1)


def test_density_prefers_what_the_space_holds(stage0: Trained) -> None:
    """A facet that magnetite does not have is unlikely; the same question gets the same answer."""
    valid = SPACE.sample(100, seed=20)
    invalid = [SPACE.canonicalise({**d.values, "oxide": "magnetite", "facet": "110"}) for d in valid]
    margin = 2 if stage0.reconstructs else 1  # an encoder fitted after the decoder bounds the density less tightly
    assert np.median(stage0.log_density(valid)) > np.median(stage0.log_density(invalid)) + margin
    assert (stage0.log_density(valid) == stage0.log_density(valid)).all()
    assert stage0.log_density([]).shape == (0,)


def test_a_ruined_update_is_rejected_and_said(stage0: Trained, saved0: Path) -> None:
    generator = small(stage0.name)
    generator.load(saved0)
    before = weights(generator)
    generator.update = Schedule(steps=40, beta=5.0, beta_start=5.0, rate=1.0)
    generator.fit(SPACE, RECORDS, [ADHESION], seed=11, predict=predict)
    assert weights(generator) == before
    assert generator.notes[0].startswith("update rejected: ")
    assert generator.notes[0].endswith("; stage 0 proposes")
    generator.fit(SPACE, RECORDS, [ADHESION], seed=11, predict=lambda d: (np.full((len(d), 1), np.nan),) * 2)
    assert generator.notes == ("update rejected: the surrogate predicts values that are not finite",)


def test_a_network_that_diverged_passes_no_gate(stage0: Trained) -> None:
    network = stage0._network
    assert network is not None
    corpus = gather_corpus(SPACE, 2000, 11)
    broken = Network(network.shape, {**network.weights, "decoder.0.bias": network.weights["decoder.0.bias"] * np.nan})
    gates = measure(broken, Encoding(SPACE), corpus.held_out, 1)
    assert len(gates.failed(reconstructs=stage0.reconstructs)) >= 2


def test_a_generator_that_forgets_two_polymers_counts_as_collapsed(stage0: Trained) -> None:
    assert stage0._network is not None
    assert stage0.gates is not None
    corpus = gather_corpus(SPACE, 2000, 11)
    only = np.array([d.values["polymer"] == "PE" and d.values["oxide"] == "periclase" for d in corpus.train], float)
    schedule = Schedule(steps=400, beta=1.0, beta_start=0.02, rate=5e-3)
    forgetful = train(stage0._network, training_rows(Encoding(SPACE), corpus.train), schedule, seed=1, weights=only)
    gates = measure(forgetful, Encoding(SPACE), corpus.held_out, 1)
    assert gates.collapsed_from(stage0.gates)[0].startswith("coverage fell by")
    assert stage0.gates.collapsed_from(stage0.gates) == ()


def test_synthesize_gives_valid_designs(stage1: Trained) -> None:
    designs = stage1.synthesize(50, TOP, seed=3)
    assert len(set(designs)) == 50
    assert all(not SPACE.violations(design) for design in designs)


def test_nothing_works_before_fit() -> None:
    with pytest.raises(RuntimeError, match="call fit"):
        CVAE().propose(3, Condition(), [], seed=1)


@pytest.mark.parametrize("options", [{"corpus": 10}, {"steps": 1}])
def test_useless_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        CVAE(**options)
