-- What users did with items, one row an event, and the place up to which each source was read.
-- Ids are compared byte by byte ("C"), as the program does: sorted writes never wait for each other in a circle.

create table interactions (
    event_time       timestamptz not null,
    event_id         text collate "C" not null,
    type             smallint not null,           -- 0 impression, 1 click, 2 add_to_cart, 3 purchase
    user_id          text collate "C" not null,
    item_id          text collate "C" not null,
    price_micros     bigint,                      -- unit price paid, millionths of the currency's unit
    amount_minor     bigint,                      -- price x quantity in minor units, rounded once when it was decoded
    currency         text collate "C",
    quantity         integer not null default 1,
    session_id       text collate "C",
    request_id       text collate "C",            -- the answer in which the item was shown
    slot             integer,                     -- of an impression: its place in the list, from 0
    model_version    integer,                     -- of an impression: the model that chose the item
    context          json,                        -- as it was sent
    source_partition integer not null,            -- -1: a file
    source_offset    bigint not null,             -- or the line of the file
    payload_hash     bigint not null,             -- over everything but the position
    committed_by     xid8 not null default pg_current_xact_id(),
    -- PostgreSQL can keep one unique key over partitions by time only if the key holds the time. A repeated
    -- delivery carries the same time, so the pair makes it count once.
    primary key (event_time, event_id),
    check (type between 0 and 3),
    check (quantity >= 1)
);

-- No index by user: it would cost as much as storing the event. What excludes items is in user_features; an erasure goes
-- by the times that user_features holds.

-- Joins outcomes to the impressions of the same answer.
create index interactions_of_request on interactions (request_id) where request_id is not null;

-- Clicks, carts and purchases with the impression that they followed.
create view attributed_outcomes as
select outcome.request_id,
       outcome.item_id,
       outcome.user_id,
       impression.slot,
       impression.model_version,
       outcome.type,
       outcome.event_id,
       impression.event_time as shown_at,
       outcome.event_time    as acted_at,
       outcome.event_time - impression.event_time as delay,
       outcome.amount_minor,
       outcome.currency,
       outcome.quantity
from interactions outcome
join interactions impression
  on impression.request_id = outcome.request_id
 and impression.item_id = outcome.item_id
 and impression.user_id = outcome.user_id
 and impression.type = 0
where outcome.type > 0 and outcome.request_id is not null;

-- The next offset to read, written in the transaction that stores what came before it.
create table stream_offsets (
    topic       text collate "C" not null,
    partition   integer not null,
    cluster     text collate "C" not null,        -- the Kafka cluster's identity; empty for files
    epoch       bigint not null,                  -- raised by each new owner; a commit under an older epoch is refused
    next_offset bigint,                           -- null: from the beginning
    owner       text,
    updated_at  timestamptz not null default now(),
    primary key (topic, partition)
) with (fillfactor = 50);

-- Records that were refused, with what is needed to look at them and to send them again.
create table dead_letters (
    id            bigint generated always as identity primary key,
    cluster       text collate "C" not null,
    source        text collate "C" not null,
    partition     integer not null,
    "offset"      bigint not null,
    key           bytea,
    payload       bytea not null,                 -- cut at the configured bound
    payload_bytes integer not null,               -- the size before the cut
    code          text collate "C" not null,
    field         text,
    detail        text not null,
    received_at   timestamptz not null default now(),
    replayed_at   timestamptz,
    unique (source, partition, "offset", cluster)
);
create index dead_letters_of_key on dead_letters (key) where key is not null;
create index dead_letters_by_code on dead_letters (code, id);
