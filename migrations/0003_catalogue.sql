-- Items and users as their latest records describe them.

create table catalogue_state (
    only_row boolean primary key default true check (only_row),
    version  bigint not null                      -- raised by each transaction that changes items
);
insert into catalogue_state (version) values (0);

create table items (
    item_id           text collate "C" primary key,
    title             text,
    description       text,
    categories        text[] not null default '{}',
    tags              text[] not null default '{}',
    price_micros      bigint,                     -- list price, millionths of the currency's unit
    currency          text collate "C",
    attributes        jsonb,
    embedding         real[],
    published_at      timestamptz,
    updated_at        timestamptz not null,       -- an older record never overwrites a newer one
    hidden            boolean not null default false,
    deleted           boolean not null default false,
    catalogue_version bigint not null,            -- of the transaction that wrote the row
    created_at        timestamptz not null default now()
) with (fillfactor = 80);
create index items_by_version on items (catalogue_version);

-- Every change that was accepted, so that training can see an item as it was known at a time.
create table item_changes (
    change_id         bigint generated always as identity primary key,
    item_id           text collate "C" not null,
    catalogue_version bigint not null,
    title             text,
    description       text,
    categories        text[] not null,
    tags              text[] not null,
    price_micros      bigint,
    currency          text collate "C",
    attributes        jsonb,
    published_at      timestamptz,
    updated_at        timestamptz not null,
    hidden            boolean not null,
    deleted           boolean not null,
    committed_by      xid8 not null default pg_current_xact_id(),
    committed_at      timestamptz not null default now()
);
create index item_changes_of_item on item_changes (item_id, change_id);

create table users (
    user_id    text collate "C" primary key,
    attributes jsonb,
    aliases    text[] not null default '{}',      -- other ids of the same person
    updated_at timestamptz not null
);

-- Whom replays and restores must not bring back: what such a user did up to erased_at is dropped.
create table erasures (
    erasure_id  bigint generated always as identity primary key,
    user_id     text collate "C" not null unique,
    erased_at   timestamptz not null,
    recorded_at timestamptz not null default now()
);
