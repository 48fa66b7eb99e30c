-- One row per dataset and evaluated sequence in it.
select
    dataset,
    corpus,
    sequence_id,
    token_offset
from {{ ref('stg_dataset_members') }}
