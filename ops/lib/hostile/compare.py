"""The tables of the disturbed database beside those of the undisturbed one, row by row, and both beside what the stream says it sent."""
import os

from .stream import user_of

# Compared by content, every column but those whose value comes from the moment or the transaction of the commit.
TABLES = {
    "interactions": [], "user_features": [], "item_features": [], "item_revenue": [], "item_returns": [], "purchase_returns": [],
    "items": ["catalogue_version"],  # counts transactions
    "users": [], "erasures": [],
    "dead_letters": ["detail", "replayed_at"],  # the detail of a time in the future names the reader's own now
    "stream_offsets": ["epoch", "owner", "updated_at", "cluster"],  # of the consumer, not of the records
}
LEFT_OUT = {
    "item_changes": "of several changes of an item in one commit the newest is kept, and commits differ",
    "models": "only the disturbed database is learned from", "category_adapters": "only the disturbed database is learned from",
    "catalogue_state": "counts transactions",
}


async def columns_of(postgres, table):
    """The columns of a table, less those that the database fills from its clock, a counter or the transaction."""
    rows = await postgres.sql(
        "select column_name from information_schema.columns where table_schema = 'public' and table_name = "
        f"'{table}' and is_identity = 'NO' and is_generated = 'NEVER'"
        " and coalesce(column_default, '') !~ '(now|clock_timestamp|pg_current_xact_id|nextval)\\(' order by ordinal_position")
    return [name for name in rows.split("\n") if name and name not in TABLES[table]]


async def dumped(postgres, table, columns, path):
    names = ", ".join(f'"{name}"' for name in columns)
    condition = " where topic !~ '^file:'" if table == "stream_offsets" else ""
    await postgres.sql(f"copy (select {names} from {table}{condition}) to stdout", to=path)
    # Sorted by bytes outside the database: both have the same order, whatever the table's key is.
    os.system(f"LC_ALL=C sort -S 64M -T {os.path.dirname(path)} -o {path} {path}")


def differences(left, right, limit=3):
    """Of two sorted files: rows, how many are in one only, and the first of these."""
    only_left, only_right, rows_left, rows_right, examples = 0, 0, 0, 0, []
    with open(left, "rb") as first, open(right, "rb") as second:
        a, b = first.readline(), second.readline()
        while a or b:
            if a == b:
                rows_left, rows_right = rows_left + 1, rows_right + 1
                a, b = first.readline(), second.readline()
            elif b == b"" or (a and a < b):
                rows_left, only_left = rows_left + 1, only_left + 1
                if only_left <= limit:
                    examples.append("disturbed only: " + a.decode(errors="replace").strip()[:300])
                a = first.readline()
            else:
                rows_right, only_right = rows_right + 1, only_right + 1
                if only_right <= limit:
                    examples.append("undisturbed only: " + b.decode(errors="replace").strip()[:300])
                b = second.readline()
    return rows_left, rows_right, only_left, only_right, examples


async def compare(disturbed, undisturbed, folder):
    """For each table: its rows in both, the rows that are in one only, and examples; then the tables that are not compared."""
    results = []
    for table in TABLES:
        columns = await columns_of(disturbed, table)
        paths = [f"{folder}/{table}.{side}" for side in ("disturbed", "undisturbed")]
        for postgres, path in zip((disturbed, undisturbed), paths):
            await dumped(postgres, table, columns, path)
        results.append((table, *differences(*paths)))
        for path in paths:
            os.remove(path)
    present = (await disturbed.sql(
        "select relname from pg_class c join pg_namespace n on n.oid = relnamespace where nspname = 'public' and relkind in ('r', 'p')"
        " and not relispartition order by 1")).split("\n")
    return results, [name for name in present if name not in TABLES]


async def sent_and_stored(postgres, seed, end, wave_users, waves, folder):
    """
    Ids of events that were sent and are not stored, are stored and were not sent, and rows of users that were deleted.

    - Parameter waves: of each wave that was deleted, the first number that is not of it any more.
    """
    path = f"{folder}/ids"
    await postgres.sql("copy (select event_id, user_id from interactions where event_id ~ '^e[0-9]+$') to stdout", to=path)
    expected, wave, borders = {}, 0, sorted((int(w), n) for w, n in waves.items())
    for number in range(end):
        while wave < len(borders) and number >= borders[wave][1]:
            wave += 1
        user = user_of(seed, number, wave, wave_users)
        if not (user[0] == "g" and wave < len(borders)):
            expected[number] = user
    missing, unexpected, twice, seen = len(expected), 0, 0, set()
    with open(path, encoding="utf-8") as file:
        for line in file:
            name, user = line.rstrip("\n").split("\t")
            number = int(name[1:])
            if number in seen:
                twice += 1
            elif expected.get(number) == user:
                missing -= 1
            else:
                unexpected += 1
            seen.add(number)
    os.remove(path)
    gone = "(" + " or ".join([f"user_id ~ '^g{w}-'" for w, _ in borders] or ["false"]) + ")"
    left = {}
    for table in ("interactions", "user_features", "users", "dead_letters"):
        condition = gone
        if table == "dead_letters":
            condition = gone.replace("user_id", "encode(payload, 'escape')").replace("'^", "'\"user_id\":\"")
        left[table] = int(await postgres.sql(f"select count(*) from {table} where {condition}"))
    return {"expected": len(expected), "missing": missing, "unexpected": unexpected, "twice": twice, "left_of_the_deleted": left}
