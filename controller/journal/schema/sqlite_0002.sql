-- What is not a rollout event (controller/registry/records.h). Times: microseconds since 1970 UTC.

CREATE TABLE hosts (
  id           TEXT PRIMARY KEY,
  serial       TEXT    NOT NULL,
  fingerprint  TEXT    NOT NULL,
  pem          TEXT    NOT NULL,
  state        TEXT    NOT NULL CHECK (state IN ('enrolled', 'quarantined', 'retired')),
  state_reason TEXT    NOT NULL,
  first_seen   INTEGER NOT NULL,
  last_seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE host_labels (
  host  TEXT NOT NULL REFERENCES hosts (id),
  name  TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (host, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE cordons (
  host TEXT PRIMARY KEY REFERENCES hosts (id),
  who  TEXT    NOT NULL,
  why  TEXT    NOT NULL,
  at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  hash        TEXT PRIMARY KEY,
  host        TEXT    NOT NULL,
  created_by  TEXT    NOT NULL,
  expires     INTEGER NOT NULL,
  used_by_key TEXT    NOT NULL        -- '': unspent
) STRICT, WITHOUT ROWID;

CREATE TABLE token_labels (
  token TEXT NOT NULL REFERENCES tokens (hash) ON DELETE CASCADE,
  name  TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (token, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE locks (
  host    TEXT PRIMARY KEY,
  rollout TEXT    NOT NULL,
  who     TEXT    NOT NULL,
  reason  TEXT    NOT NULL,
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX locks_of_rollout ON locks (rollout);

CREATE TABLE releases (
  name      TEXT    NOT NULL,
  version   TEXT    NOT NULL,
  digest    TEXT    NOT NULL,
  size      INTEGER NOT NULL,
  pushed_by TEXT    NOT NULL,
  pushed_at INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE wanted (
  host    TEXT NOT NULL,
  app     TEXT NOT NULL,
  digest  TEXT NOT NULL,
  label   TEXT NOT NULL,
  rollout TEXT NOT NULL,
  PRIMARY KEY (host, app)
) STRICT, WITHOUT ROWID;

CREATE TABLE requests (
  method TEXT    NOT NULL,
  id     TEXT    NOT NULL,
  answer BLOB    NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (method, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_age ON requests (at);
