{#- Name of a feature of the var distribution_features under the protocol: `paper` takes the paper's own where there is one. -#}
{% macro distribution_feature(name) -%}
    {{ 'paper_' ~ name if var('protocol') == 'paper' and 'paper_' ~ name in var('paper_features') else name }}
{%- endmacro %}


{#- The column of int_taxonomy__rows that has it: that of the feature which is trained on, or one of its own. -#}
{% macro distribution_column(name) -%}
    {%- set trained = usable_var('paper_features' if var('protocol') == 'paper' else 'taxonomy_features') -%}
    {%- set own = distribution_feature(name) | trim -%}
    {{- '"' ~ ('feature ' if own in trained else 'measure ') ~ own | replace('"', '""') ~ '"' -}}
{%- endmacro %}


{#- SQL for those columns of its own, each with a comma behind it. -#}
{% macro distribution_measures(relation) -%}
    {%- for name in usable_var('distribution_features') if distribution_column(name).startswith('"measure') -%}
        {{ taxonomy_feature(distribution_feature(name), relation) }} as {{ distribution_column(name) }},
    {% endfor -%}
{%- endmacro %}


{#- SQL for an edge of a bin in the feature's unit. A bin of counts begins and ends half-way between two of them.

    edge   SQL for it on the feature's scale -#}
{% macro bin_edge(edge) -%}
    case
        when is_count and is_log then ceil(exp({{ edge }})) - 0.5
        when is_count then ceil({{ edge }}) - 0.5
        when is_log then exp({{ edge }})
        else {{ edge }}
    end
{%- endmacro %}
