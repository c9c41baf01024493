"""Sheets that go out: what is asked, locked and left open."""

import pytest
from openpyxl import load_workbook

from loop.campaign import load
from loop.errors import BadInput
from loop.sheets import ask
from loop.store import Store

HEADING = [
    "task", "oracle", "replicate", "oxide", "facet", "density [1/nm^2]", "length [1]", "temperature [K]",
    "modulus [GPa]", "u(modulus) [GPa]", "beta [1]", "u(beta) [1]",
    "measured_on", "operator", "status", "notes", "check",
]  # fmt: skip


def test_csv_asks_one_row_per_waiting_replicate(bench):
    rows = bench.rows(bench.asked())
    assert rows[0] == HEADING
    assert [row[2:8] for row in rows[1:]] == [
        ["0", "magnetite", "001", "2.5", "12", "400"],
        ["1", "magnetite", "001", "2.5", "12", "400"],
        ["0", "silica", "001", "0.0", "20", "400"],
        ["1", "silica", "001", "0.0", "20", "400"],
    ]
    assert all(cell == "" for row in rows[1:] for cell in row[8:16])
    assert len({row[16] for row in rows[1:]}) == 4


def test_xlsx_locks_questions_and_opens_answers(bench):
    book = load_workbook(bench.asked("sheet.xlsx"))
    assert book.sheetnames == ["measurements", "about"]
    sheet = book["measurements"]
    assert [cell.value for cell in sheet[1]] == HEADING
    assert sheet.protection.sheet
    assert sheet.freeze_panes == "I2"
    locked = {cell.value for cell in sheet[1] if sheet.cell(2, cell.column).protection.locked}
    assert locked == {"task", "oracle", "replicate", *HEADING[3:8], "check"}
    yellow = {cell.value for cell in sheet[1] if sheet.cell(2, cell.column).fill.fgColor.rgb == "00FFF8CC"}
    assert yellow == set(HEADING) - locked
    assert sheet["E2"].value == "001"
    assert not sheet["D6"].protection.locked  # room for a design nobody asked for
    assert book["about"]["B1"].value == "films"


def test_asking_writes_over_nothing_and_knows_two_formats(bench):
    sheet = bench.asked()
    with pytest.raises(BadInput, match="exists and may hold measurements"):
        ask(bench.campaign, sheet)
    with pytest.raises(BadInput, match=r"a sheet's name ends in \.csv or \.xlsx"):
        ask(bench.campaign, bench.campaign.folder / "sheet.ods")


def test_smiles_that_look_like_formulas_stay_text(empty_bench):
    path = empty_bench.campaign.path
    path.write_text(empty_bench.text.replace("[magnetite, silica]", "['=C=O', silica]"))
    empty_bench.campaign = load(path)
    sheet = empty_bench.asked()
    empty_bench.save(sheet, [HEADING, ["", "", "", "=C=O", "001", "2", "8", "", "1.5"]])
    assert empty_bench.tell(sheet) == empty_bench.told(stored=1)
    with Store.open(empty_bench.campaign.run_folder) as store:
        designs = list(store.designs().values())
    empty_bench.decide(designs, replicates=[1])
    cell = load_workbook(empty_bench.asked("again.xlsx"))["measurements"]["D2"]
    assert (cell.value, cell.data_type) == ("=C=O", "s")
