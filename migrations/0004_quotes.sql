-- Quotes that are kept. A row is written once and never edited; it goes when it expires, or not at all.
-- `catalog_revision` refers to nothing here: a service whose catalog is in memory keeps quotes, too.
CREATE TABLE quote (
    quote_id          TEXT PRIMARY KEY,                            -- UUID, version 7: sorts by the time it was made
    created_at_ms     BIGINT NOT NULL,                             -- unix ms
    expires_at_ms     BIGINT CHECK (expires_at_ms > created_at_ms),-- exclusive; NULL: it stays
    label             TEXT,
    label_folded      TEXT,                                        -- in lower case, to search in
    tags              TEXT NOT NULL,                               -- JSON object
    requote_of        TEXT,                                        -- quote_id, which may have expired since
    catalog_revision  BIGINT NOT NULL,
    engine            TEXT NOT NULL,
    currency          TEXT NOT NULL CHECK (length(currency) = 3),  -- ISO 4217
    total             TEXT NOT NULL,                               -- P50
    total_low         TEXT,                                        -- P10; NULL: the total is known
    total_high        TEXT,                                        -- P90
    document          TEXT NOT NULL                                -- JSON, with request and answer: the bytes that are given out
);
CREATE INDEX quote_by_expiry ON quote (expires_at_ms);
CREATE INDEX quote_by_label ON quote (label, quote_id);

-- The tags of a quote, each a row, to find it by.
CREATE TABLE quote_tag (
    quote_id  TEXT NOT NULL REFERENCES quote (quote_id) ON DELETE CASCADE,
    name      TEXT NOT NULL,
    value     TEXT NOT NULL,
    PRIMARY KEY (quote_id, name)
);
CREATE INDEX quote_tag_by_value ON quote_tag (name, value, quote_id);

-- What was answered to requests that carried an Idempotency-Key, so that the same one again gets the same answer.
CREATE TABLE idempotency (
    scope            TEXT NOT NULL,                                -- method and path, and whose key it is
    idempotency_key  TEXT NOT NULL,                                -- as it was sent
    request_hash     TEXT NOT NULL,                                -- SHA-256 of query and body, hexadecimal
    expires_at_ms    BIGINT NOT NULL,                              -- exclusive
    status           BIGINT NOT NULL,
    location         TEXT,                                         -- what was made
    body             TEXT NOT NULL,
    PRIMARY KEY (scope, idempotency_key)
);
CREATE INDEX idempotency_by_expiry ON idempotency (expires_at_ms);
