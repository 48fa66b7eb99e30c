-- One row per model, revision and candidate partition: two questions that part the rows in three, and how well three
-- regressions then explain rows that they have not seen. The test rows have no part in the ranking, except under the protocol
-- paper, which ranks by them.
select
    model,
    revision,
    protocol,
    first_feature,
    first_quantile,
    first_threshold,
    second_feature,
    second_quantile,
    second_threshold,
    position,
    place,
    score,
    baseline_score,
    method,
    status,
    parts,
    prediction_metrics,
    n_rows,
    settings
from {{ ref('int_taxonomy__search') }}
