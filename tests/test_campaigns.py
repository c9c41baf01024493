"""The campaigns that ship, and the one in the README, are good as they stand."""

from pathlib import Path

import pytest

from loop.campaign import load

HOUSE = Path(__file__).parents[1]
SHIPPED = sorted((HOUSE / "campaigns").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_campaigns_are_good(path):
    campaign = load(path)
    designs = campaign.judged_space().sample(40, seed=1)
    assert len(designs) == 40
    assert campaign.most_designs is not None
    assert campaign.name.replace("-", "_") == path.stem


def test_the_campaign_in_the_readme_is_good(tmp_path):
    block = (HOUSE / "README.md").read_text().split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "campaign.yaml"
    path.write_text(block)
    campaign = load(path)
    assert campaign.oracles["md"].replicates == 3
    assert campaign.most_designs == 40


def test_the_demo_exercises_every_part_on_real_simulations():
    campaign = load(HOUSE / "campaigns" / "quickstart.yaml")
    assert campaign.generator.kind == "cvae"
    assert campaign.acquisition.kind == "qlognehvi"
    assert {spec.kind for spec in campaign.oracles.values()} == {"openmm"}
    assert campaign.stop.rounds == 2
    assert set(campaign.space["oxide"].choices) == {"magnetite", "hematite", "corundum", "periclase"}
    assert set(campaign.space["polymer"].choices) == {"PVDF", "PEO", "PE"}
