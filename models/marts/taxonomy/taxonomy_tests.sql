-- One row per model, revision, predictor, scope and test of a taxonomy against the baseline: the likelihood ratio of nested
-- models, and the signed ranks of losses on refitted folds.
select
    model,
    revision,
    protocol,
    predictor,
    compared_with,
    scope,
    test,
    method,
    statistic,
    degrees_of_freedom,
    p_value,
    n,
    status
from {{ ref('int_taxonomy__tests') }}
