"""The examples in the docs run as they are written, and the reference names every key."""

from __future__ import annotations

import csv
import importlib.util
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from loop.campaign import load, schema
from loop.errors import BadInput
from loop.sheets import ask
from loop.testing import check_oracle
from loop.types import Design, OracleFailure, Task

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """The files of the page on oracles, saved as it says."""
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "hamaker.py").write_text(*blocks("writing_an_oracle.md", "python"))
    (folder / "campaign.yaml").write_text(*blocks("writing_an_oracle.md", "yaml"))
    return folder


def test_the_example_oracle_is_right(written) -> None:
    spec = importlib.util.spec_from_file_location("hamaker", written / "hamaker.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    oracle = module.Hamaker({"magnetite": 210.0}, roughness=0.0)
    design = Design({"oxide": "magnetite", "spacer": 1.0})
    answer = oracle.evaluate(design, Task("t", design.id, "vdw", "analytic", 0, 5), written)["adhesion"]
    assert answer.mean == pytest.approx(210 / (12 * math.pi)) and answer.se == pytest.approx(0)
    assert [check.passed for check in oracle.check(Design({"oxide": "magnetite", "spacer": 0.1}), "analytic")] == [
        False
    ]
    unknown = Design({"oxide": "hematite", "spacer": 1.0})
    with pytest.raises(OracleFailure, match="no Hamaker constant"):
        oracle.evaluate(unknown, Task("t", "d", "vdw", "analytic", 0, 5), written)
    check_oracle(module.Hamaker({"magnetite": 210.0}), [design, unknown])


def test_the_example_campaign_runs_to_its_end(written) -> None:
    loop = [sys.executable, "-P", "-m", "loop"]
    environment = os.environ | {"PYTHONPATH": "."}
    subprocess.run([*loop, "run", "campaign.yaml"], cwd=written, env=environment, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*loop, "export", "campaign.yaml", "-o", "out.csv"], cwd=written, env=environment, check=True)
    with (written / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 and all(row["replicates"] == "2" for row in rows)
    assert all(float(row["adhesion"]) > 0 and float(row["adhesion_se"]) > 0 for row in rows)


@pytest.mark.parametrize("page", ["campaign_file.md", "measuring_by_hand.md", "audit.md"])
def test_the_campaigns_of_the_pages_are_good(page, tmp_path) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_text(*blocks(page, "yaml"))
    assert load(path, thorough=False).objectives


def test_the_sheet_has_the_columns_that_are_described(tmp_path) -> None:
    path = tmp_path / "campaign.yaml"
    path.write_text(*blocks("measuring_by_hand.md", "yaml"))
    campaign = load(path, thorough=False)
    ask(campaign, tmp_path / "sheet.csv")
    heading = (tmp_path / "sheet.csv").read_text(encoding="utf-8-sig").splitlines()[0].split(",")
    text = (DOCS / "measuring_by_hand.md").read_text()
    own = [column for column in heading if column.split(" ")[0] not in (*campaign.space.names, "modulus", "u(modulus)")]
    assert [column for column in own if f"`{column}`" not in text] == []


@pytest.mark.parametrize("model", [schema.CampaignEntry, *schema.SECTIONS.values()], ids=lambda model: model.__name__)
def test_the_reference_names_every_key(model) -> None:
    page = (DOCS / "campaign_file.md").read_text()
    assert [key for key in schema.key_names(model) if f"`{key}`" not in page] == []


def test_the_error_the_reference_shows_is_the_error_one_gets(tmp_path) -> None:
    (shown,) = blocks("campaign_file.md", "text")
    (good,) = blocks("campaign_file.md", "yaml")
    path = tmp_path / "campaign.yaml"
    path.write_text(good.replace("time_limit", "time_limt"))
    with pytest.raises(BadInput) as error:
        load(path, thorough=False)
    assert [line.replace(f"{tmp_path}/", "") for line in error.value.problems] == shown.splitlines()
