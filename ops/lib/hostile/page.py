"""The judgement with plots of memory and latency over time, as one HTML file without scripts."""
import collections
import html

from .judge import outages, quantile, read_answers

WIDTH, HEIGHT = 1200, 180
COLOURS = {"serve": "#1f6feb", "ingest": "#d1242f", "undisturbed": "#8c959f"}


def line(points, colour, most, span):
    text = " ".join(f"{x / span * WIDTH:.1f},{HEIGHT - min(1, y / most) * (HEIGHT - 10):.1f}" for x, y in points)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{text}"/>'


def shades(disturbances, spans, start, span):
    """Disturbances in grey with their names as titles, outages of the database in yellow."""
    parts = []
    for each in disturbances:
        parts.append(
            f'<rect x="{(each.began - start) / span * WIDTH:.1f}" y="0" width="{max(1, (each.ended - each.began) / span * WIDTH):.1f}"'
            f' height="{HEIGHT}" fill="#8884"><title>{each.kind.name}: {html.escape(each.note)}</title></rect>')
    for begin, end in spans:
        parts.append(
            f'<rect x="{(begin - start) / span * WIDTH:.1f}" y="0" width="{(end - begin) / span * WIDTH:.1f}" height="8" fill="#f5c400"/>')
    return "".join(parts)


def plot(title, most, unit, lines, background, minutes):
    ticks = "".join(
        f'<text x="{minute / minutes * WIDTH:.0f}" y="{HEIGHT + 14}" font-size="10">{minute}′</text>'
        for minute in range(0, int(minutes) + 1, max(1, int(minutes // 12))))
    return (
        f'<h3>{title}</h3><svg viewBox="0 -4 {WIDTH} {HEIGHT + 22}" width="100%">{background}{"".join(lines)}{ticks}'
        f'<text x="2" y="10" font-size="11">{most:.0f} {unit}</text></svg>')


def write(path, world, watch, disturbances, seen, rows, text):
    start, span = seen["start"], seen["finish"] - seen["start"]
    background = shades(disturbances, outages(disturbances, watch, "database"), start, span)
    mark = (seen["mark"] - start) / span * WIDTH
    background += f'<line x1="{mark}" x2="{mark}" y1="0" y2="{HEIGHT}" stroke="#000"/>'
    plots = []
    for role, colour in COLOURS.items():
        samples = [(moment - start, kib / 1024) for moment, name, _, kib, *_ in watch.memory if name == role]
        points = [(second, mebibytes) for second, mebibytes in samples if 0 <= second <= span]
        most = max((y for _, y in points), default=1) * 1.1
        plots.append(plot(f"RssAnon of {role}", most, "MiB", [line(points, colour, most, span)], background, span / 60))
    seconds, errors = collections.defaultdict(list), collections.Counter()
    for moment, _, milliseconds, problem in read_answers(f"{world.output}/answers.tsv"):
        seconds[int(moment - start)].append(milliseconds)
        errors[int(moment - start)] += bool(problem)
    for title, share in (("half of the answers within", 0.5), ("99 of 100 answers within", 0.99)):
        points = [(second, quantile(values, share)) for second, values in sorted(seconds.items()) if 0 <= second <= span]
        most = max((y for _, y in points), default=1) * 1.1
        plots.append(plot(f"{title}, by second", most, "ms", [line(points, "#1a7f37", most, span)], background, span / 60))
    points = [(second, errors[second]) for second in sorted(seconds) if 0 <= second <= span]
    most = max(1, max((y for _, y in points), default=1))
    title = "honest clients' errors by second (yellow: outages)"
    plots.append(plot(title, most, "", [line(points, "#d1242f", most, span)], background, span / 60))
    table = "".join(
        f'<tr><td style="color:{"#1a7f37" if row.held else "#d1242f"}">{"held" if row.held else "FAILED"}</td>'
        f"<td>{html.escape(row.what)}</td>"
        f"<td>{html.escape(row.seen).replace(chr(10), '<br>')}</td></tr>" for row in rows)
    with open(path, "w", encoding="utf-8") as file:
        file.write(
            '<!doctype html><meta charset="utf-8"><title>A hostile run</title><style>body{font:14px sans-serif;margin:2em;max-width:1300px}'
            "td{vertical-align:top;padding:3px 10px;border-top:1px solid #ddd;overflow-wrap:anywhere}pre{white-space:pre-wrap}</style>"
            f"<h1>A hostile run</h1>{''.join(plots)}<table>{table}</table><pre>{html.escape(text)}</pre>")
