-- The datasets in which models were evaluated, those of most windows first. One of which a model has memorized everything that
-- is known of it was chosen for that, or may have been, and is no sample of the corpus for the others either.
select
    dataset || ' in ' || corpus as sample,
    dataset,
    max(n_sequences) as n_sequences,
    not bool_or(n_memorized = n_sequences) as is_representative
from memorization_by_category
where text_kind = 'all' and category = 'all'
group by dataset, corpus
order by is_representative desc, n_sequences desc, sample
