"""What must hold after a hostile run, as rows: what was asked, what was seen, whether it held."""
import collections
import json
import re
import statistics
import time
from dataclasses import dataclass

from .compare import LEFT_OUT
from .plan import calm_seconds

MEMORY_SHARE = 1.10
LOST_LINES = "freshet_log_lines_dropped_total"
RULE = (
    "An outage is only the time in which the harness itself keeps PostgreSQL out of the service's reach (silent, frozen, or, with a\n"
    "full disk, not answering a probe beside the roles), until {grace} s after it is back; for POST /v1/events the time in which the\n"
    "broker stands still, likewise. Backends that are killed, connections that are cut, floods, full disks of logs and models, clocks,\n"
    "swaps and deletions are no outage.")


# Metrics that move by what the harness itself asks.
NOT_OF_IT = re.compile(r'route="/(readyz|healthz|metrics|v1/stats|v1/models)')


@dataclass
class Row:
    what: str
    seen: str
    held: bool


def outages(disturbances, watch, away):
    """Spans of time in which `away` could not be reached, the grace afterwards included."""
    spans = []
    for each in disturbances:
        kind = each.kind
        if kind.away == away:
            spans.append((each.began, each.ended + kind.grace_seconds))
        if kind.away == "probe" and away == "database":
            spans += [(begin - 1, end + kind.grace_seconds) for begin, end in watch.unreachable if each.began <= begin <= each.ended + 60]
    return spans


def within(moment, spans):
    return any(begin <= moment <= end for begin, end in spans)


def during(moment, disturbances):
    """The disturbance that began last before the moment: whose doing it probably is."""
    name = "before any"
    for each in disturbances:
        if each.began and each.began <= moment:
            name = each.kind.name if moment <= each.ended else f"after {each.kind.name}"
    return name


def read_answers(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        next(file)
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 4:
                yield float(fields[0]), fields[1], float(fields[2]), fields[3]


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def processes(world, seen):
    rows = []
    for role in world.roles.values():
        ends = "; ".join(f"{time.strftime('%H:%M:%S', time.gmtime(moment))} UTC pid {pid}: {status}" for moment, pid, status in role.ends)
        status = seen["statuses"].get(role.name)
        words = f"ended: {ends}" if ends else f"pid {role.pid} from start to end, status {status} when asked to end"
        rows.append(Row(f"the process of {role.name} never ends", words, not ends and status == 0))
    if world.broker.returncode not in (0, -15):
        rows.append(Row("the harness's own broker", f"ended with status {world.broker.returncode}", False))
    return rows


def honest(world, watch, disturbances):
    spans, answers, errors = outages(disturbances, watch, "database"), list(read_answers(f"{world.output}/answers.tsv")), []
    excused = 0
    for moment, kind, _, problem in answers:
        if problem and within(moment, spans):
            excused += 1
        elif problem:
            errors.append((during(moment, disturbances), kind, problem))
    inside = sum(within(moment, spans) for moment, *_ in answers)
    times = [milliseconds for moment, _, milliseconds, problem in answers if not problem and not within(moment, spans)]
    words = f"{len(errors)} of {len(answers) - inside} questions outside outages" + f" (within: {excused} of {inside})"
    by_cause = collections.Counter((name, problem.split(" {")[0]) for name, _, problem in errors)
    words += "".join(f"\n{name}: {count} × {problem[:80]}" for (name, problem), count in by_cause.most_common(12))
    rows = [Row("honest clients' errors", words, not errors and bool(answers))]
    words = ", ".join(f"p{share * 100:g} {quantile(times, share):.0f} ms" for share in (0.5, 0.9, 0.99))
    words += f", longest {max(times, default=0):.0f} ms"
    return rows, words


def posts(world, watch, disturbances):
    spans, errors, excused = outages(disturbances, watch, "broker"), collections.Counter(), 0
    with open(f"{world.output}/posts.tsv", encoding="utf-8", errors="replace") as file:
        next(file)
        for line in file:
            moment, status, what = line.rstrip("\n").split("\t")[:3]
            if within(float(moment), spans):
                excused += 1
            else:
                errors[(during(float(moment), disturbances), f"{status} {what[:60]}")] += 1
    words = f"{sum(errors.values())} outside outages of the broker (within: {excused})"
    words += "".join(f"\n{name}: {count} × {problem}" for (name, problem), count in errors.most_common(8))
    return Row("POST /v1/events that had to be sent again", words, not errors)


def readiness(watch, disturbances):
    spans, wrong = outages(disturbances, watch, "database"), collections.Counter()
    asked = 0
    for moment, status, body in watch.readiness:
        if not within(moment, spans):
            asked += 1
            if status != 200:
                wrong[(during(moment, disturbances), f"{status} {unready(body)}")] += 1
    words = f"not ready {sum(wrong.values())} of {asked} times outside outages"
    words += "".join(f"\n{name}: {count} × {problem}" for (name, problem), count in wrong.most_common(8))
    return Row("/readyz says ready where answers are given", words, not wrong)


def unready(body):
    try:
        parts = [part for part in json.loads(body)["parts"] if not part.get("ready", True)]
        return "; ".join(f"{part['name']}: {part.get('detail', '')}" for part in parts)[:150]
    except (ValueError, KeyError, TypeError, AttributeError):
        return body[:100].replace("\n", " ")


def memory(world, watch, seen):
    rows = []
    for role in world.roles.values():
        if role.name == "undisturbed":
            continue
        span = calm_seconds(world.options.minutes) - 3
        at = [kib for moment, name, _, kib, *_ in watch.memory if name == role.name and seen["mark"] - span <= moment <= seen["mark"]]
        end = [kib for moment, name, _, kib, *_ in watch.memory if name == role.name and seen["finish"] - span <= moment <= seen["finish"]]
        most = max((kib for _, name, _, kib, *_ in watch.memory if name == role.name), default=0)
        if not at or not end:
            rows.append(Row(f"RssAnon of {role.name}", "too few samples", False))
            continue
        first, last = statistics.median(at), statistics.median(end)
        words = f"{first / 1024:.1f} MiB at the mark, {last / 1024:.1f} MiB at the end ({last / first - 1:+.1%})"
        calm = [kib for moment, name, _, kib, *_ in watch.memory if name == role.name][0]
        words += f", {calm / 1024:.1f} MiB before the first disturbance, at most {most / 1024:.1f} MiB"
        held = last <= first * MEMORY_SHARE and not role.ends
        rows.append(Row(f"RssAnon of {role.name} at the end within 10 % of the mark", words, held))
    return rows


def lost_lines(watch, disturbances):
    """Of each time the logs' disk was full the service's log says afterwards how many lines were lost, and the metric says the same."""
    words, held = [], True
    for place, each in enumerate(disturbances):
        if each.kind.name != "disk-full":
            continue
        end = disturbances[place + 1].began if place + 1 < len(disturbances) else each.ended + 5
        told, sentence = watch.lost_lines("serve", each.began, end)
        counted = watch.value(LOST_LINES, end) - watch.value(LOST_LINES, each.began)
        held = held and told == counted > 0
        words.append(f"{told} by its log, {counted:g} by {LOST_LINES}" + (f": {sentence}" if sentence else ""))
    return [Row("serve says how many lines a full disk has cost", "\n".join(words), held)] if words else []


def tables(world, seen):
    results, others = seen["tables"]
    rows = []
    for table, left, right, only_left, only_right, examples in results:
        words = f"{left} rows beside {right}" + (f", {only_left} and {only_right} of them in one only" if only_left or only_right else "")
        words += "".join(f"\n{example[:180]}" for example in examples[:4])
        if table == "dead_letters":
            words += f"\n{seen['dead_letters']}"
        rows.append(Row(f"{table} equal to the undisturbed run's", words, not only_left and not only_right))
    if seen["caught_up"] is None:
        rows.insert(0, Row("ingest catches up", "it had not, four minutes after the stream's end", False))
    if "sent" in seen:
        sent = seen["sent"]
        words = f"{sent['expected']} sent; {sent['missing']} missing, {sent['unexpected']} not sent so, {sent['twice']} stored twice"
        unsent = seen["told"]["stream"]["unsent_batches"]
        rows.append(Row("every event that was sent is stored once", words + (f", {unsent} batches never taken" if unsent else ""),
                        not (sent["missing"] or sent["unexpected"] or sent["twice"] or unsent)))
        left = ", ".join(f"{count} in {table}" for table, count in sent["left_of_the_deleted"].items() if count)
        waves = "; ".join(f"{each['taken']} of {each['users']} in {each['seconds']} s" for each in world.erasures)
        rows.append(Row("nothing is left of deleted users", f"{left or 'nothing'} ({waves or 'no deletions'})",
                        not left and all(each["taken"] == each["users"] and not each["left"] for each in world.erasures)))
    else:
        rows.append(Row("every event that was sent is stored once", f"the stream failed: {seen['told']['stream'].get('failed')}", False))
    words = ", ".join(f"{name}: {LEFT_OUT.get(name, 'not of the records')}" for name in others)
    rows.append(Row("(tables that are not compared)", words, True))
    return rows


def told(watch, disturbances, start, first):
    """For each kind of disturbance what an operator saw, the log first; one true sentence is enough."""
    usual = {form for form, _, _ in watch.sentences(0, first)}
    usual_metrics = watch.moved(start, first)
    usual_parts = {part for moment, _, body in watch.readiness if moment < first for part in parts(body)}
    usual_strings = {string for moment, words in watch.statistics if moment < first for string in words}
    rows = []
    for name in dict.fromkeys(each.kind.name for each in disturbances):
        found = collections.Counter()
        for place, each in enumerate(disturbances):
            kind = each.kind
            if kind.name != name:
                continue
            following = disturbances[place + 1].began if place + 1 < len(disturbances) else each.ended + 5
            end, words = each.ended + kind.grace_seconds if kind.grace_seconds else min(following, each.ended + 5), re.compile(kind.words)
            # What was to be seen just before is of something else.
            earlier = usual_parts | {
                part for moment, _, body in watch.readiness if each.began - 5 <= moment < each.began for part in parts(body)}
            for _, text, count in watch.sentences(each.began, end, usual):
                if words.search(text):
                    found[(0, text[:220])] += count
            for moment, status, body in watch.readiness:
                for part in parts(body) - earlier if status and each.began <= moment <= end else ():
                    if words.search(part):
                        found[(1, f"/readyz {status}: {part[:150]}")] += 1
            before = set().union(*(said for moment, said in watch.statistics if each.began - 7 <= moment < each.began), usual_strings)
            for moment, said in watch.statistics:
                for string in said - before if each.began <= moment <= end else ():
                    if words.search(string):
                        found[(2, f"/v1/stats: {string[:150]}")] += 1
            for metric, (low, high) in watch.moved(each.began, end).items():
                if not words.search(metric) or NOT_OF_IT.search(metric):
                    continue
                if is_news(metric, low, high, usual_metrics, end - each.began, first - start):
                    found[(3, f"{metric} {low:g} → {high:g}")] += 1
        best = sorted(found.items(), key=lambda each: (each[0][0], -each[1]))
        seen = "\n".join(f"{text}" + (f" (× {count})" if count > 1 else "") for (_, text), count in best[:3])
        rows.append(Row(f"an operator is told of {name}", seen or "nothing", bool(seen)))
    return rows


def is_news(metric, low, high, usual, seconds, usual_seconds):
    """
    Whether a metric tells more than the calm before did: one that did not move then, a gauge far above what it was, or a count that rises
    far faster than it did.
    """
    if metric not in usual:
        return True
    usual_low, usual_high = usual[metric]
    if re.search(r"_(total|sum|count|bucket)(\{|$)", metric):
        return (high - low) / max(1, seconds) > 10 * (usual_high - usual_low) / max(1, usual_seconds)
    return high > 4 * max(1, usual_high)


def parts(body):
    """What /readyz says of each part, numbers taken out."""
    try:
        found = json.loads(body)["parts"]
        return {re.sub(r"\d+", "N", f"{part['name']}: {part.get('detail', '')}") for part in found}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {body[:150].strip()}


def judge(world, watch, disturbances, seen):
    """The rows, and the whole as text."""
    first = next((each.began for each in disturbances), seen["finish"])
    rows, latency = honest(world, watch, disturbances)
    rows = processes(world, seen) + rows + [posts(world, watch, disturbances), readiness(watch, disturbances)]
    rows += memory(world, watch, seen) + tables(world, seen)
    done = [each for each in disturbances if not each.note.startswith("left out")]
    left_out = [each for each in disturbances if each.note.startswith("left out")]
    rows += told(watch, done, seen["start"], first) + lost_lines(watch, done)
    missed = [f"{each.kind.name} {each.note}" for each in left_out] + [f"{name}: no time was left" for name in seen["missed"]]
    if missed:
        rows.append(Row("every disturbance was made", "; ".join(missed), False))
    if seen["watch_failed"]:
        rows.append(Row("the harness itself", "; ".join(seen["watch_failed"]), False))
    swaps = collections.Counter(words for _, words in world.swaps)
    lines = ["", f"{(seen['finish'] - seen['start']) / 60:.1f} minutes, seed {world.options.seed}, {world.options.events} events/s,"
             f" {world.options.requests} honest questions/s; {latency}",
             "model swaps: " + ", ".join(f"{words} × {count}" for words, count in swaps.most_common()),
             f"PostgreSQL started {world.postgres.starts} times; unreachable by probe {len(watch.unreachable)} times", "",
             RULE.format(grace="15 to 30"), ""]
    for each in disturbances:
        began = each.began - seen["start"]
        lines.append(f"{began // 60:3.0f}:{began % 60:02.0f}  {each.ended - each.began:4.0f} s  {each.kind.name:20} {each.note}")
    lines.append("")
    for row in rows:
        first_line, *more = row.seen.split("\n")
        lines += [f"{'held' if row.held else 'FAILED':8}{row.what}: {first_line}", *(f"{'':12}{line}" for line in more)]
    failed = sum(not row.held for row in rows)
    lines += ["", f"{len(rows) - failed} of {len(rows)} held" if failed else f"all {len(rows)} held"]
    return rows, "\n".join(lines) + "\n"
