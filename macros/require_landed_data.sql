{#- Stops a run early, in words, where no data has been landed: otherwise the first staging model fails on a schema
    that is not there. -#}
{% macro require_landed_data() -%}
    {%- if execute -%}
        {%- set raw = api.Relation.create(database=target.get("database"), schema='raw', identifier='corpus_shards') -%}
        {%- if load_relation(raw) is none -%}
            {{ exceptions.raise_compiler_error(
                "the store holds no data: expected the tables of schema raw in the database of MEMTAX_DATABASE "
                ~ "(default memtax.duckdb). Land some first: memtax ingest corpus NAME SOURCE"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
