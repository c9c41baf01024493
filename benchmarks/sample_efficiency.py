"""What does a good design cost? The product against random and Sobol search, Optuna, BayBE, Ax and BoTorch.

    python -m benchmarks.sample_efficiency [--problems ...] [--methods ...] [--seeds 20] [--results FILE] [--page FILE]

Every method starts from the same 10 designs and adds 40 in batches of four, under the same rules and with the same
errors of measurement (`benchmarks.efficiency`); a design that breaks a rule or was evaluated before ends the benchmark.
Every run is a process of its own. It is kept in the results file as it is done, and not made again; the page is written
from that file at the end. The peers come with `pip install -c constraints.txt -e ".[bench]"`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from benchmarks.efficiency.cases import BATCH, ROUNDS, Case, Evaluations
from benchmarks.efficiency.methods import PRODUCT, Method, Product
from benchmarks.efficiency.page import page
from benchmarks.efficiency.peers import PEERS
from benchmarks.efficiency.problems import FILMS, PROBLEMS, UNAIDED
from benchmarks.efficiency.runs import Run
from benchmarks.kept import kept

RESULTS = Path(__file__).parent / "results" / "sample_efficiency.jsonl"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
PACKAGES = {"Optuna TPE": "optuna", "BayBE": "baybe", "Ax": "ax-platform"}
METHODS = (*PRODUCT, *PEERS)


def make(method: str, case: Case, seed: int) -> Method:
    return Product(case, seed, PRODUCT[method]) if method in PRODUCT else PEERS[method](case, seed)


def campaign(problem: str, method: str, seed: int, best: float) -> Run:
    """One run, in this process, whose peak memory is its own."""
    import torch

    torch.set_num_threads(1)
    case = PROBLEMS[problem](seed)
    evaluations = Evaluations(case, seed)
    evaluations.add(case.initial(seed), 0)
    deciding = make(method, case, seed)
    seconds = []
    for round in range(1, ROUNDS + 1):
        start = time.process_time()
        designs = deciding.propose(evaluations.records, BATCH, round)
        seconds.append(round_off(time.process_time() - start))
        if len(designs) != BATCH:
            raise ValueError(f"{method} proposes {len(designs)} designs in round {round}; {BATCH} were asked for")
        evaluations.add(designs, round)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    scores = [round_off(score) for score in evaluations.scores()]
    package = PACKAGES.get(method, "botorch")
    told = f"{package} {version(package)}"
    return Run(problem, method, seed, round_off(best), scores, seconds, round_off(peak), deciding.notes, told)


def round_off(value: float) -> float:
    return float(f"{value:.6g}")


def missing(done: Sequence[Run], problems: Sequence[str], methods: Sequence[str], seeds: int) -> Iterator[Run]:
    """The runs that are not done: of a problem all methods with the first seed, then with the next."""
    there = {(run.problem, run.method, run.seed): run for run in done}
    best = {(run.problem, run.seed): run.best for run in done}
    for problem in problems:
        for seed in range(seeds):
            for method in methods:
                if (problem, method, seed) in there or not differs(problem, method):
                    continue
                if alone := there.get((UNAIDED.get(problem, ""), unaided(method), seed)):
                    run = replace(alone, problem=problem, method=method)
                else:
                    if (problem, seed) not in best:
                        best[problem, seed] = PROBLEMS[problem](seed).best()
                    run = apart(problem, method, seed, best[problem, seed])
                there[problem, method, seed] = run
                yield run


def apart(problem: str, method: str, seed: int, best: float) -> Run:
    """One run, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        run = process.submit(campaign, problem, method, seed, best).result()
    print(f"{problem}, {method}, seed {seed}: {sum(run.seconds):.0f} s, missing {run.missing(-1):.3g}", flush=True)
    return run


def unaided(method: str) -> str:
    """The method that is the same where there is no cheap source; empty for one that uses it."""
    if method == "loop, no cheap source":
        return "loop"
    return "" if method in PRODUCT and PRODUCT[method].cheap else method


def differs(problem: str, method: str) -> bool:
    """Whether a method is another than `loop` on the problem."""
    if method == "loop, no cheap source":
        return problem == "particles, cheap source"
    if method == "loop, errors unknown":
        return problem.startswith("particles") or problem == FILMS
    if method == "loop, uniform pool":
        return problem != FILMS  # whose designs nothing has to generate
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="*", choices=PROBLEMS, default=list(PROBLEMS), metavar="PROBLEM")
    parser.add_argument("--methods", nargs="*", choices=METHODS, default=list(METHODS), metavar="METHOD")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    asked = parser.parse_args()
    runs = kept(asked.results, Run, lambda done: missing(done, asked.problems, asked.methods, asked.seeds))
    asked.page.write_text(page(runs, METHODS), encoding="utf-8")


if __name__ == "__main__":
    main()
