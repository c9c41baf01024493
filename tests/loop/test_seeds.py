"""Seeds depend on every part of their purpose and on nothing else."""

from loop.seeds import derive


def test_a_seed_is_the_same_in_every_process():
    assert derive(2026, "propose", 3) == 7124053707932581016


def test_every_part_of_the_purpose_matters():
    seeds = {derive(s, p, r) for s in range(5) for p in ("fit", "propose") for r in range(5)}
    assert len(seeds) == 50
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_parts_are_not_glued_together():
    assert derive(1, "ab", "c") != derive(1, "a", "bc")
    assert derive(1, 23) != derive(12, 3)
