-- The journal: docs/formats/journal.md.

CREATE TABLE rollouts (
  number INTEGER PRIMARY KEY,        -- in order of their beginning
  id     TEXT    NOT NULL UNIQUE,
  epoch  INTEGER NOT NULL,           -- of the lease that holds
  next   INTEGER NOT NULL,           -- sequence number that the next record gets
  head   BLOB    NOT NULL            -- h(next - 1)
) STRICT;

CREATE TABLE records (
  rollout  INTEGER NOT NULL REFERENCES rollouts (number),
  sequence INTEGER NOT NULL,
  epoch    INTEGER NOT NULL,
  bytes    BLOB    NOT NULL,
  head     BLOB    NOT NULL,         -- h(sequence)
  PRIMARY KEY (rollout, sequence)
) STRICT, WITHOUT ROWID;
