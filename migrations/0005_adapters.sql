-- What few events taught of categories that a model version never trained on. The newest row of a category counts; rows of
-- other versions are never used.

create table category_adapters (
    adapter_id    bigint generated always as identity primary key,
    model_version integer not null references models (version),
    field         text collate "C" not null,       -- categories, or the attribute whose values are adapted to
    category      text collate "C" not null,
    created_at    timestamptz not null default now(),
    events        bigint not null,                 -- interactions with the category's items when it was adapted to
    support_items text[] not null,                 -- the items of the events that it was adapted to
    payload       bytea not null,
    checksum      bytea not null,                  -- SHA-256 of the payload
    metrics       jsonb not null default '{}'
);
create index category_adapters_of_version on category_adapters (model_version, field, category, adapter_id);
