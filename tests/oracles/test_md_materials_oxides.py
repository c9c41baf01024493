"""The data files of oxides: their shape, a source beside every number, and models that fit them."""

import re
from typing import Annotated

import pytest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from oracles.openmm.forcefield import oxides
from oracles.openmm.materials import catalogue

Source = Annotated[str, StringConstraints(min_length=10)]
Positive = Annotated[float, Field(gt=0)]
SITE = "(octahedral|tetrahedral|oxygen)"
Layer = Annotated[str, StringConstraints(pattern=rf"^{SITE}(\+{SITE})*$")]
Vectors = Annotated[list[Annotated[list[float], Field(min_length=3, max_length=3)]], Field(min_length=3, max_length=3)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Cited(Strict):
    value: Positive
    source: Source


class Site(Strict):
    name: Annotated[str, StringConstraints(pattern=f"^{SITE}$")]
    element: str
    position: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=3, max_length=3)]


class Partial(Strict):
    layers: list[Layer]
    outermost: Annotated[float, Field(gt=0, lt=1)]
    cell: Vectors


class Facet(Strict):
    cell: Vectors
    source: Source
    ends: Annotated[dict[str, list[Layer] | Partial], Field(min_length=1)]


class Oxide(Strict):
    formula: str
    density: Cited
    source: Source
    spacegroup: Annotated[int, Field(ge=1, le=230)]
    setting: Annotated[int, Field(ge=1, le=2)]
    cell: Annotated[list[Positive], Field(min_length=6, max_length=6)]
    sites: list[Site]
    facets: Annotated[dict[Annotated[str, StringConstraints(pattern=r"^(-?\d){3,4}$")], Facet], Field(min_length=1)]


class Core(Strict):
    sigma: Positive
    epsilon: Positive
    source: Source


class Bulk(Core):
    charge: Annotated[float, Field(lt=0)] | None = None


class Hydroxyl(Core):
    gain: Positive


class Oxygen(Strict):
    bulk: Bulk
    hydroxyl: Hydroxyl
    formal_charge: float | None = None
    source: Source | None = None


class Metal(Core):
    charge: Positive
    formal_charge: Positive | None = None


class Hydrogen(Strict):
    charge: Positive
    source: Source
    sigma: Positive
    epsilon: Positive
    core_source: Source


class Bond(Strict):
    length: Positive
    stiffness: Positive
    source: Source


class Angle(Strict):
    angle: Annotated[float, Field(gt=90, lt=180)]
    stiffness: Positive
    source: Source


class Mass(Strict):
    value: Positive
    source: Source


class Model(Strict):
    name: str
    source: Source
    oxygen: Oxygen
    hydrogen: Hydrogen
    metals: dict[str, dict[str, Metal]]
    hydroxyl_bond: Bond
    hydroxyl_angle: Angle
    hydrogen_mass: Mass


@pytest.mark.parametrize("name", catalogue.data("oxides"))
def test_every_oxide_has_the_form_the_code_reads_and_its_sources(name):
    oxide = Oxide.model_validate(catalogue.oxide(name))
    assert oxide.sites[-1].name == "oxygen"
    for facet in oxide.facets.values():
        for end in facet.ends.values():
            named = {site for layer in (end.layers if isinstance(end, Partial) else end) for site in layer.split("+")}
            assert named <= {site.name for site in oxide.sites}


@pytest.mark.parametrize("name", oxides.MODELS)
def test_every_model_gives_parameters_for_all_sites_of_its_oxides(name):
    model = Model.model_validate(catalogue.data(name))
    assert model.name == name
    by_formal_charge = model.oxygen.formal_charge is not None
    assert (model.oxygen.bulk.charge is None) == by_formal_charge
    for oxide, metals in model.metals.items():
        sites = {site["name"] for site in catalogue.oxide(oxide)["sites"]} - {oxides.OXYGEN}
        assert set(metals) == sites
        assert all((metal.formal_charge is not None) == by_formal_charge for metal in metals.values())


def test_minff_can_do_every_oxide_and_clayff_all_but_titania():
    everything = set(catalogue.data("oxides"))
    assert set(catalogue.data("minff")["metals"]) == everything
    titania = {name for name in everything if catalogue.oxide(name)["formula"] == "TiO2"}
    assert set(catalogue.data("clayff")["metals"]) == everything - titania


def test_cures_name_terminations_and_models_that_exist():
    for why in catalogue.data("unsupported")["oxides"].values():
        for model in re.findall(r"oxide_model (\w+)", why):
            assert model in oxides.MODELS


@pytest.mark.parametrize(
    ("oxide", "facet", "name"),
    [("quartz", "001", "0001"), ("quartz", "101", "10-11"), ("quartz", "10-10", "10-10"), ("rutile", "101", "101")],
)
def test_three_indices_of_a_hexagonal_crystal_are_four(oxide, facet, name):
    assert catalogue.facet_name(oxide, facet) == name


def test_what_is_not_in_the_catalogue_is_answered_with_what_is():
    with pytest.raises(catalogue.UnknownMaterial, match="which has 101, 001"):
        catalogue.facet_name("cristobalite", "111")
    with pytest.raises(catalogue.UnknownMaterial, match="magnetite, hematite"):
        catalogue.oxide("gold")
    with pytest.raises(catalogue.UnknownMaterial, match="vacancies are ordered"):
        catalogue.oxide("maghemite")
    with pytest.raises(catalogue.UnknownMaterial, match="quartz or cristobalite"):
        catalogue.oxide("silica")
