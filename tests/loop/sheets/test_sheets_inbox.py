"""Sheets told while `loop run` holds the campaign."""

from loop.sheets import drain_inbox
from loop.store import Store


def test_rows_told_to_a_running_campaign_wait_in_its_inbox(bench):
    own = bench.brought(("oxide", "silica"), ("facet", "001"), ("density [1/nm^2]", "0"))
    sheet = bench.fill(bench.asked("first.csv"), (2, "modulus [GPa]", "3 ± 0.5"), (3, "modulus [GPa]", "?!"))
    with Store.open(bench.campaign.run_folder) as store:
        result = bench.tell(sheet)
        assert (result.queued, result.stored, len(result.faults)) == (1, 0, 1)
        assert bench.tell(own).queued == 1
        assert store.records() == []
        assert drain_inbox(store, bench.campaign) == 2
        assert drain_inbox(store, bench.campaign) == 0
        assert {r.estimates["modulus"].mean for r in store.records()} == {3.0, 5.0}
        assert store.records()[0].estimates["modulus"].se == 0.5
        bench.tell(sheet)
    bench.tell(bench.fill(sheet, (2, "modulus [GPa]", "4"), (3, "modulus [GPa]", "")))  # drains the inbox first
    assert bench.values()["magnetite", 0] == {"modulus": (4.0, 0.0, "GPa")}
    assert list((bench.campaign.run_folder / "inbox").glob("*.json")) == []


def test_an_inbox_file_that_cannot_be_taken_in_is_put_aside_with_an_event(bench):
    inbox = bench.campaign.run_folder / "inbox"
    inbox.mkdir()
    (inbox / "1.json").write_text("{")
    (inbox / "2.json").write_text('{"sheet_id": "x", "rows": [{"design": null, "estimates": {}, "surprise": 1}]}')
    with Store.open(bench.campaign.run_folder) as store:
        assert drain_inbox(store, bench.campaign) == 0
        refused = [event.payload["file"] for event in store.events() if event.kind == "sheet_refused"]
    assert refused == ["inbox/refused/1.json", "inbox/refused/2.json"]
    assert sorted(path.name for path in (inbox / "refused").iterdir()) == ["1.json", "2.json"]
