"""Which disturbance comes when: a function of the length and the seed, printed before the run begins."""
import random
from dataclasses import dataclass

CALM_AT_THE_BEGINNING_SECONDS = 10
# Before memory is marked: what fills buffers of ingest and of the service as far as they go. What grows after that has no bound.
FIRST = ("ingest-silent", "long-titles", "deaf-readers", "newline-flood", "slow-bodies")


@dataclass(frozen=True)
class Kind:
    """A disturbance, and what may be expected while it lasts."""

    name: str
    seconds: int  # in a long run
    what: str
    # What cannot be reached meanwhile, by the harness's own doing: "database" (of the service), "broker", or nothing.
    away: str = ""
    # Seconds that it lasts in a short run, too: longer than the limit that ends it (http.request_seconds, http.answer_seconds: 30).
    least_seconds: int = 0
    # Seconds after its end that still count as outage: until a silent connection must have been noticed, or a server has recovered.
    grace_seconds: int = 0
    # Words one of which an operator must have seen, in a log line, on /readyz, /v1/stats or in a metric that moved.
    words: str = ""


KINDS = [
    Kind("slow-heads", 40, "1,200 connections send a request's head a line a second and never end it", least_seconds=36,
         words=r"connection|head|slow|time"),
    Kind("slow-bodies", 40, "1,200 connections send a body a byte a second", least_seconds=36,
         words=r"body|bodies|408|slow|in_flight|under way|too many"),
    Kind("deaf-readers", 40, "60 connections ask for lists with details, many times, and read nothing", least_seconds=36,
         words=r"read|write|slow|connection|in_flight|time"),
    Kind("idle-flood", 45, "more idle connections than there are descriptors", words=r"connection|descriptor|too many|EMFILE"),
    Kind("short-connections", 20, "400 connections a second that ask, close at once and read nothing", words=r"connection|requests_total"),
    Kind("newline-flood", 30, "4 MB bodies of newlines, of spaces and of empty records, four at a time",
         words=r"40[0138]|413|accepted|rejected|body|refused|too (many|large)"),
    Kind("deep-nesting", 20, "bodies and attributes a hundred thousand levels deep", words=r"40[0138]|413|deep|nest|rejected|refused"),
    Kind("long-titles", 25, "titles of 64 KB in the catalogue and in the answers that are asked for", words=r"catalogue|items|bytes|413"),
    Kind("broken-requests", 20, "malformed chunks, endless queries, wrong lengths, foreign hosts", words=r"4[0-3][0-9]"),
    Kind("backends-killed", 30, "PostgreSQL's backends of a role end at random, one every half second",
         words=r"database|PostgreSQL|connection|terminat"),
    Kind("connections-cut", 20, "all connections of a role to PostgreSQL end, every three seconds",
         words=r"database|PostgreSQL|connection"),
    Kind("service-silent", 40, "the service's connections to PostgreSQL fall silent: no byte, no acknowledgement", away="database",
         grace_seconds=30, words=r"database|PostgreSQL|connection"),
    Kind("ingest-silent", 40, "ingest's connections to PostgreSQL fall silent", words=r"database|PostgreSQL|connection|lag"),
    Kind("postgres-frozen", 20, "PostgreSQL's processes stand still (SIGSTOP)", away="database", grace_seconds=15,
         words=r"database|PostgreSQL|connection"),
    Kind("broker-frozen", 30, "the broker stands still (SIGSTOP)", away="broker", grace_seconds=15, words=r"[Kk]afka|broker"),
    Kind("disk-full", 60, "no space for the logs, the models and the index, while a model is promoted",
         words=r"space|dropped|could not be written|cannot (write|keep)|log_lines"),
    Kind("database-disk-full", 60, "no space on PostgreSQL's disk", away="probe", grace_seconds=15,
         words=r"space|disk|database|PostgreSQL|connection|recovery"),
    Kind("clock-of-ingest", 40, "ingest's clock steps by 5 minutes and by an hour, back and forth", words=r"clock|future|time"),
    Kind("clock-of-service", 40, "the service's clock steps by 5 minutes and by an hour, back and forth", words=r"clock|future|time"),
    Kind("mass-deletion", 45, "hundreds of users are deleted at once", words=r"eras|delet"),
]


@dataclass
class Disturbance:
    """One disturbance of a run, in seconds since the run's start; what happened is filled in."""

    kind: Kind
    begin: float
    seconds: float
    round: int
    began: float = 0.0
    ended: float = 0.0
    note: str = ""


def calm_seconds(minutes):
    """
    Seconds without a disturbance before memory is measured: a role looks every 20 s whether it has freed memory to give back, so it is
    measured over two such looks, where the run is long enough for them.
    """
    return 45 if minutes >= 10 else 15


def plan(minutes, seed, only=None):
    """
    The disturbances, and the moments between which memory is measured: the mark (after five minutes; earlier in a short run) and the end.
    Around both it is calm. Every kind comes once in a round, in an order of its own (the first round begins with those that fill
    buffers); rounds follow until the time is used.

    - Returns: the disturbances, the mark, the seconds of calm before it and before the end, and all seconds.
    """
    total = minutes * 60
    kinds = [kind for kind in KINDS if only is None or kind.name in only]
    short = minutes < 20
    calm = calm_seconds(minutes)
    mark = total * 0.4 if minutes < 10 else 300
    end = total - calm
    gap = 3 if short else 10
    chance = random.Random(seed)
    # In a short run each kind has its share of the time, so that all of them come once; those that need more come before the shares.
    long = [kind for kind in kinds if kind.least_seconds]
    time_for_kinds = end - 2 * calm - CALM_AT_THE_BEGINNING_SECONDS - sum(kind.least_seconds + gap for kind in long)
    share = time_for_kinds / max(1, len(kinds) - len(long)) - gap
    disturbances, time, rounds, waiting = [], float(CALM_AT_THE_BEGINNING_SECONDS), 0, []
    while True:
        if not waiting:
            if short and rounds:
                break
            rounds += 1
            waiting = chance.sample(kinds, len(kinds))
            if rounds == 1:
                waiting.sort(key=lambda kind: kind.name not in FIRST)
        kind = waiting[0]
        seconds = kind.least_seconds or min(kind.seconds, max(4, share)) if short else kind.seconds
        if time < mark + 5 and time + seconds + gap > mark - calm:
            time = mark + 5
        if short and end - gap - time >= 4:
            seconds = max(kind.least_seconds, min(seconds, end - gap - time))
        if time + seconds + gap > end:
            break
        waiting.pop(0)
        disturbances.append(Disturbance(kind, time, seconds, rounds))
        time += seconds + (gap if short else max(gap, kind.grace_seconds))
    return disturbances, mark, calm, total
