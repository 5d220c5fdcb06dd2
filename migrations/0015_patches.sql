-- Parts of records: what patches stated after the newest whole record, field by field.

-- Milliseconds since 1970 by field, docs/data.md; null where nothing was patched since the whole record.
alter table items add column field_times jsonb;
alter table users add column field_times jsonb;

-- Whole records look here whether there is something to be merged with.
create index items_patched on items (item_id) where field_times is not null;

-- Patches of items of which no record came yet, or none since the deletion. Bounded: ingest.waiting_limit_patches, ingest.waiting_limit_hours.
create table waiting_patches (
    patch_id    bigint generated always as identity primary key,
    item_id     text collate "C" not null,
    named       text not null,                    -- the fields that it states
    record      text not null,                    -- the patch as JSON
    patched_at  timestamptz not null,
    received_at timestamptz not null default now(),
    cluster     text collate "C" not null,
    source      text collate "C" not null,
    partition   integer not null,
    "offset"    bigint not null
);
-- Of two that state the same fields the newer says all.
create unique index waiting_patches_of_item on waiting_patches (item_id, md5(named));
