-- Variants and availability: what items have in common, when they may be recommended, and how many there are.

alter table items
    add column item_group_id text collate "C",
    add column available_from timestamptz,          -- not before
    add column available_until timestamptz,         -- not from then on
    add column stock integer check (stock >= 0);    -- 0 hides; null where nobody counts

alter table item_changes
    add column item_group_id text collate "C",
    add column available_from timestamptz,
    add column available_until timestamptz,
    add column stock integer;

-- Who else is in the group of an item that changed.
create index items_of_group on items (item_group_id) where item_group_id is not null;
