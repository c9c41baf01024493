"""The report: what a supervisor reads is there, is right, and loads nothing from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from loop import report
from loop.errors import BadInput
from loop.store import task_id
from loop.types import Check, Pick, Proposal, Task

VOID = {"meta", "br", "hr", "img", "input", "link"}
ONE_OBJECTIVE = "objectives: [{property: dipole, goal: maximize}]"
SECTIONS = ["best", "noise", "compromises", "progress", "audit", "failures", "checks", "lineage", "campaign", "meaning"]


class Page(HTMLParser):
    """The parts of a report: tags with their attributes, text by section, figures, and scripts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: dict[str, str] = {"header": ""}
        self.figures: dict[str, dict] = {}
        self.scripts: list[str] = []
        self._open: list[tuple[str, dict]] = []
        self._section = "header"
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "section":
            self._section = attrs["id"]
            self.text[self._section] = ""
        if tag not in VOID:
            self._open.append((tag, attrs))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        tag, attrs = self._open[-1] if self._open else ("", {})
        if tag == "script" and attrs.get("class") == "figure":
            self.figures[attrs["data-into"]] = json.loads(data)
        elif tag == "script":
            self.scripts.append(data)
        elif tag != "style":
            self.text[self._section] += " ".join(data.split()) + " "


def page(told) -> Page:
    return Page(report.write(told.campaign))


@pytest.fixture(scope="module")
def rich(story):
    """Two rounds with lineage, a failed design, a failed replicate, checks, and a measurement."""
    told = story(replicates=3)
    first, second, _ = told.simulate(0, [(1.0, 20.0), (2.0, 30.0), (0.5, 5.0)])
    told.measure(first, 0.42)
    child = Proposal(told.design(7.1), "cvae:cross", "abc123def", (0.25, -1.5), (second.id,), -3.0)
    pick = Pick(child, "improve", 0.7, {"dipole": (2.0, 0.4), "adhesion": (40.0, 3.0)})
    tasks = told.decide(1, [pick, told.design(6.9, "hematite")])
    good, flagged = Check("temperature", True, 401, 440, "K"), Check("drift", False, 2.5, 2.0)
    told.answer(tasks[0], [good, flagged], se=0.3, dipole=2.9, adhesion=50.0)
    told.answer(tasks[1], [good], se=0.3, dipole=3.0, adhesion=52.0)
    told.fail(tasks[2], "unconverged", "the dipole still drifts")
    for task in tasks[3:]:
        told.fail(task, "unphysical", "912 K is above 440 K", [Check("temperature", False, 912, 440, "K")])
    return told


@pytest.fixture(scope="module")
def rich_page(rich) -> Page:
    return page(rich)


def test_every_section_is_there_in_one_file_that_opens_offline(rich) -> None:
    path = report.write(rich.campaign)
    assert path == rich.campaign.run_folder / "report.html"
    assert path.stat().st_size < 10e6
    found = Page(path)
    assert [name for name in found.text if name != "header"] == SECTIONS
    for tag, attrs in found.tags:
        for name in ("src", "href", "data", "action", "srcset", "poster"):
            assert attrs.get(name, "#").startswith("#"), (tag, attrs)
        assert tag not in ("link", "iframe", "img", "base", "object", "embed")
    assert sum("plotly.js v" in script for script in found.scripts) == 1
    policy = next(a["content"] for _, a in found.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "http" not in policy


def test_headline(rich_page) -> None:
    header = rich_page.text["header"]
    assert "films" in header and "running" in header
    assert "maximize adhesion [mJ/m²], at least 10" in header
    assert "evaluations 5 of 40 in the budget" in header
    assert "1 measurement, 4 simulation" in header
    assert "density 7.1 1/nm²" in header and "adhesion 51.0" in header


def test_best_designs_with_error_bars(rich, rich_page) -> None:
    # dipole: the runs' own error, 0.3 / sqrt(2). adhesion: the variance 2 of its two replicates, shrunk by four degrees
    # of freedom towards the pooled 2 / 7: sqrt((4 * 2 / 7 + 2) / 5 / 2)
    assert "magnetite 7.1 1/nm² 3 2.95 ± 0.21 51.00 ± 0.56 2 1" in " ".join(rich_page.text["best"].split())
    figure = rich_page.figures["plot-best-1"]
    dipole, adhesion = figure["data"]
    best = rich.design(7.1).id
    assert dipole["y"][0] == adhesion["y"][0] == best
    assert dipole["x"][0] == pytest.approx(2.95) and adhesion["x"][0] == pytest.approx(51.0)
    assert dipole["error_x"]["visible"]
    assert dipole["error_x"]["array"][0] == pytest.approx(0.3 / 2**0.5)


def test_a_design_that_misses_its_threshold_is_marked_and_comes_last(rich, rich_page) -> None:
    marked = [attrs for tag, attrs in rich_page.tags if tag == "td" and "missed" in attrs.get("class", "")]
    assert len(marked) == 1
    assert rich_page.figures["plot-best-1"]["data"][0]["y"][-1] == rich.design(0.2).id


def test_compromises_have_error_bars_both_ways_and_the_threshold(rich_page) -> None:
    (figure,) = [f for name, f in rich_page.figures.items() if name.startswith("plot-compromises")]
    rest, front = figure["data"]
    assert (rest["name"], front["name"]) == ("other designs", "best compromises")
    assert len(rest["x"]) == 3 and len(front["x"]) == 1
    for trace in figure["data"]:
        assert len(trace["error_x"]["array"]) == len(trace["error_y"]["array"]) == len(trace["x"])
        assert all(error > 0 for error in trace["error_x"]["array"] + trace["error_y"]["array"])
    assert [(line["y0"], line["xref"]) for line in figure["layout"]["shapes"]] == [(10, "paper")]


def test_figures_are_valid_plotly(rich_page) -> None:
    from plotly.graph_objects import Figure

    for figure in rich_page.figures.values():
        Figure(figure)


def test_progress_never_falls(rich_page) -> None:
    trace = rich_page.figures["plot-progress-1"]["data"][0]
    assert trace["x"] == [0, 1]
    assert all(a <= b for a, b in pairwise(trace["y"]))
    # reference: the worst dipole of round 0 (0.5) and the threshold 10
    assert trace["y"] == [pytest.approx((2 - 0.5) * (30 - 10)), pytest.approx((2.95 - 0.5) * (51 - 10))]
    assert "1 improve" in rich_page.text["progress"]


def test_failures_by_cause_with_reasons(rich_page) -> None:
    text = rich_page.text["failures"]
    assert "unphysical , 1:" in text and "912 K is above 440 K" in text and "oxide hematite" in text
    assert "unconverged , " not in text
    assert "1 further replicate failed in evaluations whose other replicates gave a record" in text


def test_checks_are_counted_by_what_became_of_them(rich_page) -> None:
    text = rich_page.text["checks"]
    assert "temperature 2 0 3" in " ".join(text.split())
    assert "drift 0 1 0" in " ".join(text.split())


def test_lineage_of_a_proposed_design(rich, rich_page) -> None:
    text = " ".join(rich_page.text["lineage"].split())
    parent = rich.design(0.1).id
    for words in (
        "source cvae:cross",
        "model abc123def",
        f"Parents: {parent}",
        "Latent vector, 2 numbers: 0.250 -1.500",
        "chosen to improve",
        "acquisition value 0.7",
        "platform CPU",
        "unconverged: the dipole still drifts",
        "Record: simulation by md, table, 2 replicates",
    ):
        assert words in text
    # dipole 2.0 +- 0.4 predicted, 2.95 +- 0.21 observed: 0.95 / 0.4528
    assert "dipole 2.00 ± 0.40 2.95 ± 0.21 D +2.1" in text


def test_added_replicates_are_told_with_the_design_that_got_them(story) -> None:
    told = story(replicates=2)
    first, second = told.simulate(0, [(3.0, 20.0), (2.9, 20.0)])
    spec = told.campaign.oracles["md"]
    more = [
        Task(task_id(d.id, "md", spec.fidelity, k), d.id, "md", spec.fidelity, k, 7 + k)
        for d, k in ((first, 2), (first, 3), (second, 2))
    ]
    assert "Replicates added" not in page(told).text["lineage"]
    told.store.extend("undecided", more, reason="the ranking turns within 2 standard errors", info={})
    for task in more:
        told.answer(task, dipole=3.1, adhesion=21.0)
    text = " ".join(page(told).text["lineage"].split())
    assert text.count("Replicates added") == 2
    assert f"replicates 2 of md, {spec.fidelity} after round 0" in text
    assert f"replicates 1 of md, {spec.fidelity} after round 0" in text
    assert "because the ranking was undecided reason the ranking turns within 2 standard errors" in text
    assert f"by md, {spec.fidelity}, 4 replicates" in text


def test_the_lineage_of_a_told_measurement_says_so(story) -> None:
    told = story(objectives="objectives: [{property: beta_fraction, goal: maximize, oracle: lab}]")
    told.measure(told.design(3), 0.5, se=0.0)
    found = page(told)
    assert "Not proposed by the campaign: told by a person." in found.text["lineage"]
    assert "±" not in found.text["lineage"]
    assert found.figures["plot-best-1"]["data"][0]["error_x"]["array"] == [0]
    assert "needs two designs with error bars" in found.text["noise"]


@pytest.mark.parametrize(("se", "wins"), [(0.9, False), (1.1, True)])
def test_the_warning_appears_exactly_when_noise_wins(story, se, wins) -> None:
    # var(means) = 2 and spread^2 = 2 - se^2, so that spread = se at se = 1
    told = story(objectives=ONE_OBJECTIVE)
    told.simulate(0, [(0.0, 0.0), (2.0, 0.0)], se=se)
    found = page(told)
    assert ("Noise wins for dipole" in found.text["header"]) is wins
    assert ("noise wins" in found.text["noise"]) is wins
    assert sum(attrs.get("role") == "alert" for _, attrs in found.tags) == wins
    assert f"{(2 - se**2) ** 0.5 / se:.2g}" in found.text["noise"].split()


def test_each_objective_is_warned_of_by_itself(story) -> None:
    told = story()
    told.simulate(0, [(0.0, 50.0), (0.1, 20.0), (0.05, 30.0)], se=0.5)
    header = page(told).text["header"]
    assert "Noise wins for dipole" in header and "Noise wins for adhesion" not in header


def test_a_fallback_is_a_warning_and_other_remarks_are_not(story) -> None:
    told = story()
    picks = [Pick(Proposal(told.design(1), "uniform"), "fallback"), Pick(Proposal(told.design(2), "cvae"), "explore")]
    for round, (pick, note) in enumerate(zip(picks, ["the GP fit failed", "too few records"], strict=True)):
        told.store.decide(round, [pick], [], kinds={}, info={"notes": [note], "seconds": 1})
    found = page(told)
    assert "Round 0 chose 1 of its designs without a model: the GP fit failed." in found.text["header"]
    assert "too few records" not in found.text["header"]
    assert "too few records" in found.text["progress"]


def test_hostile_text_stays_text(story) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    space = f"space:\n  oxide: {{choices: ['{evil}', magnetite, 'a <b>bold</b> & \"quoted\"']}}\n"
    space += "  density: {real: [0, 8]}\n  chains: {integer: [1, 9]}\n"
    told = story(space=space, replicates=1)
    designs = [told.design(1, evil), told.design(2, 'a <b>bold</b> & "quoted"'), told.design(3, evil)]
    tasks = told.decide(0, designs)
    told.answer(tasks[0], [Check(evil, True)], dipole=1.0, adhesion=20.0)
    told.answer(tasks[1], dipole=2.0, adhesion=15.0)
    told.fail(tasks[2], reason=evil)
    path = report.write(told.campaign)
    assert evil not in path.read_text()
    found = Page(path)
    assert {tag for tag, _ in found.tags} & {"img", "b"} == set()
    assert not any(name.startswith("on") for _, attrs in found.tags for name in attrs)
    for section in ("header", "best", "failures", "checks", "lineage", "campaign"):
        assert evil in found.text[section] or "<b>bold</b>" in found.text[section]
    hover = found.figures["plot-best-1"]["data"][0]["hovertext"]
    assert all("<img" not in text and "<b>" not in text for text in hover)
    assert any("&lt;img" in text for text in hover)


def test_nothing_yet(story) -> None:
    found = page(story())
    assert found.figures == {}
    assert "No design has all objectives yet." in found.text["best"]
    assert "No evaluation has failed." in found.text["failures"]
    assert "No round has been decided yet." in found.text["progress"]


def test_one_record(story) -> None:
    told = story(objectives=ONE_OBJECTIVE)
    told.simulate(0, [(1.5, 3.0)])
    found = page(told)
    assert found.figures["plot-compromises-1"]["data"][0]["y"] == [1.5]
    assert found.figures["plot-progress-1"]["data"][0]["y"] == [1.5]


def test_only_failures(story) -> None:
    told = story()
    (task,) = told.decide(0, [told.design(1)])
    told.fail(task, "infeasible", "no such surface")
    found = page(told)
    assert found.figures == {}
    assert "infeasible , 1: the design cannot be built" in found.text["failures"]
    assert "no such surface" in found.text["failures"]


def test_three_objectives_show_every_pair(story) -> None:
    three = "objectives:\n  - {property: dipole, goal: maximize}\n  - {property: adhesion, goal: minimize}\n"
    three += "  - {property: beta_fraction, goal: target, target: 0.5, oracle: lab}"
    told = story(objectives=three)
    for design, fraction in zip(told.simulate(0, [(1.0, 3.0), (2.0, 5.0)]), (0.4, 0.7), strict=True):
        told.measure(design, fraction)
    found = page(told)
    assert sum(name.startswith("plot-compromises") for name in found.figures) == 3
    assert "bring beta fraction to 0.5" in found.text["header"]


def test_minimised_values_are_shown_as_they_are(story) -> None:
    told = story(objectives="objectives: [{property: dipole, goal: minimize}]")
    told.simulate(0, [(3.0, 1.0), (1.0, 1.0)])
    found = page(told)
    assert found.figures["plot-progress-1"]["data"][0]["y"] == [1.0]
    assert found.figures["plot-best-1"]["data"][0]["x"] == [1.0, 3.0]


def test_where_it_cannot_be_written(rich, tmp_path) -> None:
    with pytest.raises(BadInput, match="there is no folder"):
        report.write(rich.campaign, tmp_path / "missing" / "r.html")
    other = report.write(rich.campaign, tmp_path / "elsewhere.html")
    assert other.exists() and not list(tmp_path.glob(".*tmp"))


def test_a_campaign_that_was_never_run_is_bad_input(story) -> None:
    told = story()
    told.store.close()
    (told.campaign.run_folder / "campaign.db").unlink()
    with pytest.raises(BadInput, match="not been run yet"):
        report.write(told.campaign)


def test_reading_imports_nothing_heavy(rich) -> None:
    code = (
        "import sys; from pathlib import Path; from loop import export, report, status\n"
        "from loop.campaign import load\n"
        "campaign = load(Path(sys.argv[1]), thorough=False)\n"
        "status.snapshot(campaign); export.write(campaign, campaign.folder / 'x.csv'); report.write(campaign)\n"
        "print(sorted({'torch', 'botorch', 'openmm', 'openff', 'pandas', 'rdkit'} & set(sys.modules)))"
    )
    command = [sys.executable, "-P", "-c", code, str(rich.campaign.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
