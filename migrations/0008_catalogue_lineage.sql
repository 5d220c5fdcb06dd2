-- Which history a version of the catalogue belongs to. A restored backup, an older standby or another database may have the same
-- number, or a higher one, and other items under it: servers go on from a version only where its lineage is the one they read.

-- Drawn by chance for each version.
create function new_lineage() returns bigint language sql volatile parallel safe as $$
select ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint
$$;

alter table catalogue_state add column lineage bigint not null default new_lineage();

-- The newest versions with their lineage. Who has one that is not here reads everything again.
create table catalogue_versions (
    version bigint primary key,
    lineage bigint not null
);
insert into catalogue_versions (version, lineage) select version, lineage from catalogue_state;

-- Whoever moves the version, by hand too: what was under the new number or above it is another history.
create function catalogue_moves() returns trigger language plpgsql set search_path from current as $$
begin
    new.lineage := new_lineage();
    delete from catalogue_versions where version >= new.version;
    delete from catalogue_versions where version <= new.version - 65536;
    insert into catalogue_versions (version, lineage) values (new.version, new.lineage);
    return new;
end
$$;
create trigger catalogue_moves before update on catalogue_state for each row execute function catalogue_moves();

-- Rows that are removed leave no version to be found by: all is to be read again. Freshet marks items as deleted and removes none.
create function items_removed() returns trigger language plpgsql set search_path from current as $$
begin
    update catalogue_state set version = version + 1;
    delete from catalogue_versions where version < (select version from catalogue_state);
    return null;
end
$$;
create trigger items_emptied after truncate on items for each statement execute function items_removed();

create function some_items_removed() returns trigger language plpgsql set search_path from current as $$
begin
    if exists (select from removed) then
        update catalogue_state set version = version + 1;
        delete from catalogue_versions where version < (select version from catalogue_state);
    end if;
    return null;
end
$$;
create trigger items_removed after delete on items referencing old table as removed
    for each statement execute function some_items_removed();

-- The SHA-256 of a model's manifest, which holds those of its files; null for models of before.
alter table models add column artifact_sha256 text check (artifact_sha256 ~ '^[0-9a-f]{64}$');
