"""Profiles in the report: hand-made ones are shown with their errors, bad ones are a sentence."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from loop import report
from loop.report.profiles import MAX_BYTES, MAX_POINTS, MAX_PROFILES, MAX_TEXT, Unreadable, read

AXIS = {"label": "distance from the surface", "unit": "nm", "values": [0.025, 0.075, 0.125]}
DENSITY = {
    "name": "density",
    "axis": AXIS,
    "label": "polymer density",
    "unit": "g/cm^3",
    "values": [0.0, 1.5, 1.25],
    "errors": [0.0, 0.25, 0.125],
}
DIPOLE = DENSITY | {"name": "dipole", "label": "normal dipole per monomer", "unit": "D", "values": [0.5, 0.25, -0.125]}
EVIL = "</script><img src=x onerror=alert(1)>"


def file_of(*profiles: object) -> bytes:
    return json.dumps(profiles).encode()


def told_with(story, *files: bytes, **more):
    """A campaign whose designs have one replicate each, with one `profiles.json` each."""
    told = story(**more)
    for task, content in zip(told.decide(0, [told.design(1 + i / 10) for i in range(len(files))]), files, strict=True):
        told.answer(task, files={"profiles.json": content}, dipole=1.0, adhesion=20.0)
    return told


def figures(text: str) -> list[dict]:
    parts = text.split('data-into="plot-profiles-')[1:]
    return [json.loads(part.split(">", 1)[1].split("</script>", 1)[0]) for part in parts]


def write(told) -> str:
    return report.write(told.campaign).read_text()


def test_a_figure_with_a_panel_per_quantity_and_a_line_per_design(story) -> None:
    from plotly.graph_objects import Figure

    told = told_with(story, file_of(DENSITY, DIPOLE), file_of(DENSITY))
    text = write(told)
    (figure,) = figures(text)
    Figure(figure)
    assert [trace["name"] for trace in figure["data"]].count(told.design(1.0).id) == 2
    assert [trace["yaxis"] for trace in figure["data"]] == ["y", "y", "y2"]
    layout = figure["layout"]
    assert layout["yaxis"]["title"]["text"] == "polymer density [g/cm³]"
    assert layout["yaxis2"]["title"]["text"] == "normal dipole per monomer [D]"
    assert layout["xaxis"]["title"]["text"] == layout["xaxis2"]["title"]["text"] == "distance from the surface [nm]"
    assert layout["yaxis2"]["domain"][1] < layout["yaxis"]["domain"][0]
    lone = figure["data"][0]
    assert (lone["x"], lone["y"]) == (AXIS["values"], DENSITY["values"])
    assert lone["error_y"]["array"] == DENSITY["errors"]
    assert sum(trace["showlegend"] for trace in figure["data"]) == 2
    assert '<a href="#profiles">' in text and "Not shown" not in text


def test_replicates_are_combined_into_mean_and_error_over_them(story) -> None:
    """Values 1 and 2 with small errors: mean 1.5, error sqrt(0.5 / 2); a place that one lacks is the other's."""
    told = story(replicates=2)
    tasks = told.decide(0, [told.design(1)])
    short = DENSITY | {"axis": AXIS | {"values": AXIS["values"][:2]}, "values": [0.0, 2.0], "errors": [0.0, 0.125]}
    one = DENSITY | {"values": [0.0, 1.0, 1.25], "errors": [0.5, 0.125, 0.125]}
    for task, profile in zip(tasks, (one, short), strict=True):
        told.answer(task, files={"profiles.json": file_of(profile)}, dipole=1.0, adhesion=20.0)
    ((line,),) = (figure["data"] for figure in figures(write(told)))
    assert line["x"] == AXIS["values"]
    assert line["y"] == [0.0, 1.5, 1.25]
    # sqrt((0.5^2 + 0) / 2 / 2) where the replicates agree but one does not know
    assert line["error_y"]["array"] == pytest.approx([0.25, 0.5, 0.125])


def test_oracles_and_units_are_not_mixed(story) -> None:
    told = told_with(story, file_of(DENSITY), file_of(DENSITY | {"unit": "kg/m^3"}))
    (figure,) = figures(write(told))
    assert [trace["yaxis"] for trace in figure["data"]] == ["y", "y2"]
    assert figure["layout"]["title"]["text"] == "md, table"


def test_a_task_has_one_file_of_profiles(story) -> None:
    told = story()
    (task,) = told.decide(0, [told.design(1)])
    files = {"profiles.json": file_of(DENSITY), "old.profiles.json": file_of(DIPOLE)}
    told.answer(task, files=files, dipole=1.0, adhesion=20.0)
    (figure,) = figures(write(told))
    assert [trace["yaxis"] for trace in figure["data"]] == ["y"]


def test_without_profiles_there_is_no_such_section(story) -> None:
    told = told_with(story, file_of())
    assert 'id="profiles"' not in write(told)


def test_the_example_of_the_docs_can_be_read(tmp_path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "writing_an_oracle.md").read_text()
    (example,) = re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "profiles.json"
    path.write_text(example)
    (profile,) = read(path, tmp_path)
    assert profile.axis.unit == "nm" and len(profile.errors) == 3
    for limit in (MAX_POINTS, MAX_PROFILES, MAX_TEXT):
        assert str(limit) in page


BAD = {
    "not json": (b"{", "Invalid JSON"),
    "not a list": (b'{"a": 1}', "valid array"),
    "binary": (bytes(range(256)), "Invalid JSON"),
    "a lone surrogate": (file_of(DENSITY).replace(b"polymer", b"\\ud800"), "Invalid JSON"),
    "nested deeply": (b"[" * 100_000, "Invalid JSON"),
    "not a number": (file_of(DENSITY).replace(b"1.25", b"NaN"), "0.values.2"),
    "infinite": (file_of(DENSITY).replace(b"1.25", b"1e999"), "0.values.2"),
    "so large that its square is infinite": (file_of(DENSITY | {"errors": [0, 1e200, 0]}), "0.errors.1"),
    "an integer without end": (file_of(DENSITY).replace(b"1.25", b"9" * 5000), "out of range"),
    "a text for a number": (file_of(DENSITY | {"values": [0, "1", 2]}), "0.values.1"),
    "missing": (file_of({key: DENSITY[key] for key in DENSITY if key != "unit"}), "0.unit: Field required"),
    "unknown": (file_of(DENSITY | {EVIL * 100: 1}), "0."),
    "unequal": (file_of(DENSITY | {"errors": [0.0, 0.1]}), "differ in length: 3, 3, 2"),
    "empty": (file_of(DENSITY | {"values": []}), "0.values"),
    "negative error": (file_of(DENSITY | {"errors": [0.0, -0.1, 0.0]}), "an error is negative"),
    "axis that turns back": (file_of(DENSITY | {"axis": AXIS | {"values": [0.1, 0.2, 0.2]}}), "does not increase"),
    "too many points": (file_of(DENSITY | {"values": [0.0] * (MAX_POINTS + 1)}), "at most"),
    "too many profiles": (file_of(*[DENSITY] * 13), "at most"),
    "one name twice": (file_of(DENSITY, DENSITY), "the same name"),
    "a label that fills a page": (file_of(DENSITY | {"label": "x" * 81}), "0.label"),
    "too large": (file_of(DENSITY) + b" " * MAX_BYTES, "is larger than 1000000 bytes"),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_bad_content_is_a_sentence(content, tmp_path) -> None:
    path = tmp_path / "profiles.json"
    path.write_bytes(content[0])
    with pytest.raises(Unreadable) as caught:
        read(path, tmp_path)
    assert content[1] in str(caught.value)
    assert len(str(caught.value)) <= 200 and "\n" not in str(caught.value)


def test_only_regular_files_of_the_run_are_read(tmp_path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    outside = tmp_path / "profiles.json"
    outside.write_bytes(file_of(DENSITY))
    (run / "link.json").symlink_to(outside)
    (run / "loop.json").symlink_to(run / "loop.json")
    os.mkfifo(run / "pipe.json")
    for path in (
        run / "link.json",
        run / "loop.json",
        run / "pipe.json",
        run / "../profiles.json",
        run / "none",
        run,
        run / "a\0b",
    ):
        with pytest.raises(Unreadable, match=r"not a file in the run folder|cannot be read"):
            read(path, run)
    assert read(outside, tmp_path)[0].values == (0.0, 1.5, 1.25)


def test_the_report_names_what_it_cannot_show_and_shows_the_rest(story) -> None:
    told = told_with(story, file_of(DENSITY), b"{", file_of(DENSITY | {EVIL: 1}))
    text = write(told)
    (figure,) = figures(text)
    assert len(figure["data"]) == 1
    assert text.count("Not shown: attempts/") == 2
    assert EVIL not in text


def test_a_file_that_was_changed_afterwards_is_not_shown(story) -> None:
    told = told_with(story, file_of(DENSITY))
    (path,) = told.campaign.run_folder.rglob("profiles.json")
    path.write_bytes(file_of(DENSITY | {"values": [9.0, 9.0, 9.0]}))
    text = write(told)
    assert figures(text) == [] and "has changed since it was stored" in text
    path.unlink()
    assert "is not a file in the run folder" in write(told)


def test_hostile_labels_stay_text(story) -> None:
    told = told_with(story, file_of(DENSITY | {"label": EVIL, "axis": AXIS | {"label": EVIL}}))
    text = write(told)
    assert EVIL not in text
    (figure,) = figures(text)
    assert figure["layout"]["yaxis"]["title"]["text"].startswith("&lt;/script&gt;&lt;img")


def test_the_largest_files_leave_the_report_small(story) -> None:
    wide = {"values": [i * 1.000001 for i in range(1, MAX_POINTS + 1)]}
    full = [
        DENSITY | {"name": str(k), "axis": AXIS | wide, "values": [0.123456] * MAX_POINTS, "errors": [1.0] * MAX_POINTS}
        for k in range(12)
    ]
    told = told_with(story, *[file_of(*full)] * 9)
    path = report.write(told.campaign)
    assert path.stat().st_size < 10e6
    (figure,) = figures(path.read_text())
    assert len({trace["name"] for trace in figure["data"]}) == 7
