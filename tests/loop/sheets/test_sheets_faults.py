"""What is refused: bad rows, bad headings, files that are no sheets."""

import pytest

from loop.campaign import load
from loop.errors import BadInput
from loop.sheets import tell

INSTEAD = "; undo the change, or enter another design in a row of its own without task and check"
NO_VALUE = "no value is given; if there is none, write failed or skip into the status"
ROW_FAULTS = {
    "unknown task": ({"task": "1234-lab-measured-0"}, "task", "unknown task '1234-lab-measured-0'"),
    "edited design": ({"density [1/nm^2]": "3"}, "density [1/nm^2]", f"was 2.5, is '3'{INSTEAD}"),
    "edited choice": ({"oxide": "silica"}, "oxide", f"was 'magnetite', is 'silica'{INSTEAD}"),
    "emptied design": ({"facet": ""}, "facet", f"was '001', is ''{INSTEAD}"),
    "edited replicate": ({"replicate": "7"}, "replicate", "was '0', is '7'; undo the change"),
    "edited check": ({"check": "c1234567"}, "check", "does not belong to this task: rows were mixed up"),
    "no number": ({"modulus [GPa]": "hard"}, "modulus [GPa]", "'hard' is not a number"),
    "other unit": ({"modulus [GPa]": "3.3 K"}, "modulus [GPa]", "'3.3 K': 'K' is no unit that fits 'GPa'"),
    "only n/a": ({"modulus [GPa]": "n/a"}, "status", NO_VALUE),
    "done without value": ({"modulus [GPa]": "", "status": "done"}, "status", NO_VALUE),
    "failed with value": ({"status": "failed"}, "status", "says failed, but values are given; clear one of them"),
    "no such status": ({"status": "dne"}, "status", "'dne' is not one of done, failed, skip; did you mean done?"),
    "error without value": ({"u(beta) [1]": "0.1"}, "u(beta) [1]", "'0.1' is an error without a value"),
    "negative error": ({"u(modulus) [GPa]": "-1"}, "u(modulus) [GPa]", "'-1': an error is one number, not negative"),
    "two errors": (
        {"modulus [GPa]": "3 ± 0.1", "u(modulus) [GPa]": "0.2"},
        "modulus [GPa]",
        "'3 ± 0.1' and '0.2' give two different errors",
    ),
    "no date": ({"measured_on": "4/3/2026"}, "measured_on", "'4/3/2026' is not a date; write it as 2026-04-03"),
}


@pytest.mark.parametrize(("cells", "column", "message"), ROW_FAULTS.values(), ids=ROW_FAULTS.keys())
def test_a_bad_row_is_located_and_the_good_ones_are_kept(bench, cells, column, message):
    edits = {"modulus [GPa]": "3", **cells}
    sheet = bench.fill(bench.asked(), *((2, *edit) for edit in edits.items()), (4, "modulus [GPa]", "1.5"))
    result = bench.tell(sheet)
    (fault,) = result.faults
    assert fault.startswith(f'{sheet} row 2, column "{column}": {message}')
    assert bench.values() == {("silica", 0): {"modulus": (1.5, 0.0, "GPa")}}
    assert result == bench.told(stored=1, pending=2, faults=result.faults)


def test_all_faults_of_a_sheet_are_listed(bench):
    sheet = bench.fill(
        bench.asked(), (2, "modulus [GPa]", "a"), (2, "beta [1]", "b"), (3, "length [1]", "13"), (3, "beta [1]", "1"),
        (4, "task", "gone"), (4, "beta [1]", "1"),
    )  # fmt: skip
    result = bench.tell(sheet)
    assert [fault.partition(" row ")[2][:20] for fault in result.faults] == [
        '2, column "modulus [', '2, column "beta [1]"', '3, column "length [1', '4, column "task": un',
    ]  # fmt: skip
    assert result.pending == 1


def test_rows_swapped_among_tasks_are_noticed(bench):
    rows = bench.rows(bench.fill(bench.asked(), (2, "modulus [GPa]", "3"), (4, "modulus [GPa]", "1")))
    rows[1][0], rows[3][0] = rows[3][0], rows[1][0]  # sorting one column and not the others
    result = bench.tell(bench.save(bench.campaign.folder / "sheet.csv", rows))
    assert result.stored == 0
    assert any("row 2, column \"oxide\": was 'silica', is 'magnetite'" in fault for fault in result.faults)
    rows = bench.rows(bench.asked())
    rows[1][8], rows[1][0], rows[2][0] = "3", rows[2][0], rows[1][0]  # replicates of one design
    rows[1][2] = ""
    result = bench.tell(bench.save(bench.campaign.folder / "sheet.csv", rows))
    assert [fault.partition("column ")[2][:7] for fault in result.faults] == ['"check"']


def test_the_same_row_twice_counts_once_and_two_answers_to_one_are_refused(bench):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3"))
    rows = bench.rows(sheet)
    assert bench.tell(bench.save(sheet, [*rows, rows[1]])) == bench.told(stored=1, pending=3)
    other = [*rows[1]]
    other[8] = "4"
    good = [*rows[3]]
    good[8] = "1"
    result = bench.tell(bench.save(sheet, [rows[0], other, good, rows[1]]))
    assert result.faults == (f"{sheet} row 4: answers the same as row 2, but differently; keep one of them",)
    assert bench.values() == {
        ("magnetite", 0): {"modulus": (3.0, 0.0, "GPa")},
        ("silica", 0): {"modulus": (1.0, 0.0, "GPa")},
    }


def test_too_many_cells_in_a_row_are_noticed(bench):
    sheet = bench.asked()
    text = sheet.read_text(encoding="utf-8-sig").splitlines()
    text[1] = text[1].replace(",,,,,,,,", ",3,25,,,,,,,", 1)  # a decimal comma that nobody quoted
    sheet.write_text("\n".join(text))
    (fault,) = bench.tell(sheet).faults
    assert "row 2: 'c" in fault
    assert fault.endswith("stands in no column; is there a separator too many?")


HEADINGS = {
    "unknown column": ("operator", "colour", "unknown column; delete it, or put its text into the notes"),
    "misspelt column": ("operator", "operater", "unknown column; did you mean operator?"),
    "twice": ("beta [1]", "modulus [GPa]", "stands in the heading twice"),
    "no unit": ("modulus [GPa]", "modulus", "has no unit; write modulus [GPa]"),
    "wrong unit": ("modulus [GPa]", "modulus [K]", "cannot be converted to GPa: cannot convert 'K' to 'GPa'"),
}


@pytest.mark.parametrize(("old", "new", "message"), HEADINGS.values(), ids=HEADINGS.keys())
def test_a_bad_heading_refuses_the_sheet(bench, old, new, message):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3"), (1, old, new))
    with pytest.raises(BadInput) as caught:
        bench.tell(sheet)
    (line,) = caught.value.problems
    assert line.startswith(f'{sheet} row 1, column "{new}": {message}')
    assert bench.values() == {}
    assert not (bench.campaign.run_folder / "sheets").exists()


def test_files_that_are_no_sheets(bench):
    folder = bench.campaign.folder

    def refused(name, content, message):
        (folder / name).write_bytes(content)
        with pytest.raises(BadInput, match=message):
            bench.tell(folder / name)

    refused("empty.csv", b"", "is empty; `loop ask` writes a sheet to fill in")
    refused(
        "old.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, r"old \.xls or a protected workbook; save it as \.xlsx or \.csv"
    )
    refused("torn.xlsx", b"PK\x03\x04" + b"\0" * 600, "no readable xlsx workbook")
    refused("photo.csv", bytes(range(256)), "neither xlsx nor readable CSV|unknown column|no column holds")
    refused("~$sheet.xlsx", b"x", "lock file, not the sheet")
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        bench.tell(folder / "nowhere.csv")


@pytest.mark.parametrize("lock", ["~$sheet.csv", ".~lock.sheet.csv#"])
def test_a_sheet_still_open_in_a_spreadsheet_is_refused(bench, lock):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3"))
    (bench.campaign.folder / lock).write_text("x")
    with pytest.raises(BadInput, match="is open in a spreadsheet; save and close it, or delete a stale"):
        bench.tell(sheet)


def test_a_campaign_whose_physics_changed_takes_no_measurements(bench):
    sheet = bench.fill(bench.asked(), (2, "modulus [GPa]", "3"))
    bench.campaign.path.write_text(bench.text.replace("[8, 24]", "[8, 30]"))
    with pytest.raises(BadInput, match="rests on other settings"):
        tell(load(bench.campaign.path), sheet)
