-- A change to the catalog: who, when, why and how much. Every row of the catalog names the one that brought it in.
CREATE TABLE revision (
    revision         BIGINT PRIMARY KEY,
    made_at_ms       BIGINT NOT NULL,                              -- unix ms
    actor            TEXT NOT NULL,
    reason           TEXT NOT NULL,
    rows_added       BIGINT NOT NULL CHECK (rows_added >= 0),
    rows_superseded  BIGINT NOT NULL CHECK (rows_superseded >= 0),
    content_hash     TEXT NOT NULL,                                -- SHA-256, hexadecimal
    catalog_version  TEXT                                          -- the edition it brought in, where it did
);

-- The number of the newest revision. One row: a writer takes it first, so that writers queue; replicas poll it.
CREATE TABLE catalog_version (
    singleton  BIGINT PRIMARY KEY CHECK (singleton = 1),
    version    BIGINT NOT NULL
);
INSERT INTO catalog_version (singleton, version) VALUES (1, 0);
