"""The ways to part the rows that are compared: none, the paper's, one's own, a decision tree's, and the best searched one."""

from __future__ import annotations

import numpy as np

from memtax.taxonomy.corrected import Training
from memtax.taxonomy.frame import CATEGORIES, Rule, Scope, sample_groups
from memtax.taxonomy.prediction import everything

TAXONOMY, OWN, TREE, SEARCHED = "taxonomy", "own", "tree", "searched"
# A leaf of the tree has at least this share of the training rows.
SMALLEST_LEAF = 0.02


def scopes_of(training: Training, searched: tuple[Scope, ...] = ()) -> list[Scope]:
    """All scopes to fit on the training rows, the baseline first.

    Args:
        training: the rows.
        searched: the parts of the best partition that was searched.
    """
    scopes = [everything()]
    scopes += [Scope(TAXONOMY, name, Rule(({"column": "category", "equals": name},))) for name in CATEGORIES]
    own = training.frame.columns["own_category"]
    names = sorted(set(own.tolist()) - {None})
    scopes += [Scope(OWN, name, Rule(({"column": "own_category", "equals": name},))) for name in names]
    scopes += tree_scopes(training)
    return scopes + list(searched)


def tree_scopes(training: Training) -> list[Scope]:
    """The leaves of a shallow decision tree over the features, which says 'memorized or not' with few questions.

    It is grown on about `search_rows` rows at most, in whole groups; its regressions are fitted on all.
    """
    from sklearn.tree import DecisionTreeClassifier

    leaves = training.settings.tree_leaves
    frame = sample_groups(training.frame, training.settings.search_rows)
    if leaves < 2 or not len(frame) or frame.labels.all() or not frame.labels.any():
        return []
    known = np.flatnonzero(training.known_features)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=leaves, min_samples_leaf=SMALLEST_LEAF, criterion="log_loss", random_state=training.settings.seed
    ).fit(frame.values[:, known], frame.labels)
    nodes = tree.tree_
    found: list[Scope] = []

    def walk(node: int, terms: tuple[dict, ...], words: tuple[str, ...]) -> None:
        if nodes.children_left[node] == -1:
            found.append(Scope(TREE, " and ".join(words) or "all", Rule(terms)))
            return
        feature = frame.features[known[nodes.feature[node]]]
        # The tree sends x ≤ t to the left, ours is x < t': the next number after t.
        threshold = float(np.nextafter(nodes.threshold[node], np.inf))
        below, above = {"feature": feature, "below": threshold}, {"feature": feature, "at_least": threshold}
        walk(nodes.children_left[node], (*terms, below), (*words, f"{feature} < {threshold:.6g}"))
        walk(nodes.children_right[node], (*terms, above), (*words, f"{feature} >= {threshold:.6g}"))

    walk(0, (), ())
    return found if len(found) > 1 else []
