"""The ledger as people read it: `loop audit`, `loop status`, and the report's section on real and synthetic data."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from loop import report
from loop.cli import make_app
from loop.ledger import Calibration, Gate, Ledger, Quality, Verdict, ledger_from
from loop.report import audit, audit_figures
from loop.status import snapshot
from loop.types import Design, Parameter

FREE = (Parameter("oxide", "choices", ("magnetite", "hematite")), Parameter("density", "real", (), (0, 8), "1/nm^2"))
DESIGNS = [Design({"oxide": "magnetite", "density": i / 10, "temperature": 400}) for i in range(5)]
WORDS = audit.Words({d.id: d for d in DESIGNS}, FREE, {"adhesion": "mJ/m^2", "dipole": "D"})
PAYS = Gate("scan (scan)", "adhesion", "feature", 0.31, 0.1, True, "gain +0.31 ± 0.10 nat per record: it enters")
PAYS_NOT = Gate("scan (scan)", "dipole", "feature", -0.2, 0.1, False, "gain -0.20 ± 0.10 nat per record: it stays out")


def synthetic(number: int, status: str, reason: str) -> Verdict:
    return Verdict("synthetic", DESIGNS[number].id, "scan", "scan", status, reason)


def real(number: int, status: str, reason: str, superseded: tuple[int, ...] = ()) -> Verdict:
    return Verdict("real", DESIGNS[number].id, "md", "table", status, reason, {"z": -3.5}, superseded)


LEDGERS = [
    Ledger(0),
    Ledger(
        1,
        Quality(500, 480, 240, 216, 0.93, 0.98, 0.61, 0.52),
        (PAYS, PAYS_NOT),
        Calibration(20, 0.7, 0.95),
        (
            real(3, "flagged", "adhesion is 40 where the other records predict 60 ± 5, 4.0 standard deviations away"),
            synthetic(2, "contradicted", "its label promised adhesion 90 ± 9, md (table) found 40 ± 2"),
            synthetic(0, "admitted", "adhesion: gain +0.31"),
            synthetic(1, "admitted", "adhesion: gain +0.31"),
        ),
    ),
    Ledger(2, None, (), None, (real(3, "corrected", "a fresh replicate gives adhesion 58 ± 3", (0, 1)),)),
]


def test_every_decision_is_a_sentence_sources_first_then_synthetic_then_real_records():
    said = audit.sentences(LEDGERS[1], WORDS)
    assert said == [
        "Source scan (scan) admitted for adhesion, as a feature: gain +0.31 ± 0.10 nat per record: it enters.",
        "Source scan (scan) refused for dipole, as a feature: gain -0.20 ± 0.10 nat per record: it stays out.",
        "2 synthetic records of scan, scan, believed: adhesion [mJ/m²]: gain +0.31.",
        f"Synthetic record {DESIGNS[2].id} (oxide magnetite, density 0.2 1/nm²) of scan, scan, contradicted: "
        "its label promised adhesion [mJ/m²] 90 ± 9, md (table) found 40 ± 2.",
        f"Real record {DESIGNS[3].id} (oxide magnetite, density 0.3 1/nm²) of md, table, doubted: "
        "adhesion [mJ/m²] is 40 where the other records predict 60 ± 5, 4.0 standard deviations away.",
    ]


def test_replicates_that_no_longer_count_are_named():
    (said,) = audit.sentences(LEDGERS[2], WORDS)
    assert "corrected, replicates 0, 1 no longer count: a fresh replicate gives adhesion [mJ/m²] 58 ± 3." in said


def test_a_design_that_is_not_known_keeps_its_id():
    stranger = Verdict("real", "0123456789ab", "md", "table", "flagged", "")
    assert audit.sentences(Ledger(0, verdicts=(stranger,)), WORDS) == [
        "Real record 0123456789ab of md, table, doubted."
    ]


def test_tables_have_a_row_per_round_and_dashes_where_nothing_is_known():
    first, second, _ = audit.drawn(LEDGERS)
    assert set(first.values()) == {"0", audit.UNKNOWN}
    assert list(second.values()) == [
        "1",
        "500",
        "480 (96 %)",
        "240 (50 %)",
        "216 (90 %)",
        "0.93",
        "0.98",
        "0.61",
        "0.52",
    ]
    assert first.keys() == second.keys()
    _, counts, last = audit.believed(LEDGERS)
    assert (counts["admitted"], counts["contradicted"], counts["flagged"]) == ("2", "1", "1")
    assert (counts["left out"], counts["in 68 %"], counts["in 95 %"]) == ("20", "0.70", "0.95")
    assert (last["corrected"], last["in 95 %"]) == ("1", audit.UNKNOWN)


def test_generated_molecules_are_counted_where_there_are_any():
    made = Ledger(1, Quality(500, 480, 240, 216, molecules=40, unnamed=38))
    rows = audit.drawn([Ledger(0), made])
    assert [(row["molecules"], row["unnamed"]) for row in rows] == [(audit.UNKNOWN, audit.UNKNOWN), ("40", "38 (95 %)")]
    assert "molecules" not in audit.drawn(LEDGERS)[1]
    assert made.counts()["unnamed"] == 38 and "unnamed" not in LEDGERS[1].counts()
    assert made.plain()["quality"]["molecules"] == 40 and LEDGERS[1].plain()["quality"]["molecules"] is None
    assert ledger_from(json.loads(json.dumps(made.plain()))) == made
    shares = audit_figures.plots([made])[0]["data"]
    assert (shares[-1]["name"], shares[-1]["y"]) == ("unnamed of the molecules", [pytest.approx(0.95)])


def test_a_ledger_kept_before_molecules_were_counted_is_read():
    plain = LEDGERS[1].plain()
    old = {k: v for k, v in plain["quality"].items() if k not in ("molecules", "unnamed")}
    assert ledger_from({**plain, "quality": old}) == LEDGERS[1]


def test_doubted_records_have_their_history():
    (record,) = audit.doubted(LEDGERS, WORDS)
    assert record["id"] == DESIGNS[3].id and record["oracle"] == "md, table"
    assert record["history"] == "doubted in round 1, corrected in round 2"
    assert record["reason"] == "a fresh replicate gives adhesion [mJ/m²] 58 ± 3"


def test_the_sum_of_all_rounds_is_one_sentence():
    assert audit.in_all(LEDGERS) == (
        "In 3 rounds: of synthetic records 2 believed, 0 not believed, 0 borne out and 1 contradicted by real ones; "
        "of real records 1 doubted, 0 confirmed, 1 corrected, 0 left in doubt."
    )


def test_figures_show_what_is_known_and_are_valid_plotly():
    from plotly.graph_objects import Figure

    draws, distances, gains, bars = audit_figures.plots(LEDGERS)
    assert [(t["name"], t["x"], t["y"]) for t in draws["data"]] == [
        ("valid of the generated", [1], [pytest.approx(0.96)]),
        ("unique of the valid", [1], [0.5]),
        ("novel of the unique", [1], [pytest.approx(0.9)]),
    ]
    c2st, null = distances["data"][2:]
    assert (c2st["y"], null["y"]) == ([0.61], [0.52])
    assert c2st["line"]["color"] == null["line"]["color"] and null["line"]["dash"] == "dash"
    assert [t["error_y"]["array"] for t in gains["data"]] == [[0.1], [0.1]]
    assert [t["marker"]["symbol"] for t in gains["data"]] == [["circle"], ["circle-open"]]
    assert [line["y0"] for line in bars["layout"]["shapes"]] == [0.68, 0.95]
    for figure in (draws, distances, gains, bars):
        Figure(figure)
    assert audit_figures.plots(LEDGERS[:1]) == []


@pytest.fixture(scope="module")
def audited(story):
    """Three designs of three replicates, of which the second record is doubted and then corrected."""
    told = story("audited", replicates=3)
    doubted = told.simulate(0, [(1.0, 20.0), (2.0, 30.0), (0.5, 5.0)])[1]
    told.store.judge(Ledger(0))
    told.decide(1, [told.design(7.1)])
    flagged = Verdict("real", doubted.id, "md", "table", "flagged", "adhesion is 30 where 12 ± 3 is expected")
    told.store.judge(replace(LEDGERS[1], verdicts=(flagged,)))
    told.decide(2, [told.design(7.2)])
    corrected = replace(flagged, status="corrected", reason="fresh: adhesion 13 ± 2", superseded=(0, 1))
    told.store.judge(Ledger(2, verdicts=(corrected,)))
    return told


def invoked(*arguments: str):
    result = CliRunner().invoke(make_app(), list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def test_the_command_prints_tables_and_sentences(audited):
    shown = invoked("audit", str(audited.campaign.path))
    assert shown.exit_code == 0 and shown.stderr == ""
    lines = shown.stdout.splitlines()
    assert lines[0].startswith("audited: In 3 rounds: ")
    assert "1      500        480 (96 %)  240 (50 %)  216 (90 %)  0.93      0.98     0.61  0.52" in lines
    design = audited.design(0.1)
    doubted = f"  Real record {design.id} (oxide magnetite, density 0.1 1/nm², chains 3) of md, table, doubted: "
    assert doubted + "adhesion [mJ/m²] is 30 where 12 ± 3 is expected." in lines
    assert lines.index("round 1") < lines.index(doubted + "adhesion [mJ/m²] is 30 where 12 ± 3 is expected.")
    assert lines[lines.index("round 0") + 1] == "  Nothing was decided about the data."


def test_json_has_one_object_a_round(audited):
    found = json.loads(invoked("audit", str(audited.campaign.run_folder), "--json").stdout)
    keys = ("round", "generated", "valid", "unique", "novel", "admitted", "rejected", "contradicted", "flagged")
    assert [[one[key] for key in (*keys, "confirmed", "corrected")] for one in found] == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [1, 500, 480, 240, 216, 0, 0, 0, 1, 0, 0],
        [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    ]
    assert found[1]["quality"]["c2st_null"] == 0.52 and found[1]["calibration"]["within_95"] == 0.95
    assert found[1]["gates"][1]["admitted"] is False
    assert found[2]["verdicts"][0]["superseded"] == [0, 1] and len(found[2]["sentences"]) == 1
    assert [ledger_from(one) for one in found][1].gates == LEDGERS[1].gates


def test_a_campaign_without_a_ledger_says_why(story):
    told = story("bare")
    shown = invoked("audit", str(told.campaign.path))
    assert (shown.exit_code, shown.stdout) == (0, "bare: no ledger yet: no round has been judged\n")
    told.simulate(0, [(1.0, 2.0)])
    shown = invoked("audit", str(told.campaign.path), "--json")
    assert json.loads(shown.stdout) == [] and "no round has been judged" in shown.stderr
    told.store.close()
    (told.campaign.run_folder / "campaign.db").unlink()
    shown = invoked("audit", str(told.campaign.path))
    assert shown.exit_code == 2 and shown.stderr == "bare has not been run yet: loop run campaign.yaml\n"


def test_status_has_the_counts_of_the_last_round(audited, story):
    found = snapshot(audited.campaign)["ledger"]
    assert (found["round"], found["corrected"], found["flagged"]) == (2, 1, 0)
    assert "\nledger of round 2: 1 corrected\n" in invoked("status", str(audited.campaign.path)).stdout
    assert snapshot(story("fresh").campaign)["ledger"] is None


def test_the_report_tells_what_was_believed_and_marks_what_no_longer_counts(audited, story):
    text = " ".join(re.sub(r"<[^>]+>", " ", report.write(audited.campaign).read_text()).split())
    assert "In 3 rounds: of synthetic records 0 believed" in text
    assert "Source scan (scan) admitted for adhesion, as a feature: gain +0.31 ± 0.10 nat per record" in text
    assert "doubted in round 1, corrected in round 2 fresh: adhesion [mJ/m²] 13 ± 2" in text
    assert text.count("no longer counts: superseded in round 2") == 2
    bare = report.write(story("unjudged").campaign).read_text()
    assert "<p>No ledger yet: no round has been judged.</p>" in bare
