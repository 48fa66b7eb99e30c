{#
  The published column of matches of a kind, 'semantic' or 'textual', at a threshold, '0_8' or '0_9'.

  Textual matches are a subset of semantic ones. In the published data those under `templates` are the larger ones, so that
  the var published_matches_swapped exchanges the names.
#}
{% macro published_matches(kind, threshold) -%}
    {%- set named = {'semantic': 'snowclones', 'textual': 'templates'} -%}
    {%- if var('published_matches_swapped') -%}
        {%- set named = {'semantic': 'templates', 'textual': 'snowclones'} -%}
    {%- endif -%}
    paper_{{ named[kind] }}_{{ threshold }}
{%- endmacro %}
