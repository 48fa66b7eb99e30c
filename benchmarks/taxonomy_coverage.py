"""Do the 95 % intervals hold the truth 95 % of the time? Simulations with known coefficients, prevalence and leakage.

Each simulation draws a representative sample, a set of memorized sequences and copies of a tenth of the continuations, and
fits both protocols. Of the corrected one, the share of intervals that cover the truth is counted; of both, the mean predicted
probability on representative test rows is held against the true one (the paper's class weights and mix of rows shift it).
Exits with 1 if the coverage of the corrected protocol's intervals lies outside 93 to 97 %.

Run: python benchmarks/taxonomy_coverage.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks._measure import print_table, write_json  # noqa: E402
from memtax.taxonomy import published, published_measures, synthetic  # noqa: E402
from memtax.taxonomy.corrected import Z_95  # noqa: E402
from memtax.taxonomy.prediction import predict  # noqa: E402
from memtax.taxonomy.settings import Settings  # noqa: E402
from memtax.taxonomy.training import published_sample, train  # noqa: E402

SIMULATIONS, QUICK_SIMULATIONS = 600, 60
ROWS = 6000
LOWEST, HIGHEST = 0.93, 0.97


def main() -> int:
    """Simulate, print, and say by the exit status whether the intervals hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SIMULATIONS} simulations; coverage is not judged")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    n = QUICK_SIMULATIONS if arguments.quick else SIMULATIONS
    results = [simulate(seed) for seed in range(n)]
    rows: list[dict[str, object]] = []
    for name in ("slopes", "intercepts"):
        covered = np.array([result[name] for result in results])
        rows.append({"intervals of": name, "cover the truth": float(covered.mean()), "simulations": n})
    ratios = {name: float(np.mean([result[name] for result in results])) for name in ("corrected", "paper")}
    coverage = float(np.mean([np.concatenate([result["slopes"], result["intercepts"]]) for result in results]))
    print_table("corrected protocol, 95 % intervals", rows)
    print_table(
        "mean predicted probability over the true one, representative test rows",
        [{"protocol": name, "ratio": ratio} for name, ratio in ratios.items()],
    )
    write_json(arguments.json, {"simulations": n, "coverage": coverage, "ratios": ratios, "intervals": rows})
    return 0 if arguments.quick or LOWEST <= coverage <= HIGHEST else 1


def simulate(seed: int) -> dict:
    """One simulation: which intervals cover, and how far mean probabilities are from the truth."""
    truth = synthetic.DEFAULT
    frame = synthetic.draw_frame(truth, ROWS, seed)
    fits = train(frame, Settings(tree_leaves=0))
    slopes, intercepts = [], []
    for fit in fits:
        if fit.scope.predictor != "taxonomy":
            continue
        true = np.array(truth.coefficients[fit.scope.name])
        slopes.extend(np.abs(fit.coefficients - true[:-1]) <= Z_95 * fit.standard_errors)
        intercepts.append(abs(fit.intercept - true[-1]) <= Z_95 * fit.intercept_error)
    test = frame.take(frame.test & frame.representative)
    true_mean = synthetic.probabilities(truth, test).mean()
    corrected = predict(fits, test)["taxonomy"][0].mean()
    sample, _, _, _ = published_sample(frame)
    taxonomy = published.fit_taxonomy(sample)
    rows = taxonomy.test
    own = np.empty(len(rows))
    for name, fit in taxonomy.parts.items():
        chosen = sample.categories[rows] == name
        own[chosen] = published_measures.probabilities(fit.coefficients, sample.values[rows][chosen])
    true_published = synthetic.probabilities(truth, frame)[rows].mean()
    return {
        "slopes": slopes,
        "intercepts": intercepts,
        "corrected": corrected / true_mean,
        "paper": own.mean() / true_published,
    }


if __name__ == "__main__":
    sys.exit(main())
