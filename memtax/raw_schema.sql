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

-- One row per evaluated sequence.
create table if not exists raw.evaluated_sequences (
    corpus varchar not null, sequence_id bigint not null, token_offset integer not null, tokens uinteger[] not null
);

-- One row per dataset and evaluated sequence.
create table if not exists raw.dataset_members (
    dataset varchar not null, corpus varchar not null, sequence_id bigint not null, token_offset integer not null
);

-- One row per published score: of a sequence, by a model, as a dataset brought it.
create table if not exists raw.published_scores (
    dataset varchar not null, corpus varchar not null, sequence_id bigint not null, token_offset integer not null,
    model varchar not null, revision varchar not null, score double
);

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
    primary key (model, revision)
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

-- One row per published value of a sequence. A double holds any count below 2^53.
create table if not exists raw.published_values (
    table_id integer not null, sequence_id bigint not null, token_offset integer not null, value double not null
);

-- One row per published token of a split: 'memorized', or 'non_memorized' sequences.
create table if not exists raw.published_token_frequencies (
    table_id integer not null, token_id bigint not null, frequency bigint not null
);
