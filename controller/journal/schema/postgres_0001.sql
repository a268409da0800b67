-- The journal and the registry: docs/formats/journal.md. Times: microseconds since 1970 UTC.

-- Who drives this store. One row; what a transaction writes, it writes under `epoch`.
CREATE TABLE lease (
  epoch   bigint      PRIMARY KEY,   -- rises by one whenever somebody takes the lease
  holder  text        NOT NULL,      -- random, one for each process; '': nobody
  about   text        NOT NULL,      -- machine and process, for people
  expires timestamptz NOT NULL       -- by clock_timestamp()
);
CREATE UNIQUE INDEX lease_is_one_row ON lease ((true));
INSERT INTO lease (epoch, holder, about, expires) VALUES (0, '', '', '-infinity');

CREATE TABLE rollouts (
  number bigint PRIMARY KEY,         -- in order of their beginning
  id     text   COLLATE "C" NOT NULL UNIQUE,
  epoch  bigint NOT NULL,            -- of the lease that holds
  next   bigint NOT NULL,            -- sequence number that the next event gets
  head   bytea  NOT NULL             -- h(next - 1)
);

-- Never changed: the service may only SELECT and INSERT. Key of an event: rollout, sequence, epoch.
CREATE TABLE events (
  rollout  bigint NOT NULL,
  sequence bigint NOT NULL,
  epoch    bigint NOT NULL,
  bytes    bytea  NOT NULL,
  head     bytea  NOT NULL,          -- h(sequence)
  PRIMARY KEY (rollout, sequence)
);

CREATE TABLE hosts (
  id           text   COLLATE "C" PRIMARY KEY,
  serial       text   NOT NULL,
  fingerprint  text   NOT NULL,
  pem          text   NOT NULL,
  state        text   NOT NULL CHECK (state IN ('enrolled', 'quarantined', 'retired')),
  state_reason text   NOT NULL,
  first_seen   bigint NOT NULL,
  last_seen    bigint NOT NULL
);

CREATE TABLE host_labels (
  host  text COLLATE "C" NOT NULL REFERENCES hosts (id),
  name  text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (host, name)
);

CREATE TABLE cordons (
  host text   COLLATE "C" PRIMARY KEY REFERENCES hosts (id),
  who  text   NOT NULL,
  why  text   NOT NULL,
  at   bigint NOT NULL
);

CREATE TABLE tokens (
  hash        text   COLLATE "C" PRIMARY KEY,
  host        text   NOT NULL,
  created_by  text   NOT NULL,
  expires     bigint NOT NULL,
  used_by_key text   NOT NULL        -- '': unspent
);

CREATE TABLE token_labels (
  token text COLLATE "C" NOT NULL REFERENCES tokens (hash) ON DELETE CASCADE,
  name  text COLLATE "C" NOT NULL,
  value text NOT NULL,
  PRIMARY KEY (token, name)
);

CREATE TABLE locks (
  host    text   COLLATE "C" PRIMARY KEY,
  rollout text   NOT NULL,
  who     text   NOT NULL,
  reason  text   NOT NULL,
  at      bigint NOT NULL
);
CREATE INDEX locks_of_rollout ON locks (rollout);

CREATE TABLE releases (
  name      text   COLLATE "C" NOT NULL,
  version   text   COLLATE "C" NOT NULL,
  digest    text   NOT NULL,
  size      bigint NOT NULL,
  pushed_by text   NOT NULL,
  pushed_at bigint NOT NULL,
  PRIMARY KEY (name, version)
);

CREATE TABLE wanted (
  host    text COLLATE "C" NOT NULL,
  app     text COLLATE "C" NOT NULL,
  digest  text NOT NULL,
  label   text NOT NULL,
  rollout text NOT NULL,
  PRIMARY KEY (host, app)
);

CREATE TABLE requests (
  method text   COLLATE "C" NOT NULL,
  id     text   COLLATE "C" NOT NULL,
  answer bytea  NOT NULL,
  at     bigint NOT NULL,
  PRIMARY KEY (method, id)
);
CREATE INDEX requests_by_age ON requests (at);
