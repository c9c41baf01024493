"""How many labels pay, worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from loop.engine.history import History
from loop.engine.labelling import (
    MOST_EXPLAINED,
    MOST_LABELS,
    MOST_PER_EVALUATION,
    UNSEEN,
    Labelling,
    Worth,
    expected_labels,
    explained,
    in_all,
    labellings,
    labels_per_evaluation,
)
from loop.ledger import Gate
from loop.types import Design, Estimate, Failure, Objective, Record

HEIGHT = Objective("height", "maximize", "walk", "m")
OTHER = Objective("width", "maximize", "walk", "m")


class Priced:
    def __init__(self, seconds: float) -> None:
        self.properties, self.seconds = {"height": "m", "width": "m"}, seconds

    def cost(self, design: Design, fidelity: str) -> float:
        return self.seconds


def oracle(
    name: str, seconds: float, labels: int | str = 0, replicates: int = 1, cheaper_than: str | None = None
) -> SimpleNamespace:
    about = {"fidelity": "f", "labels": labels, "replicates": replicates, "cheaper_than": cheaper_than}
    return SimpleNamespace(name=name, oracle=Priced(seconds), options={}, **about)


def campaign(quick: float = 1.0, walk: float = 32.0, labels: int | str = "auto", objectives=(HEIGHT,)):
    specs = {"quick": oracle("quick", quick, labels), "walk": oracle("walk", walk, replicates=3)}
    space = SimpleNamespace(free=tuple("abcde"))  # five fields: a rate of one half, a power of two thirds
    return SimpleNamespace(
        oracles=specs, sources=(specs["quick"],), deciding=("walk",), objectives=objectives, space=space
    )


def design(i: int) -> Design:
    return Design({"x": i})


def records(name: str, values: list[float], prop: str = "height", kind: str = "simulation") -> list[Record]:
    return [Record(design(i), name, "f", kind, {prop: Estimate(v, 0.1, "m")}, 1, 0) for i, v in enumerate(values)]


def known(real: list[float], labels: list[float]) -> History:
    both = [*records("walk", real), *records("quick", labels, kind="synthetic")]
    return History(tuple(both), (), (), frozenset(["quick"]))


def gate(prop: str, admitted: bool) -> Gate:
    return Gate("quick (f)", prop, "feature", 0.1, 0.1, admitted, "")


def asked(history: History, gates=(), count: int = 4, **keys: object) -> Labelling:
    return labellings(campaign(**keys), history, gates, [design(0)], count)["quick"]


def test_the_ratio_leaves_the_least_variance_for_the_money() -> None:
    assert labels_per_evaluation(0.8, 36.0, 1.0, 0) == pytest.approx(12.0), "the square root, for a mean"
    part, evaluation, label, fields = 0.7, 50.0, 3.0, 5

    def left(ratio: float) -> float:
        """The variance left, with as many evaluations as the money allows beside so many labels for each."""
        n = 1e6 / (evaluation + ratio * label)
        return part * (ratio * n) ** -0.5 + (1 - part) * n**-0.5

    best = labels_per_evaluation(part, evaluation, label, fields)
    assert all(left(best) < left(best * other) for other in (0.5, 0.9, 1.1, 2.0))
    assert labels_per_evaluation(0.0, 36.0, 1.0, 5) == labels_per_evaluation(0.5, 0.0, 1.0, 5) == 0
    assert labels_per_evaluation(0.5, 1.0, 0.0, 5) == math.inf


def test_a_fixed_number_is_what_it_says() -> None:
    assert asked(known([], []), labels=6) == Labelling(6, True)


def test_before_any_answer_half_is_taken_to_be_explained() -> None:
    # an evaluation takes 3 * 32 s, a label 1 s: 96^(2/3) = 21.0 labels each for 4 picks, which are labelled themselves
    found = asked(known([], []))
    assert found == Labelling(80, True, found.reason)
    assert "quick labels the picks and 80 generated designs: it explains 0.50 of the variance" in found.reason
    assert "a label takes 1 s, an evaluation 96 s" in found.reason
    assert expected_labels(campaign(), campaign().sources[0], 4, [design(0)]) == 84


def test_answers_by_both_say_how_much_is_explained() -> None:
    rng = np.random.default_rng(2)
    y = rng.normal(size=400)
    good = known(list(y), list(2 * y + 5 + rng.normal(size=400)))
    assert explained(good, campaign().sources[0], HEIGHT) == pytest.approx(0.8, abs=0.04)
    poor = known(list(y), list(rng.permutation(y)))
    assert explained(poor, campaign().sources[0], HEIGHT) < 0.03
    exact = known(list(y), list(-y))
    assert explained(exact, campaign().sources[0], HEIGHT) == MOST_EXPLAINED
    for few in (known([1, 2], [3, 4]), known([1, 1, 1, 1], [1, 2, 3, 4]), known([1, 2, 3], [])):
        assert explained(few, campaign().sources[0], HEIGHT) == UNSEEN


def test_few_pairs_are_shrunk_to_the_guess() -> None:
    # r = 1 for 3 pairs: (4 * 0.5 + 3 * 1) / 7
    assert explained(known([1, 2, 3], [1, 2, 3]), campaign().sources[0], HEIGHT) == pytest.approx(5 / 7)


def test_what_was_labelled_or_failed_before_counts() -> None:
    history = known([], [])
    failed = tuple(Failure(design(100 + i), "quick", "f", "unphysical", "", 0) for i in range(30))
    assert asked(replace(history, failures=failed)).generated == 50
    more = tuple(Failure(design(100 + i), "quick", "f", "unphysical", "", 0) for i in range(90))
    assert asked(replace(history, failures=more)).generated == 0


def test_a_source_that_is_refused_or_dear_is_asked_nothing() -> None:
    history = known([1, 2, 3], [1, 2, 3])
    refused = asked(history, [gate("height", False)])
    assert refused == Labelling(0, False, "quick is not believed, and is asked nothing")
    assert asked(history, [gate("height", True)]).generated > 0
    dear = asked(known([], []), quick=200.0)
    assert (dear.generated, dear.picks) == (0, False) and "quick does not pay: it explains 0.50" in dear.reason


def test_a_source_of_one_property_in_two_explains_half_as_much() -> None:
    one = asked(known([], []), [gate("height", True), gate("width", False)], objectives=(HEIGHT, OTHER))
    # 0.25 of the variance: (0.25 / 0.75 * 96)^(2/3) = 10.08 labels an evaluation
    assert one.generated == 41 - 4 and one.picks


def test_free_labels_have_an_end() -> None:
    assert asked(known([], []), quick=0.0).generated == MOST_PER_EVALUATION * 4 - 4
    assert in_all(MOST_PER_EVALUATION, 200) == MOST_LABELS
    assert in_all(MOST_PER_EVALUATION, 1500) == 1500, "all picks are labelled all the same"


def fidelities(quick: float, slow: float) -> SimpleNamespace:
    """A walk of 100 s with two cheaper fidelities of these costs."""
    specs = {name: oracle(name, cost, "auto", cheaper_than="walk") for name, cost in (("quick", quick), ("slow", slow))}
    specs["walk"] = oracle("walk", 100.0)
    return SimpleNamespace(
        oracles=specs,
        sources=(specs["quick"], specs["slow"]),
        deciding=("walk",),
        objectives=(HEIGHT,),
        space=SimpleNamespace(free=tuple("abcde")),
    )


def test_of_cheaper_fidelities_the_one_that_leaves_the_least_for_the_money_is_asked() -> None:
    walked = fidelities(1.0, 10.0)
    unknown = labellings(walked, known([], []), (), [design(0)], 4)
    assert unknown["quick"].picks and not unknown["slow"].picks, (
        "as good as each other as far as is known: the cheapest"
    )
    assert "slow is asked nothing, quick tells more for what it costs: it explains 0.50" in unknown["slow"].reason
    rng = np.random.default_rng(3)
    y = rng.normal(size=30)

    def after(quick: np.ndarray, slow: np.ndarray, gates=()) -> dict[str, Labelling]:
        labels = [*records("quick", quick, kind="synthetic"), *records("slow", slow, kind="synthetic")]
        history = History((*records("walk", y), *labels), (), (), frozenset(["quick", "slow"]))
        return labellings(walked, history, gates, [design(0)], 4)

    noise = rng.normal(size=30)
    # half of the variance at 1 s, 21.5 labels each, leaves (100 + 21.5 * 1)^0.5 * (0.5 / 21.5^0.5 + 0.5) = 6.70; by all
    # of thirty pairs 0.94 at 10 s, 29.1 labels each, leaves (100 + 29.1 * 10)^0.5 * (0.94 / 29.1^0.5 + 0.06) = 4.63
    better = after(y + noise, y)
    assert better["slow"].picks and "quick is asked nothing, slow tells more" in better["quick"].reason
    alike = after(y, y)
    assert alike["quick"].picks and not alike["slow"].picks
    refused = after(y, y, [gate("height", False)])
    assert refused["slow"].picks and "quick is not believed" in refused["quick"].reason


def test_what_is_left_is_worked_out_by_hand() -> None:
    assert Worth(0.5, 1.0, 100.0, 5).left == pytest.approx(6.70, abs=0.005)
    # 29.0 labels an evaluation would be best, 25 are the most: 350^0.5 * (0.94 / 5 + 0.06)
    assert Worth(0.94, 10.0, 100.0, 5).left == pytest.approx(4.64, abs=0.005)
    assert Worth(0.0, 1.0, 100.0, 5).left == Worth(0.5, 100.0, 100.0, 5).left == math.inf, "no labels, no claim"
    assert Worth(0.5, 0.0, 100.0, 5).left == pytest.approx(10 * (0.5 / 25**0.5 + 0.5)), "free ones have an end"


def test_labels_pay_where_evaluations_alone_leave_more() -> None:
    # of 100 s, evaluations alone leave 100^0.5 = 10; with 20 s a label (100 + 2.92 * 20)^0.5 * 0.793 = 9.97 is left,
    # with 25 s (100 + 2.52 * 25)^0.5 * 0.815 = 10.4, though 2.52 labels are the best number
    assert Worth(0.5, 20.0, 100.0, 5).pays
    assert not Worth(0.5, 25.0, 100.0, 5).pays and Worth(0.5, 25.0, 100.0, 5).ratio == pytest.approx(2.52, abs=0.005)
    assert "quick does not pay" in asked(known([], []), quick=24.0).reason and asked(known([], []), quick=19.0).picks
    assert expected_labels(campaign(24.0), campaign(24.0).sources[0], 4, [design(0)]) == 0


def test_a_price_list_counts_on_the_cheapest_fidelity_alone() -> None:
    walked = fidelities(1.0, 10.0)
    # (100 / 1)^(2/3) = 21.5 labels for each of 4 designs
    assert expected_labels(walked, walked.oracles["quick"], 4, [design(0)]) == 87
    assert expected_labels(walked, walked.oracles["slow"], 4, [design(0)]) == 0
