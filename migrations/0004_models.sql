-- Model versions. At most one is promoted: servers use that one.

create table models (
    version           integer generated always as identity primary key,
    created_at        timestamptz not null default now(),
    status            text not null default 'candidate' check (status in ('candidate', 'promoted', 'retired', 'refused')),
    artifact_path     text not null,
    artifact_checksum text not null,
    configuration     jsonb not null default '{}',
    metrics           jsonb not null default '{}',
    watermark         jsonb not null default '{}',
    reason            text,                       -- why it was promoted or refused
    promoted_at       timestamptz,
    replaced_version  integer references models (version)  -- what it replaced; a rollback goes back to it
);
create unique index models_promoted on models (status) where status = 'promoted';
