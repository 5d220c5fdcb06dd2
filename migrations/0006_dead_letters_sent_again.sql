-- Finds the dead letter that was sent again when its record is refused once more: it keeps one row, with its newest reason.
create index dead_letters_sent_again on dead_letters (md5(payload)) where replayed_at is not null and received_at < replayed_at;
