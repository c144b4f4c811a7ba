-- Who may ask, and what was done in whose name. Columns as in 0004.

-- Keys. A key itself is nowhere here: only what it is known by.
CREATE TABLE api_key (
    key_id           TEXT PRIMARY KEY,                             -- UUID, version 7: sorts by the time it was made
    prefix           TEXT NOT NULL,                                -- the first 16 characters, to look it up by
    hash             TEXT NOT NULL,                                -- SHA-256 of the whole, hexadecimal
    label            TEXT NOT NULL,
    scopes           TEXT NOT NULL,                                -- separated by a space
    created_at_ms    BIGINT NOT NULL,                              -- unix ms
    created_by       TEXT NOT NULL,                                -- as `actor` below
    expires_at_ms    BIGINT CHECK (expires_at_ms > created_at_ms), -- exclusive; NULL: it stays
    last_used_at_ms  BIGINT,                                       -- to about a minute; NULL: not yet
    revoked_at_ms    BIGINT                                        -- NULL: it is good
);
CREATE UNIQUE INDEX api_key_by_prefix ON api_key (prefix);

-- Goes up with every key that is made or revoked, so that whoever holds keys in memory knows when to look.
CREATE TABLE api_key_version (
    singleton  BIGINT PRIMARY KEY CHECK (singleton = 1),
    version    BIGINT NOT NULL
);
INSERT INTO api_key_version (singleton, version) VALUES (1, 0);

-- What was done: a row is written in the transaction of the change that it tells of, and never edited.
CREATE TABLE audit (
    audit_id     BIGINT PRIMARY KEY,                               -- counts up
    at_ms        BIGINT NOT NULL,                                  -- unix ms
    key_id       TEXT,                                             -- NULL: not over HTTP
    actor        TEXT NOT NULL,                                    -- `key ` and its id, or what else it was
    action       TEXT NOT NULL,                                    -- such as `key.create`
    target       TEXT NOT NULL,                                    -- what it was done to: an id
    before_json  TEXT,                                             -- JSON; NULL: it was not there
    after_json   TEXT,                                             -- JSON; NULL: it is no more
    request_id   TEXT,                                             -- NULL: not over HTTP
    outcome      TEXT NOT NULL
);
CREATE INDEX audit_by_key ON audit (key_id, audit_id);
CREATE INDEX audit_by_action ON audit (action, audit_id);
