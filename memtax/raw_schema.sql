-- The `raw` schema: what `memtax ingest` lands, and the only schema that memtax itself writes.
-- No keys are declared on tables that can be large: an index would slow landing; the code that lands checks instead.
create schema if not exists raw;

-- One row per corpus.
create table if not exists raw.corpora (
    corpus varchar not null primary key,
    tokenizer varchar,              -- absolute path or hub id; NULL: text and what needs it stay NULL
    tokenizer_checksum varchar,     -- sha256 of its tokenizer.json
    vocabulary_size bigint,
    sequence_length integer         -- NULL where sequences differ in length
);

-- One row per shard: what one `memtax ingest corpus` call landed or registered.
create table if not exists raw.corpus_shards (
    corpus varchar not null,
    shard_id integer not null primary key,  -- unique over all corpora
    storage varchar not null,       -- 'landed' (tokens in raw.corpus_sequences_<token_dtype>) or 'in_place'
    format varchar not null,
    sources varchar[] not null,     -- absolute paths, in order
    checksum varchar not null,      -- of the content (landed), or of size, time and sampled blocks (in place)
    token_dtype varchar not null,   -- 'uint16' or 'uint32'
    n_sequences bigint not null,
    n_tokens bigint not null,
    first_sequence_id bigint not null,  -- ids are distinct, so they are contiguous where last - first + 1 = n_sequences
    last_sequence_id bigint not null,
    shortest_sequence bigint not null,  -- in tokens
    longest_sequence bigint not null,
    layout json,                    -- in place: what is needed to map the files again
    landed_at timestamp not null default current_timestamp
);

-- One row per landed sequence; one table per width, so that no scan converts a token. Ids of 16 bits hardly compress:
-- trying costs half of the time of landing and saved nothing on ids with a vocabulary of 50,000.
create table if not exists raw.corpus_sequences_uint16 (
    corpus varchar not null, shard_id integer not null, sequence_id bigint not null,
    tokens usmallint[] not null using compression uncompressed
);
create table if not exists raw.corpus_sequences_uint32 (
    corpus varchar not null, shard_id integer not null, sequence_id bigint not null, tokens uinteger[] not null
);

-- One row per dataset: where it came from, to make landing it again a no-op.
create table if not exists raw.datasets (
    dataset varchar not null primary key,
    corpus varchar not null,
    origin varchar not null,        -- 'sample' or the source's absolute path
    checksum varchar not null,
    n_sequences bigint not null,
    seed bigint,
    landed_at timestamp not null default current_timestamp
);

-- One row per evaluated sequence. Finding out how to compress tokens takes longer than writing them, and saves half of 256
-- bytes a row; names of a few values are told what they are for the same reason.
create table if not exists raw.evaluated_sequences (
    corpus varchar not null using compression dictionary, sequence_id bigint not null, token_offset integer not null,
    tokens uinteger[] not null using compression uncompressed
);

-- One row per dataset and evaluated sequence, with the scores that the dataset brought of it: one list, since a row for each
-- score of eight models takes ten times as long to land.
create table if not exists raw.dataset_members (
    dataset varchar not null using compression dictionary, corpus varchar not null using compression dictionary,
    sequence_id bigint not null, token_offset integer not null,
    scores double[]                 -- NULL, or one (or NULL) for each row of raw.dataset_scores
);
alter table raw.dataset_members add column if not exists scores double[];

-- One row per dataset and model whose scores it brought.
create table if not exists raw.dataset_scores (
    dataset varchar not null,
    place integer not null,         -- 1-based, in the lists of raw.dataset_members
    model varchar not null,
    revision varchar not null
);

-- One row per published score: of a sequence, by a model, as a dataset brought it.
create view if not exists raw.published_scores as
select members.dataset, members.corpus, members.sequence_id, members.token_offset, named.model, named.revision,
    members.scores[named.place] as score
from raw.dataset_members as members
inner join raw.dataset_scores as named on members.dataset = named.dataset
where members.scores[named.place] is not null;

-- One row per registered model and revision.
create table if not exists raw.models (
    model varchar not null,
    revision varchar not null,
    corpus varchar not null,
    location varchar not null,      -- absolute path or hub id
    checksum varchar not null,
    n_parameters bigint,
    vocabulary_size bigint,
    training_fraction double,       -- share of training done at this revision; NULL if not given
    dtype varchar,                  -- 'float32' or 'bfloat16'; NULL: the var model_dtype
    device varchar,                 -- 'cpu', 'cuda', …; NULL: MEMTAX_DEVICE
    tokenizer varchar,              -- absolute path or hub id, where one is known
    tokenizer_checksum varchar,     -- sha256 of its file
    primary key (model, revision)
);
-- Stores of an earlier memtax have the table without these.
alter table raw.models add column if not exists dtype varchar;
alter table raw.models add column if not exists device varchar;
alter table raw.models add column if not exists tokenizer varchar;
alter table raw.models add column if not exists tokenizer_checksum varchar;

-- One row per ready feature table that was landed: one dataset, model and revision.
create table if not exists raw.feature_tables (
    dataset varchar not null,
    model varchar not null,
    revision varchar not null,
    corpus varchar not null,
    table_schema varchar not null,  -- 'memtax' or 'paper': whose columns the source had
    origin varchar not null,        -- absolute path of the first source
    checksum varchar not null,
    n_rows bigint not null,
    n_repeated bigint not null,     -- rows dropped, since an earlier one has their sequence_id and token_offset
    landed_at timestamp not null default current_timestamp,
    primary key (dataset, model, revision)
);

-- One row per row of a ready feature table: what others computed, as it was published.
create table if not exists raw.feature_rows (
    dataset varchar not null, model varchar not null, revision varchar not null, corpus varchar not null,
    sequence_id bigint not null, token_offset integer not null,
    source_row bigint not null,     -- 0-based place in the source: the paper's xi depends on it
    continuation_digest varchar,    -- md5 of the continuation's tokens, where the source has tokens
    sequence_duplicates bigint, duplicate_sequences bigint, prompt_duplicates bigint, window_duplicates bigint,
    max_frequency bigint, min_frequency bigint, avg_frequency double, median_frequency double,
    p25_frequency bigint, p75_frequency bigint,
    is_incrementing boolean, is_repeating boolean, is_templating boolean,
    paper_is_incrementing boolean, paper_is_repeating boolean,
    huffman_code_length double, paper_huffman_coding_length double, nl_score double,
    semantic_matches_0_8 bigint, semantic_matches_0_9 bigint, textual_matches_0_8 bigint, textual_matches_0_9 bigint,
    paper_snowclones_0_8 bigint, paper_snowclones_0_9 bigint, paper_templates_0_8 bigint, paper_templates_0_9 bigint,
    loss double, prompt_perplexity double, generation_perplexity double, sequence_perplexity double,
    paper_prompt_perplexity double, paper_generation_perplexity double, paper_sequence_perplexity double,
    continuation_log_probability double, greedy_match_length integer, memorized boolean, memorization_score double
);

-- One row per split of a published dataset and feature that it holds. What is said here once need not be stored with every
-- value: six columns of equal text cost ten times as much to land as the values.
create table if not exists raw.published_tables (
    table_id integer not null primary key,
    repository varchar not null,    -- hub id
    split varchar not null,
    corpus varchar not null,
    model varchar not null,         -- '' where the values are of no model
    revision varchar not null,
    feature varchar not null,       -- memtax's name of it; 'frequency': of tokens
    checksum varchar not null,
    n_rows bigint not null,
    n_repeated bigint not null,     -- rows left out, since an earlier one has their id
    landed_at timestamp not null default current_timestamp
);

-- One row per published value of a sequence, of its window at offset 0. A double holds any count below 2^53.
create table if not exists raw.published_values (
    table_id integer not null, sequence_id bigint not null, value double not null
);
-- Of an earlier memtax; it was 0 throughout, and took a third of the time of landing.
alter table raw.published_values drop column if exists token_offset;

-- One row per published token of a split: 'memorized', or 'non_memorized' sequences.
create table if not exists raw.published_token_frequencies (
    table_id integer not null, token_id bigint not null, frequency bigint not null
);
