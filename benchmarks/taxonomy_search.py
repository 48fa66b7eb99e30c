"""How fast the partition search is: all 810 candidates on one table of features, against scikit-learn in the same run.

The table is made from a fixed seed: 14 features with the scales and tails of the paper's, 30 % memorized. Ours fits every
distinct regression of the 810 candidates (class weights balanced, C = 1 on columns standardised over the part's rows).
scikit-learn fits a sample of the same regressions with lbfgs at its default tolerance and with newton-cholesky; its time for all
2,430 is what the sample's rows take, scaled up. The sample's coefficients are compared with a tightly converged fit. Of every
regression numpy computes the Newton step that is left, which is how far the optimum is, since the steps converge quadratically.
The run fails if a coefficient is off by more than 1e-6 in either way. Nested validation (three folds) is timed apart.

Run: python benchmarks/taxonomy_search.py [--quick] [--json FILE]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scipy.special import expit  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

from benchmarks._measure import cpu_timed, machine, print_table, timed, write_json  # noqa: E402
from memtax.taxonomy.search import (  # noqa: E402
    PartitionSearch,
    Plan,
    Searched,
    find_thresholds,
    make_plan,
    searched_features,
)
from memtax_native._logistic import Rows, instruction_sets  # noqa: E402

ROWS, QUICK_ROWS = 1_000_000, 50_000
# With a number for each regression, they stay in the cache.
ROWS_AT_ONCE = 512
THREADS = 2
SEED = 1024
AGREEMENT = 1e-6
FEATURES = (
    *("sequence_duplicates", "max_frequency", "avg_frequency", "min_frequency", "median_frequency", "p25_frequency"),
    *("p75_frequency", "generation_perplexity", "prompt_perplexity", "sequence_perplexity", "templates_0_8"),
    *("snowclones_0_8", "huffman_coding_length", "is_templating"),
)


def main() -> int:
    """Measure, print, and say by the exit status whether every compared coefficient is the optimum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows instead of {ROWS:,}")
    parser.add_argument("--rows", type=int, help="another number of rows")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = parser.parse_args()
    n = arguments.rows or (QUICK_ROWS if arguments.quick else ROWS)
    values, labels = make_table(n)
    standardized = np.ascontiguousarray((values - values.mean(axis=0)) / values.std(axis=0))
    rows = Rows(standardized, labels.astype(np.uint8), threads=THREADS)
    names = searched_features(FEATURES)
    columns = {name: values[:, FEATURES.index(name)] for name in names}
    plan = make_plan(find_thresholds(names, [columns[name][labels] for name in names]))
    search = PartitionSearch(rows, plan, [columns[threshold.feature] for threshold in plan.thresholds])
    seconds, cpu_seconds, searched = cpu_timed(lambda: search.fit(balanced=True, threads=THREADS))
    folds = [rows.add_indicator((np.arange(n) % 3 == fold).astype(np.uint8)) for fold in range(3)]
    nested_seconds, _ = timed(lambda: search.nested_losses(folds))
    sample = compare(searched, plan, columns, standardized, labels, 3 if arguments.quick else 6)
    check_seconds, steps = timed(lambda: steps_left(searched, plan, columns, standardized, labels))
    checked = {"checked": len(steps), "largest_step_left": float(steps.max()), "check_seconds": check_seconds}
    usable = sum(searched.status_of(candidate) == "fitted" for candidate in plan.candidates)
    figures: dict[str, object] = {
        "machine": machine(THREADS) | {"instruction_set": instruction_sets()[0]},
        "rows": n,
        "candidates": len(plan.candidates),
        "candidates_fitted": usable,
        "regressions": len(plan.parts),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "nested_validation_seconds": nested_seconds,
        **sample,
        **checked,
    }
    print_table(
        f"{len(plan.candidates)} candidates on {n:,} rows × {len(FEATURES)} features",
        [
            {"fit of": "memtax, 2 threads", "seconds": seconds, "off by at most": sample["memtax_error"]},
            {
                "fit of": "scikit-learn lbfgs (scaled up)",
                "seconds": sample["lbfgs_seconds"],
                "off by at most": sample["lbfgs_error"],
            },
            {
                "fit of": "scikit-learn newton-cholesky (scaled up)",
                "seconds": sample["newton_seconds"],
                "off by at most": sample["newton_error"],
            },
        ],
    )
    print(
        f"\n{usable} candidates could be fitted; {cpu_seconds:.1f} processor-seconds; nested validation {nested_seconds:.1f} s"
    )
    print(
        f"largest Newton step left of all {len(steps):,} regressions that were fitted: {steps.max():.1e} "
        f"(checked in {check_seconds:.1f} s)"
    )
    write_json(arguments.json, figures)
    # A NaN is no agreement either.
    return 0 if max(float(str(sample["memtax_error"])), steps.max()) <= AGREEMENT else 1


def make_table(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 14) with the kinds of tails and correlations that the paper's have, and labels (n,)."""
    rng = np.random.default_rng(SEED)
    common = rng.normal(size=(n, 5))

    def tailed(column: int, spread: float, noise: float) -> np.ndarray:
        return np.exp(spread * common[:, column] + noise * rng.normal(size=n))

    duplicates = np.ceil(tailed(0, 1.6, 0.4))
    frequencies = [1e6 * tailed(1, 0.6, 0.5) for _ in range(6)]
    perplexities = [1 + tailed(2, 0.7, 0.3) for _ in range(3)]
    matches = [np.floor(2 * tailed(3, 1.5, 0.3)) for _ in range(2)]
    huffman = 4.5 + 0.4 * common[:, 4] + 0.05 * rng.normal(size=n)
    templating = (rng.random(n) < 0.3).astype(np.float64)
    log_odds = -1.2 + 0.8 * common[:, 0] - 1.1 * common[:, 2] + 0.3 * common[:, 3] + 0.5 * templating
    labels = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    return np.column_stack([duplicates, *frequencies, *perplexities, *matches, huffman, templating]), labels


def compare(
    searched: Searched,
    plan: Plan,
    columns: dict[str, np.ndarray],
    standardized: np.ndarray,
    labels: np.ndarray,
    sample: int,
) -> dict[str, object]:
    """Fit a sample of the regressions with scikit-learn: seconds for all candidates, scaled up by rows, and errors."""
    rng = np.random.default_rng(SEED)
    fitted = np.flatnonzero(searched.status == "fitted")
    chosen = rng.choice(fitted, min(sample, len(fitted)), replace=False)
    all_rows = sum(searched.n_rows[part] for candidate in plan.candidates for part in candidate.parts)
    solvers = {
        "lbfgs": {"solver": "lbfgs", "max_iter": 10_000},
        "newton": {"solver": "newton-cholesky", "max_iter": 1000},
    }
    seconds, errors = dict.fromkeys(solvers, 0.0), dict.fromkeys((*solvers, "memtax"), 0.0)
    reached = [columns[one.feature] >= one.value for one in plan.thresholds]
    for part in chosen:
        mask = np.ones(len(labels), bool)
        for threshold, sign in plan.parts[part]:
            mask &= reached[threshold] == (sign > 0)
        own, own_labels = standardized[mask], labels[mask]
        mean, scale = own.mean(axis=0), own.std(axis=0)
        varies = np.ptp(own, axis=0) > 0
        own = np.where(varies, (own - mean) / np.where(varies, scale, 1.0), 0.0)
        ours = searched.coefficients[part]
        ours = np.append(ours[:-1] * np.where(varies, scale, 0.0), ours[-1] + ours[:-1] @ mean)
        tight = LogisticRegression(class_weight="balanced", solver="newton-cholesky", tol=1e-12, max_iter=1000)
        optimum = tight.fit(own, own_labels)
        best = np.append(optimum.coef_[0], optimum.intercept_)
        errors["memtax"] = max(errors["memtax"], float(np.abs(ours - best).max()))
        for name, options in solvers.items():
            took, fit = timed(
                lambda o=options, x=own, y=own_labels: LogisticRegression(class_weight="balanced", **o).fit(x, y)
            )
            seconds[name] += took
            errors[name] = max(errors[name], float(np.abs(np.append(fit.coef_[0], fit.intercept_) - best).max()))
    scale = all_rows / searched.n_rows[chosen].sum()
    return {
        "compared": len(chosen),
        "memtax_error": errors["memtax"],
        **{f"{name}_seconds": seconds[name] * scale for name in solvers},
        **{f"{name}_error": errors[name] for name in solvers},
    }


def steps_left(
    searched: Searched,
    plan: Plan,
    columns: dict[str, np.ndarray],
    standardized: np.ndarray,
    labels: np.ndarray,
) -> np.ndarray:
    """The largest entry of the Newton step left (fitted parts,), of coefficients of columns standardised within the part.

    Derivatives and scales are summed here, block by block of the rows, and not by the kernel that fitted.
    """
    fitted = np.flatnonzero(searched.status == "fitted")
    parts = [plan.parts[part] for part in fitted]
    coefficients = searched.coefficients[fitted]
    k, d = len(fitted), standardized.shape[1]
    by_class = np.stack([searched.n_rows - searched.n_positive, searched.n_positive])[:, fitted]
    class_weights = searched.n_rows[fitted] / (2 * by_class)
    reached = np.stack([columns[one.feature] >= one.value for one in plan.thresholds], axis=1)
    left, right = np.triu_indices(d + 1)
    gradient, hessian, moments = np.zeros((k, d + 1)), np.zeros((k, len(left))), np.zeros((2, k, d))
    for first in range(0, len(labels), ROWS_AT_ONCE):
        rows = slice(first, first + ROWS_AT_ONCE)
        values = np.column_stack([standardized[rows], np.ones(len(labels[rows]))])
        products = values[:, left] * values[:, right]
        holds = {sign: reached[rows] == (sign > 0) for sign in (1, -1)}
        inside = np.column_stack(
            [np.logical_and.reduce([holds[sign][:, threshold] for threshold, sign in part]) for part in parts]
        ).astype(np.float64)
        p = expit(values @ coefficients.T)
        weights = inside * class_weights[labels[rows].astype(np.int64)]
        gradient += (weights * (p - labels[rows, None])).T @ values
        hessian += (weights * p * (1 - p)).T @ products
        moments += inside.T @ np.stack([values[:, :d], values[:, :d] ** 2])
    full = np.zeros((k, d + 1, d + 1))
    full[:, left, right] = full[:, right, left] = hessian
    mean, square = moments / searched.n_rows[fitted, None]
    variance = square - mean**2
    variance[variance <= 1e-11 * square] = 0
    # The penalty on b · scale; a column that is constant in the part is left out.
    gradient[:, :d] += variance * coefficients[:, :d]
    full[:, np.arange(d), np.arange(d)] += variance
    used = np.column_stack([variance > 0, np.ones(k, bool)])
    scale = np.where(used, np.sqrt(np.column_stack([variance, np.ones(k)])), 1.0)
    both = used[:, :, None] & used[:, None, :]
    full = np.where(both, full / (scale[:, :, None] * scale[:, None, :]), np.eye(d + 1))
    step = np.linalg.solve(full, np.where(used, gradient / scale, 0)[..., None])[..., 0]
    step[:, d] += np.einsum("kj,kj->k", step[:, :d] / scale[:, :d] * used[:, :d], mean)
    return np.abs(step).max(axis=1)


if __name__ == "__main__":
    sys.exit(main())
