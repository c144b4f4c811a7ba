-- What the arithmetic assumes and is held against. Conventions as in 0002.

-- Defaults of the arithmetic, as P10, P50 and P90. Figures are decimal TEXT.
CREATE TABLE assumption (
    row_id          BIGINT PRIMARY KEY,
    revision        BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by   BIGINT REFERENCES revision (revision),
    assumption_id   TEXT NOT NULL,
    description     TEXT NOT NULL,
    unit            TEXT NOT NULL,
    low             TEXT NOT NULL,                                 -- P10
    mid             TEXT NOT NULL,                                 -- P50
    high            TEXT NOT NULL,                                 -- P90
    effective_from  TEXT,                                          -- day, inclusive
    effective_to    TEXT CHECK (effective_to > effective_from),    -- day, exclusive; NULL: still holds
    note            TEXT,
    source          TEXT,
    observed_at     TEXT NOT NULL
);
CREATE UNIQUE INDEX assumption_current ON assumption (assumption_id, COALESCE(effective_from, '')) WHERE superseded_by IS NULL;

-- Prices of electricity by region, and the carbon dioxide of a kilowatt-hour.
CREATE TABLE energy_price (
    row_id          BIGINT PRIMARY KEY,
    revision        BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by   BIGINT REFERENCES revision (revision),
    region          TEXT NOT NULL,
    name            TEXT NOT NULL,
    price_per_kwh   TEXT NOT NULL,
    currency        TEXT NOT NULL CHECK (length(currency) = 3),
    kg_co2_per_kwh  TEXT,                                          -- NULL: not looked up
    effective_from  TEXT NOT NULL,                                 -- day, inclusive
    effective_to    TEXT CHECK (effective_to > effective_from),    -- day, exclusive; NULL: still holds
    note            TEXT,
    source          TEXT,
    co2_source      TEXT,
    observed_at     TEXT NOT NULL
);
CREATE UNIQUE INDEX energy_price_current ON energy_price (region, effective_from) WHERE superseded_by IS NULL;

-- Training runs that others have published. NULL: unknown. Counts that may have a fraction, or pass 2^63, are decimal TEXT.
CREATE TABLE published_run (
    row_id                    BIGINT PRIMARY KEY,
    revision                  BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by             BIGINT REFERENCES revision (revision),
    published_run_id          TEXT NOT NULL,
    name                      TEXT NOT NULL,
    model_id                  TEXT,                                -- NULL: none of the catalog
    org                       TEXT NOT NULL,
    date                      TEXT NOT NULL,
    kind                      TEXT NOT NULL,
    architecture              TEXT NOT NULL,
    params_total              TEXT,
    params_active             TEXT,
    layers                    BIGINT,
    hidden_size               BIGINT,
    heads                     BIGINT,
    kv_heads                  BIGINT,
    ffn_size                  BIGINT,
    vocab_size                BIGINT,
    experts                   BIGINT,
    experts_active            BIGINT,
    shape                     TEXT,                                -- JSON: an architecture in part
    tokens                    TEXT,
    sequence_length           BIGINT,
    precision                 TEXT,
    hardware                  TEXT,                                -- the source's word
    gpu_id                    TEXT,                                -- NULL: none of the catalog
    gpu_count                 BIGINT,
    peak_bf16_dense_tflops    TEXT,
    gpu_hours                 TEXT,
    gpu_hours_kind            TEXT,
    wall_days                 TEXT,
    published_mfu             TEXT,
    mfu_convention            TEXT,
    mfu_counts                TEXT,
    published_tflops_per_gpu  TEXT,
    tokens_per_second_per_gpu TEXT,
    published_flops           TEXT,
    published_cost_usd        TEXT,
    cost_kind                 TEXT,
    price_per_gpu_hour_usd    TEXT,
    third_party_costs         TEXT NOT NULL,                       -- JSON list
    energy_mwh                TEXT,
    co2_t                     TEXT,
    base_model                TEXT,
    stage_gpu_hours           TEXT NOT NULL,                       -- JSON, by stage
    rl                        TEXT,                                -- JSON
    tier                      TEXT NOT NULL,
    baseline_ok               BIGINT NOT NULL,
    verification              TEXT NOT NULL,
    note                      TEXT,
    sources                   TEXT NOT NULL,                       -- JSON list
    source                    TEXT,
    observed_at               TEXT NOT NULL
);
CREATE UNIQUE INDEX published_run_current ON published_run (published_run_id) WHERE superseded_by IS NULL;

-- Speeds that others have measured, of training, reinforcement learning and serving.
CREATE TABLE published_throughput (
    row_id                     BIGINT PRIMARY KEY,
    revision                   BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by              BIGINT REFERENCES revision (revision),
    published_throughput_id    TEXT NOT NULL,
    workload                   TEXT NOT NULL,
    kind                       TEXT NOT NULL,
    model_id                   TEXT,                               -- NULL: none of the catalog
    model_name                 TEXT NOT NULL,
    gpu_id                     TEXT,                               -- NULL: none of the catalog
    hardware                   TEXT NOT NULL,                      -- the source's word
    gpu_count                  BIGINT NOT NULL,
    precision                  TEXT NOT NULL,
    tokens_per_second_per_gpu  TEXT,
    params_total               TEXT,
    sequence_length            BIGINT,
    model_tflops_per_gpu       TEXT,
    published_mfu              TEXT,
    activation_checkpointing   BIGINT,
    rl                         TEXT,                               -- JSON
    inference                  TEXT,                               -- JSON
    date                       TEXT,
    note                       TEXT,
    source                     TEXT,
    source_detail              TEXT,
    observed_at                TEXT NOT NULL
);
CREATE UNIQUE INDEX published_throughput_current ON published_throughput (published_throughput_id) WHERE superseded_by IS NULL;

-- Ready-to-send requests, and published figures to hold their answers against.
CREATE TABLE scenario (
    row_id         BIGINT PRIMARY KEY,
    revision       BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by  BIGINT REFERENCES revision (revision),
    scenario_id    TEXT NOT NULL,
    title          TEXT NOT NULL,
    description    TEXT,
    request        TEXT NOT NULL,                                  -- JSON: the body of POST /estimate
    published      TEXT NOT NULL,                                  -- JSON list
    source         TEXT,
    observed_at    TEXT NOT NULL
);
CREATE UNIQUE INDEX scenario_current ON scenario (scenario_id) WHERE superseded_by IS NULL;
