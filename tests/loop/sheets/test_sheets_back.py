"""Sheets that come back, changed in every way a spreadsheet or a person changes one."""

import pytest
from openpyxl import load_workbook

from loop.sheets import ask
from loop.store import Store


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.xlsx"])
def test_an_untouched_sheet_changes_nothing(bench, name):
    assert bench.tell(bench.asked(name)) == bench.told(pending=4)
    assert bench.values() == {}


def test_partial_sheets_and_handing_in_twice(bench):
    answers = [(2, "modulus [GPa]", "3.3"), (2, "u(modulus) [GPa]", "0.2"), (5, "beta [1]", "0.8")]
    sheet = bench.fill(bench.asked(), *answers)
    assert bench.tell(sheet) == bench.told(stored=2, pending=2)
    expected = {("magnetite", 0): {"modulus": (3.3, 0.2, "GPa")}, ("silica", 1): {"beta": (0.8, 0.0, "1")}}
    assert bench.values() == expected
    assert bench.tell(sheet) == bench.told(known=2, pending=2)
    assert bench.values() == expected
    bench.fill(sheet, (5, "modulus [GPa]", "4"))
    assert bench.tell(sheet) == bench.told(stored=1, known=1, pending=2)
    assert bench.values()["silica", 1] == {"beta": (0.8, 0.0, "1"), "modulus": (4.0, 0.0, "GPa")}


def test_a_correction_supersedes_and_is_kept(bench):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3.3"), (2, "operator", "Ana"))
    bench.tell(sheet)
    bench.fill(sheet, (2, "modulus [GPa]", "3.1"), (2, "notes", "caliper was off"))
    assert bench.tell(sheet) == bench.told(corrected=1, pending=3)
    assert bench.values() == {("magnetite", 0): {"modulus": (3.1, 0.0, "GPa")}}
    with Store.open(bench.campaign.run_folder) as store:
        assert [event.kind for event in store.events()].count("told") == 2


def test_an_old_sheet_does_not_undo_a_correction_and_says_so(bench):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3.3"))
    bench.tell(sheet)
    old = sheet.read_bytes()
    bench.tell(bench.fill(sheet, (2, "modulus [GPa]", "3.1")))
    sheet.write_bytes(old)
    result = bench.tell(sheet)
    assert result.known == 1
    (note,) = result.notes
    assert note.startswith(f"{sheet} row 2: this was told before and corrected since, and the correction stands")
    assert bench.values()["magnetite", 0]["modulus"][0] == 3.1
    assert bench.tell(bench.fill(sheet, (2, "notes", "3.3 was right"))) == bench.told(corrected=1, pending=3)
    assert bench.values()["magnetite", 0]["modulus"][0] == 3.3


def test_a_sheet_of_rows_already_answered_can_still_correct_them(bench):
    sheet = bench.fill(bench.asked(), *((n, "modulus [GPa]", "3") for n in (2, 3, 4, 5)))
    assert bench.tell(sheet) == bench.told(stored=4)
    assert ask(bench.campaign, bench.campaign.folder / "next.csv") == 0
    assert bench.tell(bench.fill(sheet, (4, "modulus [GPa]", "2"))) == bench.told(corrected=1, known=3)


def test_failed_and_skipped_rows(bench):
    sheet = bench.fill(
        bench.asked(), (2, "status", "Failed"), (2, "notes", "film cracked"), (3, "status", "skip"),
        (4, "status", "done"),        (4, "modulus [GPa]", "1"),
    )  # fmt: skip
    assert bench.tell(sheet) == bench.told(stored=3, pending=1)
    with Store.open(bench.campaign.run_folder) as store:
        states = {row.task.replicate: (row.state, row.cause, row.reason) for row in store.tasks()[:2]}
        assert states[0] == ("failed", "infeasible", "film cracked")
        assert states[1][0] == "cancelled"


SAVED_AS = {
    "utf-8 without mark": {"encoding": "utf-8"},
    "utf-8 with mark": {"encoding": "utf-8-sig"},
    "utf-16": {"encoding": "utf-16"},
    "utf-16 without mark": {"encoding": "utf-16-le"},
    "windows-1252": {"encoding": "cp1252"},
    "semicolons": {"separator": ";", "encoding": "cp1252"},
    "tabs": {"separator": "\t", "encoding": "utf-16"},
}


@pytest.mark.parametrize("options", SAVED_AS.values(), ids=SAVED_AS.keys())
def test_encodings_and_separators(bench, options):
    cells = [(2, "modulus [GPa]", "3,25"), (2, "notes", "gemäß Prüfplan: 5 µm"), (2, "measured_on", "3.4.2026")]
    assert bench.tell(bench.fill(bench.asked(), *cells, **options)) == bench.told(stored=1, pending=3)
    assert bench.values() == {("magnetite", 0): {"modulus": (3.25, 0.0, "GPa")}}
    with Store.open(bench.campaign.run_folder) as store:
        assert store.tasks("done")[0].reason is None


def test_excels_separator_line_and_blank_lines(bench):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3,25"), (3, "modulus [GPa]", "x"), separator=";")
    sheet.write_bytes(b"sep=;\r\n\r\n" + sheet.read_bytes())
    assert bench.tell(sheet) == bench.told(
        stored=1, pending=2,
        faults=[
            f"{sheet} row 5, column \"modulus [GPa]\": 'x' is not a number; "
            "write a number, or n/a where there is none"
        ],
    )  # fmt: skip


def test_other_units_in_heading_and_cell_are_converted(bench):
    rows = bench.rows(bench.fill(bench.asked(), (2, "modulus [GPa]", "3300"), (3, "modulus [GPa]", "3.1 GPa"),
                        (2, "u(modulus) [GPa]", "0.1"), (2, "density [1/nm^2]", "0.025")))  # fmt: skip
    rows[0][rows[0].index("modulus [GPa]")] = "modulus [MPa]"
    rows[0][rows[0].index("density [1/nm^2]")] = "density [1/angstrom^2]"
    for row, density in zip(rows[2:], ("0.025", "0", "0"), strict=True):
        row[5] = density
    sheet = bench.save(bench.campaign.folder / "sheet.csv", rows)
    assert bench.tell(sheet) == bench.told(stored=2, pending=2)
    assert bench.values() == {
        ("magnetite", 0): {"modulus": (3.3, 0.1, "GPa")},
        ("magnetite", 1): {"modulus": (3.1, 0.0, "GPa")},
    }


def test_what_spreadsheets_do_to_text_is_no_edit(bench):
    sheet = bench.fill(
        bench.asked(), (2, "facet", "1"), (2, "density [1/nm^2]", "2,50"), (2, "length [1]", "12.0"),
        (2, "measured_on", "46115"), (2, "modulus [GPa]", "3"),
    )  # fmt: skip
    assert bench.tell(sheet) == bench.told(stored=1, pending=3)


def test_columns_may_move_or_go(bench):
    rows = bench.rows(bench.fill(bench.asked(), (2, "modulus [GPa]", "3")))
    keep = ["modulus [GPa]", "task", "notes", "oxide"]
    rows = [[row[rows[0].index(name)] for name in keep] for row in rows]
    assert bench.tell(bench.save(bench.campaign.folder / "sheet.csv", rows)) == bench.told(stored=1, pending=3)


def test_xlsx_numbers_dates_and_formulas(bench):
    from datetime import datetime

    sheet = bench.asked("sheet.xlsx")
    book = load_workbook(sheet)
    page = book["measurements"]
    page["I2"], page["J2"], page["M2"] = 3.25, 0.5, datetime(2026, 4, 3)
    page["I3"] = datetime(2026, 3, 3)
    page["I4"] = "=1+2"
    page["K5"] = "0,75"
    book.save(sheet)
    number = f'{sheet} row {{}}, column "modulus [GPa]": {{}}'
    assert bench.tell(sheet) == bench.told(
        stored=2,
        faults=[
            number.format(3, "'2026-03-03' is not a number; the spreadsheet seems to have made a date of it, ")
            + "format the column as number",
            number.format(4, "'=1+2' is not a number; a formula without a result, write the value"),
        ],
    )
    assert bench.values() == {
        ("magnetite", 0): {"modulus": (3.25, 0.5, "GPa")},
        ("silica", 1): {"beta": (0.75, 0.0, "1")},
    }


def test_the_original_file_is_kept(bench):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3"))
    bench.tell(sheet)
    (kept,) = (bench.campaign.run_folder / "sheets").iterdir()
    assert kept.read_bytes() == sheet.read_bytes()
