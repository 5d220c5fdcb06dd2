-- Feedback as clients of Gorse send and read it: one row an event, so that its value is the sum over distinct events and a deletion
-- takes back exactly what came. Written in the transaction that stores the event; erased with the user.
create table feedback (
    user_id          text collate "C" not null,
    item_id          text collate "C" not null,
    type             text collate "C" not null,   -- the sender's own name, as sent
    event_time       timestamptz not null,        -- with event_id the key of the row of interactions
    event_id         text collate "C" not null,
    value            double precision not null,
    stated_time      timestamptz not null,        -- what the sender says; later than event_time where it lies ahead
    labels           json,
    comment          text,
    source_partition integer not null,
    source_offset    bigint not null,
    primary key (user_id, item_id, type, event_time, event_id)
);
create index feedback_of_item on feedback (item_id);
