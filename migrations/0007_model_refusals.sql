-- Why the gate refused a version stays with it, also where somebody promotes it all the same.
alter table models add column refusal text;
update models set refusal = coalesce(reason, 'refused by the gate') where status = 'refused';

-- What the version scored on each question of its evaluation, by a hash of the question: a later version is compared on the same ones.
alter table models add column answers bytea;
