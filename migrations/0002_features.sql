-- What is folded from interactions. Every value is an integer or a sorted list, so that the order of folding does
-- not matter. Free space on the pages keeps updates beside the rows that they replace.

-- a + b, or the nearest number that fits: a sum at its end must not stop the stream.
create function saturating_sum(a bigint, b bigint) returns bigint language sql immutable parallel safe as $$
select case when b >= 0 and a > 9223372036854775807 - b then 9223372036854775807
            when b < 0 and a < (-9223372036854775808) - b then -9223372036854775808
            else a + b end
$$;

create table user_features (
    user_id        text collate "C" primary key,
    history        bytea not null,                -- the newest clicks, carts and purchases, see docs/data.md
    impressions    bigint not null,
    clicks         bigint not null,
    add_to_carts   bigint not null,
    purchases      bigint not null,
    first_time     timestamptz not null,
    last_time      timestamptz not null,
    last_partition integer not null,              -- the position of the last event that was folded
    last_offset    bigint not null,
    met_items      bytea                          -- every item dealt with, once the history cannot hold them all
) with (fillfactor = 60);
-- Packed bytes hardly compress; the attempt costs more than it saves.
alter table user_features alter column history set storage external;
alter table user_features alter column met_items set storage external;

create table item_features (
    item_id           text collate "C" primary key,
    impressions       bigint not null,
    clicks            bigint not null,
    add_to_carts      bigint not null,
    purchases         bigint not null,
    units             bigint not null,            -- items sold: the sum of quantities
    click_landmark    bigint not null,            -- forward decay: the sums relative to this landmark and the one before
    click_newest      bigint not null,
    click_previous    bigint not null,
    purchase_landmark bigint not null,
    purchase_newest   bigint not null,
    purchase_previous bigint not null,
    first_time        timestamptz not null,
    last_time         timestamptz not null
) with (fillfactor = 50);

create table item_revenue (
    item_id       text collate "C" not null,
    currency      text collate "C" not null,
    revenue_minor bigint not null,
    primary key (item_id, currency)
) with (fillfactor = 60);
