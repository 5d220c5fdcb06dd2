-- Roles with the least rights for the parts of Freshet. Printed by: freshet migrate --print-roles
--
-- As a superuser, after freshet migrate, and again after an upgrade:
--   psql -X -v ON_ERROR_STOP=1 -d DATABASE -f ops/roles.sql
-- Then give each a password (psql: \password freshet_ingest) and name it in that part's database.url.
-- From then on freshet migrate runs as freshet_migrate, which owns the tables; later ones get the rights at the end.
begin;
do $$
declare role text;
begin
    foreach role in array array['freshet_migrate', 'freshet_ingest', 'freshet_serve', 'freshet_train', 'freshet_operate'] loop
        if not exists (select from pg_roles where rolname = role) then execute format('create role %I login', role); end if;
    end loop;
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant connect on database %I to freshet_migrate, freshet_ingest, freshet_serve, freshet_train, freshet_operate', current_database());
    execute format(
        'grant temporary on database %I to freshet_ingest, freshet_train',
        current_database());
end $$;
revoke create on schema public from public;
grant usage on schema public to freshet_migrate, freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant create on schema public to freshet_migrate;
do $$
declare it record;
begin
    for it in select c.oid::regclass as name from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
            and c.relname = any(array['attributed_outcomes', 'catalogue_state', 'catalogue_versions', 'category_adapters', 'dead_letters', 'erasures', 'counted_events', 'feedback', 'freshet_migrations', 'identities', 'interactions', 'item_changes', 'item_features', 'item_revenue', 'item_returns', 'items', 'models', 'open_erasures', 'purchase_returns', 'stream_offsets', 'user_features', 'users', 'waiting_patches', 'wishes']) loop
        execute format('alter table %s owner to freshet_migrate', it.name);
    end loop;
    for it in select p.oid::regprocedure as name from pg_proc p
        where p.pronamespace = 'public'::regnamespace and p.proname = any(array['saturating_sum', 'new_lineage', 'catalogue_moves', 'items_removed', 'some_items_removed', 'summarise_interactions']) loop
        execute format('alter function %s owner to freshet_migrate', it.name);
    end loop;
    -- Tables of later versions, those that are there: what is known of none is what all need.
    for it in select c.oid::regclass as name from pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v')
            and c.relowner = 'freshet_migrate'::regrole
    loop
        execute format('revoke all on %s from public, freshet_ingest, freshet_serve, freshet_train, freshet_operate', it.name);
        execute format('grant select, insert, update, delete on %s to freshet_ingest', it.name);
        execute format('grant select on %s to freshet_serve', it.name);
        execute format('grant select on %s to freshet_train', it.name);
        execute format('grant select on %s to freshet_operate', it.name);
    end loop;
end $$;
revoke all on attributed_outcomes from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select on attributed_outcomes to freshet_serve;
grant select on attributed_outcomes to freshet_train;
grant select on attributed_outcomes to freshet_operate;
revoke all on catalogue_state from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, update on catalogue_state to freshet_ingest;
grant select on catalogue_state to freshet_serve;
grant select, update on catalogue_state to freshet_train;
grant select on catalogue_state to freshet_operate;
revoke all on catalogue_versions from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, delete on catalogue_versions to freshet_ingest;
grant select on catalogue_versions to freshet_serve;
grant select, insert, delete on catalogue_versions to freshet_train;
grant select on catalogue_versions to freshet_operate;
revoke all on category_adapters from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select on category_adapters to freshet_serve;
grant select, insert, delete on category_adapters to freshet_train;
grant select on category_adapters to freshet_operate;
revoke all on dead_letters from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on dead_letters to freshet_ingest;
grant select (id, cluster, source, partition, "offset", payload_bytes, code, field, detail, received_at, replayed_at) on dead_letters to freshet_serve;
grant select, update (replayed_at) on dead_letters to freshet_operate;
revoke all on erasures from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update on erasures to freshet_ingest;
grant select on erasures to freshet_serve;
grant select on erasures to freshet_train;
grant select on erasures to freshet_operate;
revoke all on counted_events from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert on counted_events to freshet_ingest;
grant select on counted_events to freshet_serve;
grant select on counted_events to freshet_train;
grant select on counted_events to freshet_operate;
revoke all on feedback from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, delete on feedback to freshet_ingest;
grant select on feedback to freshet_serve;
grant select on feedback to freshet_train;
grant select on feedback to freshet_operate;
revoke all on freshet_migrations from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select on freshet_migrations to freshet_ingest;
grant select on freshet_migrations to freshet_serve;
grant select on freshet_migrations to freshet_train;
grant select on freshet_migrations to freshet_operate;
revoke all on identities from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on identities to freshet_ingest;
grant select on identities to freshet_serve;
grant select on identities to freshet_train;
grant select on identities to freshet_operate;
revoke all on interactions from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, delete on interactions to freshet_ingest;
grant select on interactions to freshet_serve;
grant select on interactions to freshet_train;
grant select on interactions to freshet_operate;
revoke all on item_changes from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert on item_changes to freshet_ingest;
grant select on item_changes to freshet_serve;
grant select, insert on item_changes to freshet_train;
grant select on item_changes to freshet_operate;
revoke all on item_features from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update on item_features to freshet_ingest;
grant select on item_features to freshet_serve;
grant select on item_features to freshet_train;
grant select on item_features to freshet_operate;
revoke all on item_revenue from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update on item_revenue to freshet_ingest;
grant select on item_revenue to freshet_serve;
grant select on item_revenue to freshet_train;
grant select on item_revenue to freshet_operate;
revoke all on item_returns from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update on item_returns to freshet_ingest;
grant select on item_returns to freshet_serve;
grant select on item_returns to freshet_train;
grant select on item_returns to freshet_operate;
revoke all on items from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update on items to freshet_ingest;
grant select on items to freshet_serve;
grant select, insert, update on items to freshet_train;
grant select on items to freshet_operate;
revoke all on models from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, update (status, reason, promoted_at, replaced_version) on models to freshet_serve;
grant select, insert, update (status, reason, promoted_at, replaced_version, refusal) on models to freshet_train;
grant select, update (status, reason, promoted_at, replaced_version) on models to freshet_operate;
revoke all on open_erasures from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on open_erasures to freshet_ingest;
grant select on open_erasures to freshet_serve;
grant select on open_erasures to freshet_train;
grant select on open_erasures to freshet_operate;
revoke all on purchase_returns from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, delete on purchase_returns to freshet_ingest;
grant select on purchase_returns to freshet_serve;
grant select on purchase_returns to freshet_train;
grant select on purchase_returns to freshet_operate;
revoke all on stream_offsets from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update on stream_offsets to freshet_ingest;
grant select on stream_offsets to freshet_serve;
grant select on stream_offsets to freshet_train;
grant select on stream_offsets to freshet_operate;
revoke all on user_features from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on user_features to freshet_ingest;
grant select on user_features to freshet_serve;
grant select on user_features to freshet_train;
grant select on user_features to freshet_operate;
revoke all on users from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on users to freshet_ingest;
grant select on users to freshet_serve;
grant select on users to freshet_train;
grant select on users to freshet_operate;
revoke all on waiting_patches from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on waiting_patches to freshet_ingest;
grant select on waiting_patches to freshet_serve;
grant select, delete on waiting_patches to freshet_train;
grant select on waiting_patches to freshet_operate;
revoke all on wishes from freshet_ingest, freshet_serve, freshet_train, freshet_operate;
grant select, insert, update, delete on wishes to freshet_ingest;
grant select on wishes to freshet_serve;
grant select on wishes to freshet_train;
grant select on wishes to freshet_operate;
-- And those that are yet to come.
alter default privileges for role freshet_migrate in schema public grant select, insert, update, delete on tables to freshet_ingest;
alter default privileges for role freshet_migrate in schema public grant select on tables to freshet_serve;
alter default privileges for role freshet_migrate in schema public grant select on tables to freshet_train;
alter default privileges for role freshet_migrate in schema public grant select on tables to freshet_operate;
commit;
