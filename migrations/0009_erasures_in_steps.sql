-- Erasures whose rows are still to be removed. What an entry covers is hidden from every reader from its commit on.
create table open_erasures (
    user_id       text collate "C" primary key,
    erased_at     timestamptz not null,                 -- what the user did up to here goes
    accepted_at   timestamptz not null default now(),
    ahead_until   timestamptz,                          -- where events dated after accepted_at were stored before it: the latest of these times
    stored_before pg_snapshot not null,                 -- the transactions whose rows the entry is about
    last_letter   bigint not null,                      -- the newest dead letter that the entry is about
    refolds       boolean not null                      -- whether features are to be made of what stays
) with (fillfactor = 70);
create index open_erasures_in_order on open_erasures (accepted_at, user_id);

-- A way to a user's rows: for each 256 KB of the table a Bloom filter of the ids in it. It costs an insert nothing, since new
-- ranges are summarised later; until then they are looked through.
do $$
begin
    if current_setting('server_version_num')::integer >= 140000 then
        create index interactions_of_user on interactions
            using brin (user_id text_bloom_ops(n_distinct_per_range = 1600, false_positive_rate = 0.005))
            with (pages_per_range = 32, autosummarize = on);
    else
        create index interactions_of_user on interactions (user_id);
    end if;
end $$;

-- Brings the filters up to date: the owner's right, lent to whoever erases.
create function summarise_interactions() returns void language plpgsql security definer set search_path from current as $$
begin
    if exists (select from pg_class c join pg_am a on a.oid = c.relam
               where c.oid = 'interactions_of_user'::regclass and a.amname = 'brin') then
        perform brin_summarize_new_values('interactions_of_user'::regclass);
    end if;
end $$;

-- Whom a refused record names, where that is not its key.
alter table dead_letters add column user_id bytea;
update dead_letters d set user_id = decode(n.name, 'escape')
from (select id, substring(encode(payload, 'escape') from '"user_id"\s*:\s*"((?:[^"\\]|\\[0-7]{3})+)"') as name from dead_letters) n
where d.id = n.id and octet_length(n.name) <= 1024;
update dead_letters set key = user_id where key is null and user_id is not null;
create index dead_letters_of_user on dead_letters (user_id) where user_id is not null;
-- Finds the letter of a conflict when the same event comes once more: it keeps one row.
create index dead_letters_of_conflict on dead_letters (md5(payload)) where code = 'conflicting_duplicate';

-- What is hidden is in no report either.
create or replace view attributed_outcomes as
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
where outcome.type > 0 and outcome.request_id is not null
  and not exists (select from open_erasures e where e.user_id = outcome.user_id
      and (outcome.event_time <= e.erased_at or impression.event_time <= e.erased_at or outcome.event_time between e.accepted_at and e.ahead_until));
