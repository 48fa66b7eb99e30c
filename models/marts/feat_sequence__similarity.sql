-- One row per evaluated sequence: how many others of the reference set mean nearly the same, and of those, how many have a
-- prompt that is nearly the same. The names say the thresholds of the paper; the var similarity_thresholds moves them. Where
-- there is no text to embed, the published counts stand in: all four, since they are of another reference set.
{%- set matches = ['semantic_matches_0_8', 'semantic_matches_0_9', 'textual_matches_0_8', 'textual_matches_0_9'] %}
select
    sequences.corpus,
    sequences.sequence_id,
    sequences.token_offset,
    {% for column in matches -%}
        case
            when sequences.matches is null then published.{{ column }} else
                sequences.matches.{{ column[:-4] }}[{{ 1 if column.endswith('8') else 2 }}]
        end as {{ column }},
    {% endfor -%}
    case
        when sequences.matches is not null then 'computed'
        when {% for column in matches %}published.{{ column }} is not null{{ ' or ' if not loop.last }}{% endfor %} then 'published'
    end as similarity_origin
from {{ ref('int_sequence__similarity') }} as sequences
left join {{ ref('stg_published_values') }} as published
    on
        sequences.corpus = published.corpus
        and sequences.sequence_id = published.sequence_id
        and sequences.token_offset = published.token_offset
        and published.model is null
