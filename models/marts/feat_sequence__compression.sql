-- One row per evaluated sequence: bits per character of the best code for its characters, and the paper's measure of it.
select
    corpus,
    sequence_id,
    token_offset,
    huffman_code_length,
    paper_huffman_coding_length
from {{ ref('int_sequence__compression') }}
