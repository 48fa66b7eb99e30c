{#- `memtax merge`: take over the rows that language models scored in other databases. Only those are taken that this store
    would compute itself and does not have: of its own input, under the fingerprint that is wanted. -#}
{% macro merge_scores(databases) -%}
    {%- set first, later = [], [] -%}
    {%- for node in graph.nodes.values() if node.config.materialized == 'chunked' and 'language_model' in node.config.tags -%}
        {#- Where generation goes on after a miss, the scores that say so come first. -#}
        {%- set input = graph.nodes['model.' ~ project_name ~ '.' ~ node.config.meta.input] -%}
        {%- set over_scores = namespace(found=false) -%}
        {%- for parent in input.depends_on.nodes
            if 'language_model' in graph.nodes.get(parent, {}).get('config', {}).get('tags', []) -%}
            {%- set over_scores.found = true -%}
        {%- endfor -%}
        {%- do (later if over_scores.found else first).append((node, input)) -%}
    {%- endfor -%}
    {%- for file in databases -%}
        {%- do run_query("attach " ~ literal(file) ~ " as memtax_merged_scores (read_only)") -%}
        {%- for node, input in first + later -%}
            {%- do merge_scores_of(node, input, file) -%}
        {%- endfor -%}
        {%- do run_query("detach memtax_merged_scores") -%}
    {%- endfor -%}
{%- endmacro %}


{% macro merge_scores_of(node, input, file) -%}
    {%- set target_relation = api.Relation.create(database=node.database, schema=node.schema, identifier=node.name) -%}
    {%- set input_relation = api.Relation.create(database=input.database, schema=input.schema, identifier=input.name) -%}
    {%- set there = run_query(
        "select 1 from duckdb_tables() where database_name = 'memtax_merged_scores' and schema_name = '" ~ node.schema
        ~ "' and table_name = '" ~ node.name ~ "'"
    ).rows -%}
    {%- if there -%}
        {%- set source = 'memtax_merged_scores.' ~ node.schema ~ '.' ~ node.name -%}
        {%- set keys = node.config.meta.unique_key | join(', ') -%}
        {%- set counted = run_query("select count(*) from " ~ source).rows[0][0] -%}
        {#- A row of the store that lacks what a var asks for makes way for one that has it. Killed before the insert, a
            second merge puts in what is missing. -#}
        {%- set stale = node.config.meta.get('stale', 'false') -%}
        {%- do run_query(
            "delete from " ~ target_relation ~ " as present where (" ~ stale ~ ") and exists (select 1 from (select * from "
            ~ source ~ " where not (" ~ stale ~ ")) as offered where offered.fingerprint = present.fingerprint "
            ~ merge_scores_keys(node.config.meta.unique_key, 'offered', 'present') ~ ")"
        ) -%}
        {%- set before = run_query("select count(*) from " ~ target_relation).rows[0][0] -%}
        {%- do run_query(
            "insert into " ~ target_relation ~ " by name select offered.* from " ~ source ~ " as offered semi join (select "
            ~ keys ~ ", " ~ node.config.meta.fingerprint ~ " as wanted_fingerprint from " ~ input_relation
            ~ ") as wanted on offered.fingerprint = wanted.wanted_fingerprint "
            ~ merge_scores_keys(node.config.meta.unique_key, 'offered', 'wanted')
            ~ " anti join " ~ target_relation ~ " as present on true "
            ~ merge_scores_keys(node.config.meta.unique_key, 'offered', 'present')
        ) -%}
        {%- set taken = run_query("select count(*) from " ~ target_relation).rows[0][0] - before -%}
        {%- if counted -%}
            {%- do log(
                file ~ ": " ~ "{:,}".format(taken) ~ " of " ~ "{:,}".format(counted) ~ " rows of " ~ node.name
                ~ " taken over; the others are here already, or are of other windows, weights or vars", info=true
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}


{% macro merge_scores_keys(keys, left, right) -%}
    {%- for key in keys %} and {{ left }}.{{ key }} = {{ right }}.{{ key }}{% endfor -%}
{%- endmacro %}
