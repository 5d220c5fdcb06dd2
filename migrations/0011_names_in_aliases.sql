-- Who names an erased id among the aliases of another person is found without a scan.
create index users_aliases on users using gin (aliases) where aliases <> '{}';
