-- One row per ready feature table that was landed: one dataset, model and revision.
select
    dataset,
    model,
    revision,
    corpus,
    table_schema,
    n_rows,
    n_repeated
from {{ source('raw', 'feature_tables') }}
