"""Rows nobody asked for: designs that a person brings along."""

import pytest

from loop.store import Store


def test_a_design_of_ones_own_is_taken_in(bench):
    sheet = bench.brought(("notes", "Müller 2019"))
    assert bench.tell(sheet) == bench.told(stored=1, pending=4)
    with Store.open(bench.campaign.run_folder) as store:
        (record,) = store.records()
        assert dict(record.design.values) == {
            "oxide": "magnetite", "facet": "110", "density": 4.0, "length": 9, "temperature": 400,
        }  # fmt: skip
        assert (record.kind, record.estimates["modulus"].mean) == ("measurement", 5.0)
    assert bench.tell(sheet) == bench.told(known=1, pending=4)


def test_several_rows_of_one_design_are_replicates(bench):
    sheet = bench.brought()
    rows = bench.rows(sheet)
    rows.append([*rows[-1][:8], "5.5", *rows[-1][9:]])
    assert bench.tell(bench.save(sheet, rows)) == bench.told(stored=2, pending=4)
    assert {key: v["modulus"][0] for key, v in bench.values().items()} == {
        ("magnetite", 0): 5.0,
        ("magnetite", 1): 5.5,
    }
    assert bench.tell(sheet) == bench.told(known=2, pending=4)


def test_another_value_from_another_sheet_must_say_whether_it_corrects(bench):
    bench.tell(bench.brought())
    sheet = bench.brought(("modulus [GPa]", "6"))
    assert bench.tell(sheet).faults == (
        f'{sheet} row 6, column "replicate": this design was told before with other values; write replicate 0 to '
        "correct it, or the next number for a further measurement",
    )
    assert bench.tell(bench.brought(("modulus [GPa]", "6"), ("replicate", "1"))) == bench.told(stored=1, pending=4)
    assert bench.tell(bench.brought(("modulus [GPa]", "7"), ("replicate", "0"))) == bench.told(corrected=1, pending=4)


def test_rows_before_the_first_run_begin_the_campaign(empty_bench):
    sheet = empty_bench.asked("own.csv")
    heading = ["oxide", "facet", "density [1/nm^2]", "length [1]", "modulus [GPa]"]
    empty_bench.save(sheet, [heading, ["silica", "001", "0", "8", "2"]])
    assert empty_bench.tell(sheet) == empty_bench.told(stored=1)
    with Store.open(empty_bench.campaign.run_folder) as store:
        assert len(store.records()) == 1
        assert store.config_versions()[0].text == empty_bench.text


OWN_FAULTS = {
    "outside the limits": ("density [1/nm^2]", "9", "density [1/nm^2]", "'9' is not between 0 and 8 1/nm^2"),
    "no such choice": (
        "oxide",
        "magnetit",
        "oxide",
        "'magnetit' is not one of magnetite, silica; did you mean magnetite?",
    ),
    "half a count": ("length [1]", "9.5", "length [1]", "'9.5' is not a whole number"),
    "incomplete": ("facet", "", "facet", "without a task the whole design is needed; facet is missing"),
    "wrong fixed value": ("temperature [K]", "300", "temperature [K]", "'300' is not one of 400"),
    "constraint": ("oxide", "silica", "density [1/nm^2]", "the constraints leave density no value but 0.0, is 4.0"),
    "no value": (
        "modulus [GPa]",
        "",
        "status",
        "no value is given; if there is none, write failed or skip into the status",
    ),
    "replicate": ("replicate", "first", "replicate", "'first' is not a count from 0"),
    "oracle": ("oracle", "lap", "oracle", "no person answers for 'lap'; did you mean lab?"),
}


@pytest.mark.parametrize(("edited", "text", "column", "message"), OWN_FAULTS.values(), ids=OWN_FAULTS.keys())
def test_a_design_of_ones_own_must_lie_in_the_space(bench, edited, text, column, message):
    sheet = bench.brought((edited, text))
    assert bench.tell(sheet).faults == (f'{sheet} row 6, column "{column}": {message}',)
    assert bench.values() == {}


def test_a_forbidden_design_names_the_rule(bench):
    (fault,) = bench.tell(bench.brought(("oxide", "silica"), ("density [1/nm^2]", "0"))).faults
    assert fault.endswith("row 6: the design breaks no silica 110")
