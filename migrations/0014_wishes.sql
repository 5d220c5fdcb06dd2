-- What people wish of the data about them, and ids that were joined by events.

-- Whether what is done under an id is read for answers and kept. No row: nobody said anything. It outlives an erasure, so that who comes
-- back is not followed again.
create table wishes (
    user_id      text collate "C" primary key,
    personalised boolean not null,
    wished_at    timestamptz not null,                  -- the time of the record that says so: the newer wins
    own          boolean not null,                      -- a record of this very id says so, not that of another id of the same person
    lifted_at    timestamptz,                           -- where it was false before: what was done up to here is not kept either
    wish_id      bigint generated always as identity    -- anew with each change of what holds: consumers ask for new ones only
) with (fillfactor = 80);
create unique index wishes_in_order on wishes (wish_id) where not personalised or lifted_at is not null;
-- Readers of many rows leave these people out.
create index wishes_against on wishes (user_id) where not personalised;

-- Events that count for their items and whose person is not kept: what is needed so that a repeat counts once, and nothing else.
create table counted_events (
    day    date not null,                               -- of the event, in UTC
    digest bytea not null,                              -- 16 bytes of the SHA-256 of its id and time
    primary key (day, digest)
);

-- Ids that events of type identify joined to a user. users.aliases holds them beside those of the user's record.
create table identities (
    user_id       text collate "C" not null,
    alias         text collate "C" not null,
    identified_at timestamptz not null,                 -- of the newest such event
    primary key (user_id, alias)
);
create index identities_of_alias on identities (alias);

-- Whether somebody was erased since they had been silent for long (retention.idle_users_days).
alter table erasures add column idle boolean not null default false;
create index erasures_of_idle on erasures (erasure_id) where idle;
