-- Returns: events of type 4 that take purchases back. What was bought and what was given back are matched by user and item.

-- The rows that are there were checked by the rule of before: they need not be looked at again.
alter table interactions drop constraint interactions_type_check;
alter table interactions add constraint interactions_type_check check (type between 0 and 4) not valid;

-- The purchases and returns of a user and an item. Clicks and impressions have no entry here.
create index interactions_of_trade on interactions (user_id, item_id, event_time) where type >= 3;

-- How many returns were stored of the user: who has none costs a commit no look-up.
alter table user_features add column returns bigint not null default 0;

-- Which return takes how many pieces of which purchase back. A function of the rows of interactions, whatever their order.
create table purchase_returns (
    user_id           text collate "C" not null,
    item_id           text collate "C" not null,
    purchase_time     timestamptz not null,
    purchase_id       text collate "C" not null,
    return_time       timestamptz not null,
    return_id         text collate "C" not null,
    purchase_quantity integer not null,           -- the pieces that were bought
    pieces            integer not null,           -- those of them that this return takes back
    primary key (purchase_time, purchase_id, return_time, return_id),
    check (pieces between 1 and purchase_quantity)
);
create index purchase_returns_of_trade on purchase_returns (user_id, item_id);

-- What came back of an item, and what of it matches no purchase.
create table item_returns (
    item_id          text collate "C" primary key,
    returns          bigint not null,
    pieces           bigint not null,             -- of all returns
    partly           bigint not null,             -- returns of which some pieces match no purchase
    unmatched        bigint not null,             -- returns of which no piece does
    unmatched_pieces bigint not null
) with (fillfactor = 60);

-- Outcomes are net: what was wholly taken back is none, and of the rest the pieces and the amount that were kept count.
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
       case when taken.pieces is null then outcome.amount_minor
            else round(outcome.amount_minor::numeric * (outcome.quantity - taken.pieces) / outcome.quantity)::bigint end as amount_minor,
       outcome.currency,
       (outcome.quantity - coalesce(taken.pieces, 0))::integer as quantity
from interactions outcome
join interactions impression
  on impression.request_id = outcome.request_id
 and impression.item_id = outcome.item_id
 and impression.user_id = outcome.user_id
 and impression.type = 0
left join lateral (
    select sum(m.pieces) as pieces from purchase_returns m
    where m.purchase_time = outcome.event_time and m.purchase_id = outcome.event_id
) taken on outcome.type = 3
where outcome.type between 1 and 3 and outcome.request_id is not null
  and (taken.pieces is null or taken.pieces < outcome.quantity)
  and not exists (select from open_erasures e where e.user_id = outcome.user_id
      and (outcome.event_time <= e.erased_at or impression.event_time <= e.erased_at or outcome.event_time between e.accepted_at and e.ahead_until));
