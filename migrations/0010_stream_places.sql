-- What tells a topic from another one of the same name that is made later, and what the broker no longer had when it was asked for.
alter table stream_offsets
    add column topic_id         text collate "C",        -- the topic's own identity, where library and broker know it
    add column last_record_time timestamptz,             -- the time of the record before next_offset, as the broker gave it
    add column incarnation      integer not null default 0,  -- raised when the partition begins anew as that of another topic
    add column missing_records  bigint not null default 0,   -- records that the broker had dropped before they were read
    add column halted           text;                    -- why the partition stands still; null: it does not
