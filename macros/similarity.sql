{#- What the models of similarity share: the embedding model, the reference set, and the file that holds it. -#}

{#- In SQL, the embedding model of the var embed_with; NULL where it is empty. -#}
{% macro embedding_model() -%} nullif({{ literal(var('embed_with')) }}, '') {%- endmacro %}


{#- In SQL, whether a dataset is one of the var similarity_reference: a list, one name, or nothing for all. -#}
{% macro is_reference_dataset(column) -%}
    {%- set named = var('similarity_reference') -%}
    {%- for name in ([named] if named is string else named) if name -%}
        {{ column ~ ' in (' if loop.first else ', ' }}{{ literal(name) }}{{ ')' if loop.last }}
    {%- else -%} true {%- endfor -%}
{%- endmacro %}


{#- In SQL, the two thresholds: the names of the columns stand for a lower and a higher one. -#}
{% macro similarity_thresholds() -%}
    {%- set thresholds = usable_var('similarity_thresholds') -%}
    {{ list_of(['cast(' ~ thresholds[0] ~ ' as double)', 'cast(' ~ thresholds[1] ~ ' as double)']) }}
{%- endmacro %}


{#- Where the handle of the reference set belongs; it is known when the first chunk is built. -#}
{% macro reference_set() -%} '{reference set}' {%- endmacro %}


{#- Set-up of the chunks: build the reference set, once a run. -#}
{% macro similarity_reference_set(work) -%}
    {%- if 'reference_set' not in work -%}
        {%- set folder = run_query("select " ~ scratch()).rows[0][0] -%}
        {%- set file = folder ~ "/" ~ invocation_id ~ ".references.parquet" -%}
        {%- do write_parquet(
            "select corpus, sequence_id, token_offset, prompt_text, embedding from " ~ ref('int_similarity_references')
            ~ " order by corpus, sequence_id, token_offset", file
        ) -%}
        {%- do work.update({'reference_set': run_query(
            "select build_reference_set(" ~ literal(file) ~ ", " ~ literal(folder) ~ ")"
        ).rows[0][0]}) -%}
        {%- do bring_to_tasks(work['reference_set']) -%}
    {%- endif -%}
    {{ return({reference_set(): literal(work['reference_set'])}) }}
{%- endmacro %}


{#- Stops a run whose vars of similarity are a slip, before counts under other vars are deleted. A dataset that is not there
    would make an empty reference set. -#}
{% macro require_similarity_vars() -%}
    {%- if execute -%}
        {%- set named = var('similarity_reference') -%}
        {%- set known = run_query("select distinct dataset from " ~ ref('stg_dataset_members') ~ " order by 1").columns[0].values() -%}
        {%- for name in ([named] if named is string else named) if name and name not in known -%}
            {{ exceptions.raise_compiler_error(
                "the var similarity_reference names the dataset " ~ name ~ ", which is not in the store; expected some of "
                ~ (known | join(', ')) ~ ", or none for all"
            ) }}
        {%- endfor -%}
        {%- set thresholds = var('similarity_thresholds') -%}
        {%- if thresholds | length != 2 or not (-1 <= thresholds[0] < thresholds[1] <= 1) -%}
            {{ exceptions.raise_compiler_error(
                "the var similarity_thresholds is " ~ thresholds ~ "; expected two cosines from -1 to 1, the lower one first"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
