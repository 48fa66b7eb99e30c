-- The best partition of each ordered pair of features, over its pairs of thresholds, and what it gains over one regression for
-- all: log-loss that it saves, in nats a row, or F1 that it adds under the protocol paper.
select
    model || '@' || revision as run,
    first_feature,
    second_feature,
    any_value(protocol) as protocol,
    arg_min(score, place) as best_score,
    any_value(baseline_score) as baseline_score,
    case any_value(protocol)
        when 'paper' then best_score - any_value(baseline_score)
        else any_value(baseline_score) - best_score
    end as gain,
    min(place) as best_place,
    arg_min(first_threshold, place) as first_from,
    arg_min(second_threshold, place) as second_from,
    count(*) filter (place is not null) as n_ranked,
    count(*) as n_candidates
from taxonomy_search
where model || '@' || revision in ($runs)
group by run, first_feature, second_feature
having min(place) is not null
order by run, best_place
