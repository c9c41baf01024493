"""`loop materials`: what can be simulated, found by entry point and told without the simulation packages."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from loop import plugins
from loop.cli import make_app


@pytest.fixture(scope="module")
def tables():
    shown = subprocess.run(
        [sys.executable, "-P", "-m", "loop", "materials", "--json"], capture_output=True, text=True, timeout=120
    )
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)["oracles"]["openmm"]


def test_oxides_with_their_facets_terminations_and_neutral_densities(tables):
    rows = {(row["oxide"], row["facet"], row["termination"]): row for row in tables["oxides"]["rows"]}
    assert {oxide for oxide, _, _ in rows} >= {"magnetite", "hematite", "corundum", "periclase", "quartz", "rutile"}
    assert rows["magnetite", "001", "octahedral"]["neutral_clayff"] == pytest.approx(3 / 0.83941**2, abs=0.01)
    assert rows["quartz", "0001", "oxygen"]["neutral_minff"] == pytest.approx(9.57, abs=0.01)
    assert rows["rutile", "110", "bridging"]["neutral_clayff"] is None
    assert rows["rutile", "110", "bridging"]["open_metals"] == pytest.approx(5.20, abs=0.01)
    assert tables["oxides"]["units"]["open_metals"] == "1/nm^2"


def test_polymers_and_ligands_have_their_smiles(tables):
    units = {row["name"]: row["repeat_unit"] for row in tables["polymers"]["rows"]}
    assert units["PVDF"] == "*CC(F)(F)*"
    assert len(tables["ligands"]["rows"]) > 1
    assert all(any("C" in str(value) for value in list(row.values())[1:]) for row in tables["ligands"]["rows"])


def test_what_is_missing_has_a_reason(tables):
    reasons = {row["what"]: row["why"] for row in tables["unsupported"]["rows"]}
    assert "vacancies" in reasons["maghemite"]
    assert all(len(why) > 20 for why in reasons.values())


def test_nothing_heavy_is_imported():
    code = (
        "import sys; from typer.testing import CliRunner; from loop.cli import make_app; "
        "assert CliRunner().invoke(make_app(), ['materials']).exit_code == 0; "
        "heavy = {'torch', 'openmm', 'openff', 'mdtraj', 'botorch'} & set(sys.modules); assert not heavy, heavy"
    )
    assert subprocess.run([sys.executable, "-P", "-c", code], timeout=120).returncode == 0


def test_an_oracle_that_cannot_be_imported_is_named_and_the_others_are_listed(monkeypatch):
    find = plugins.find

    def broken(role, kind):
        if kind == "openmm":
            raise plugins.PluginError("oracle 'openmm' cannot be imported: No module named 'ase'")
        return find(role, kind)

    monkeypatch.setattr(plugins, "find", broken)
    shown = CliRunner().invoke(make_app(), ["materials", "--json"])
    assert shown.exit_code == 0
    assert "No module named 'ase'" in shown.output
