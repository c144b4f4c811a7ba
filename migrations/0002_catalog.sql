-- The catalog. In every table but `rate`: `row_id` counts rows in order of arrival, `revision` brought the row in, and
-- `superseded_by` replaced or withdrew it (NULL: current). Rows are appended and superseded, never edited or deleted:
-- the past stays answerable. A row's natural key is unique among the current rows; history may hold it many times,
-- so names of other rows are checked before an import, not by foreign keys.
-- Money and other decimals are decimal TEXT, instants unix milliseconds, days `YYYY-MM-DD`, truth 0 or 1.

-- Who sells models, and who rents out machines.
CREATE TABLE provider (
    row_id          BIGINT PRIMARY KEY,
    revision        BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by   BIGINT REFERENCES revision (revision),
    provider_id     TEXT NOT NULL,
    name            TEXT NOT NULL,
    website         TEXT,
    pricing_urls    TEXT NOT NULL,                                 -- JSON list
    same_vendor_as  TEXT,                                          -- provider_id
    own_api         BIGINT NOT NULL,                               -- 1: a developer's price list for its own models
    also_resells    TEXT NOT NULL,                                 -- JSON list of developers
    source          TEXT,                                          -- URL or citation; NULL: nobody wrote it down
    observed_at     TEXT NOT NULL                                  -- the day somebody looked
);
CREATE UNIQUE INDEX provider_current ON provider (provider_id) WHERE superseded_by IS NULL;

-- What can be charged for. The order of arrival is the order in which a quote lists them.
CREATE TABLE meter (
    row_id         BIGINT PRIMARY KEY,
    revision       BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by  BIGINT REFERENCES revision (revision),
    meter_id       TEXT NOT NULL,
    name           TEXT NOT NULL,
    unit           TEXT NOT NULL,
    per            TEXT NOT NULL,                                  -- customary quantity
    part_of        TEXT NOT NULL,                                  -- JSON list of meter_id
    description    TEXT NOT NULL,
    source         TEXT,
    observed_at    TEXT NOT NULL
);
CREATE UNIQUE INDEX meter_current ON meter (meter_id) WHERE superseded_by IS NULL;

-- Days that a daily window leaves out.
CREATE TABLE calendar (
    row_id         BIGINT PRIMARY KEY,
    revision       BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by  BIGINT REFERENCES revision (revision),
    calendar_id    TEXT NOT NULL,
    time_zone      TEXT NOT NULL,                                  -- IANA
    covers_from    TEXT NOT NULL,
    covers_to      TEXT NOT NULL,                                  -- inclusive
    dates          TEXT NOT NULL,                                  -- JSON list of days
    source         TEXT,
    observed_at    TEXT NOT NULL
);
CREATE UNIQUE INDEX calendar_current ON calendar (calendar_id) WHERE superseded_by IS NULL;

-- AI models, whoever sells them.
CREATE TABLE model (
    row_id         BIGINT PRIMARY KEY,
    revision       BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by  BIGINT REFERENCES revision (revision),
    model_id       TEXT NOT NULL,
    name           TEXT NOT NULL,
    developer      TEXT,
    family         TEXT,
    released       TEXT,
    license        TEXT,
    class          TEXT,
    aliases        TEXT NOT NULL,                                  -- JSON list
    architecture   TEXT,                                           -- JSON; NULL: not published
    source         TEXT,
    observed_at    TEXT NOT NULL
);
CREATE UNIQUE INDEX model_current ON model (model_id) WHERE superseded_by IS NULL;

-- Models as providers sell them, under their own names there.
CREATE TABLE offering (
    row_id          BIGINT PRIMARY KEY,
    revision        BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by   BIGINT REFERENCES revision (revision),
    offering_id     TEXT NOT NULL,                                 -- provider/name
    provider_id     TEXT NOT NULL,
    name            TEXT NOT NULL,
    aliases         TEXT NOT NULL,                                 -- JSON list
    model_id        TEXT,                                          -- NULL: nobody has said which
    first_party     BIGINT NOT NULL,                               -- 1: the seller is the developer
    kind            TEXT,
    context_window  BIGINT,                                        -- tokens
    deprecated      BIGINT NOT NULL,
    source          TEXT,
    observed_at     TEXT NOT NULL
);
CREATE UNIQUE INDEX offering_current ON offering (offering_id) WHERE superseded_by IS NULL;

-- Rows of price tables. Each is complete: nothing is inherited from another.
CREATE TABLE rate_card (
    row_id             BIGINT PRIMARY KEY,
    revision           BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by      BIGINT REFERENCES revision (revision),
    offering_id        TEXT NOT NULL,
    currency           TEXT NOT NULL CHECK (length(currency) = 3), -- ISO 4217, the vendor's own
    effective_from_ms  BIGINT,                                     -- inclusive; NULL: as far back as known
    effective_to_ms    BIGINT CHECK (effective_to_ms > effective_from_ms), -- exclusive; NULL: still in force
    from_precision     TEXT,                                       -- instant or day
    conditions         TEXT NOT NULL,                              -- JSON: thresholds, context, window
    inherited          TEXT NOT NULL,                              -- JSON list of meter_id
    note               TEXT,
    origin             TEXT,
    source             TEXT,
    observed_at        TEXT NOT NULL
);
CREATE UNIQUE INDEX rate_card_current
    ON rate_card (offering_id, currency, COALESCE(effective_from_ms, -9223372036854775807), conditions)
    WHERE superseded_by IS NULL;

-- Money for a quantity of a meter, by card. It lives and is superseded with its card.
CREATE TABLE rate (
    rate_card_id  BIGINT NOT NULL REFERENCES rate_card (row_id),
    meter_id      TEXT NOT NULL,
    amount        TEXT NOT NULL,                                   -- in the card's currency
    per           TEXT,                                            -- for how many; NULL: the meter's customary quantity
    min_quantity  BIGINT,                                          -- the smallest quantity charged; NULL: none
    PRIMARY KEY (rate_card_id, meter_id)
);

-- Factors on named meters under a context.
CREATE TABLE modifier (
    row_id             BIGINT PRIMARY KEY,
    revision           BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by      BIGINT REFERENCES revision (revision),
    offering_id        TEXT NOT NULL,
    label              TEXT NOT NULL,
    context            TEXT NOT NULL,                              -- JSON
    factor             TEXT NOT NULL,
    meters             TEXT NOT NULL,                              -- JSON list of meter_id
    effective_from_ms  BIGINT,
    effective_to_ms    BIGINT CHECK (effective_to_ms > effective_from_ms),
    source             TEXT,
    observed_at        TEXT NOT NULL
);
CREATE UNIQUE INDEX modifier_current
    ON modifier (offering_id, COALESCE(effective_from_ms, -9223372036854775807), context)
    WHERE superseded_by IS NULL;

-- What one unit of a currency was worth in dollars, by day.
CREATE TABLE fx_rate (
    row_id         BIGINT PRIMARY KEY,
    revision       BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by  BIGINT REFERENCES revision (revision),
    currency       TEXT NOT NULL CHECK (length(currency) = 3),
    date           TEXT NOT NULL,
    usd_per_unit   TEXT NOT NULL,
    source         TEXT,
    observed_at    TEXT NOT NULL
);
CREATE UNIQUE INDEX fx_rate_current ON fx_rate (date, currency) WHERE superseded_by IS NULL;

-- Accelerators. Peaks are dense; figures without a whole number are decimal TEXT.
CREATE TABLE gpu (
    row_id                BIGINT PRIMARY KEY,
    revision              BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by         BIGINT REFERENCES revision (revision),
    gpu_id                TEXT NOT NULL,
    name                  TEXT NOT NULL,
    aliases               TEXT NOT NULL,                           -- JSON list
    vendor                TEXT NOT NULL,
    architecture          TEXT,
    form_factor           TEXT,
    memory_gb             TEXT NOT NULL,                           -- as labelled, decimal GB
    memory_bytes          BIGINT,                                  -- as the driver reports it
    memory_type           TEXT,
    memory_bandwidth_gbs  TEXT NOT NULL,
    dense_tflops          TEXT NOT NULL,                           -- JSON, by precision
    structured_sparsity   BIGINT NOT NULL,
    interconnect          TEXT,                                    -- JSON
    peer_gbs_one_way      TEXT,
    fast_domain_gpus      BIGINT,
    tdp_w                 TEXT,
    server_max_power_kw   TEXT,
    gpus_per_server       BIGINT,
    launch_date           TEXT,
    sources               TEXT NOT NULL,                           -- JSON list
    confidence            TEXT,
    notes                 TEXT,
    source                TEXT,
    observed_at           TEXT NOT NULL
);
CREATE UNIQUE INDEX gpu_current ON gpu (gpu_id) WHERE superseded_by IS NULL;

-- What an hour of an accelerator costs at a provider.
CREATE TABLE gpu_rental (
    row_id              BIGINT PRIMARY KEY,
    revision            BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by       BIGINT REFERENCES revision (revision),
    gpu_rental_id       TEXT NOT NULL,
    provider_id         TEXT NOT NULL,
    provider_kind       TEXT,
    region              TEXT,
    instance            TEXT,
    gpu_id              TEXT NOT NULL,
    gpu_count           BIGINT NOT NULL CHECK (gpu_count > 0),
    price_per_gpu_hour  TEXT NOT NULL,                             -- host included, before tax
    currency            TEXT NOT NULL CHECK (length(currency) = 3),
    commitment          TEXT NOT NULL,
    effective_from      TEXT NOT NULL,                             -- day, inclusive
    effective_to        TEXT CHECK (effective_to > effective_from),-- day, exclusive; NULL: no later price known
    last_seen           TEXT NOT NULL,
    confidence          TEXT,
    note                TEXT,
    source              TEXT,
    observed_at         TEXT NOT NULL
);
CREATE UNIQUE INDEX gpu_rental_current ON gpu_rental (gpu_rental_id) WHERE superseded_by IS NULL;

-- What buying an accelerator, or a server full of them, costs.
CREATE TABLE gpu_purchase (
    row_id          BIGINT PRIMARY KEY,
    revision        BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by   BIGINT REFERENCES revision (revision),
    gpu_id          TEXT NOT NULL,
    kind            TEXT NOT NULL,
    system          TEXT,
    gpus            BIGINT CHECK (gpus > 0),
    amount          TEXT NOT NULL,                                 -- for one; of kind `server`, for the whole system
    currency        TEXT NOT NULL CHECK (length(currency) = 3),
    effective_from  TEXT NOT NULL,                                 -- the day of the price
    source          TEXT,
    observed_at     TEXT NOT NULL
);
CREATE UNIQUE INDEX gpu_purchase_current
    ON gpu_purchase (gpu_id, effective_from, kind, COALESCE(system, ''), amount, COALESCE(source, ''))
    WHERE superseded_by IS NULL;

-- Levels of the rental market that belong to no provider.
CREATE TABLE market_index (
    row_id                   BIGINT PRIMARY KEY,
    revision                 BIGINT NOT NULL REFERENCES revision (revision),
    superseded_by            BIGINT REFERENCES revision (revision),
    series                   TEXT NOT NULL,
    date                     TEXT NOT NULL,
    kind                     TEXT NOT NULL,
    price_per_gpu_hour_low   TEXT NOT NULL,
    price_per_gpu_hour_high  TEXT NOT NULL,
    currency                 TEXT NOT NULL CHECK (length(currency) = 3),
    source                   TEXT,
    observed_at              TEXT NOT NULL
);
CREATE UNIQUE INDEX market_index_current ON market_index (series, date, kind) WHERE superseded_by IS NULL;
