// The two drawings of the page: a rate over time and shares of a whole.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A round number at or above `value`, for the top of an axis. */
function roundUp(value) {
  if (value <= 5) return 5;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * unit).find((top) => top >= value);
}

/** Draws [[second, count], …] as an area over the last `span` seconds. */
export function drawRate(canvas, series, span = 600) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "11px system-ui, sans-serif";
  const peak = roundUp(Math.max(1, ...series.map((point) => point[1])));
  const left = Math.max(44, Math.ceil(pen.measureText(compact(peak)).width) + 12), right = width - 4, top = 10, bottom = height - 22;
  const last = series.length ? series[series.length - 1][0] : 0;
  const x = (second) => right - ((last - second) / (span - 1)) * (right - left);
  const y = (count) => bottom - (count / peak) * (bottom - top);

  pen.textBaseline = "middle";
  pen.fillStyle = colour("--soft");
  pen.strokeStyle = colour("--line");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  for (let step = 0; step <= 4; step++) {
    const level = (peak / 4) * step;
    const at = Math.round(y(level)) + 0.5;
    pen.beginPath();
    pen.moveTo(left, at);
    pen.lineTo(right, at);
    pen.stroke();
    if (step % 2 === 0) pen.fillText(compact(level), left - 8, at);
  }
  pen.textAlign = "center";
  for (const minutes of width > 480 ? [10, 8, 6, 4, 2] : [10, 5]) {
    const at = x(last - minutes * 60);
    if (at >= left - 2) pen.fillText(`−${minutes} min`, Math.max(at, left + 16), height - 8);
  }
  pen.textAlign = "right";
  pen.fillText("now", right, height - 8);
  if (!series.length) return;

  const points = series.filter((point) => last - point[0] < span);
  const outline = () => {
    pen.beginPath();
    points.forEach(([second, count], index) => {
      if (index) pen.lineTo(x(second), y(count));
      else pen.moveTo(x(second), y(count));
    });
  };
  const accent = colour("--accent");
  const fill = pen.createLinearGradient(0, top, 0, bottom);
  fill.addColorStop(0, `${accent}55`);
  fill.addColorStop(1, `${accent}08`);
  outline();
  pen.lineTo(x(points[points.length - 1][0]), bottom);
  pen.lineTo(x(points[0][0]), bottom);
  pen.closePath();
  pen.fillStyle = fill;
  pen.fill();
  outline();
  pen.strokeStyle = accent;
  pen.lineWidth = 1.5;
  pen.lineJoin = "round";
  pen.stroke();
}

const svgNode = (name, attributes) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
};

/** Draws shares as a ring; `parts` is [[name, count], …] and colours come from `--name`. */
export function drawDonut(place, parts) {
  const total = parts.reduce((sum, part) => sum + part[1], 0);
  const label = parts.map(([name, count]) => `${name} ${share(count, total)}`).join(", ");
  const svg = svgNode("svg", { viewBox: "0 0 128 128", role: "img", "aria-label": label || "no items yet" });
  const radius = 50, length = 2 * Math.PI * radius;
  svg.append(svgNode("circle", { cx: 64, cy: 64, r: radius, fill: "none", stroke: colour("--faint"), "stroke-width": 16 }));
  let start = 0;
  for (const [name, count] of parts) {
    const size = total ? (count / total) * length : 0;
    if (size <= 0) continue;
    const gap = parts.length > 1 ? Math.min(2, size / 2) : 0;
    svg.append(svgNode("circle", {
      cx: 64, cy: 64, r: radius, fill: "none", stroke: colour(`--${name}`), "stroke-width": 16,
      "stroke-dasharray": `${size - gap} ${length - size + gap}`, "stroke-dashoffset": -start,
      transform: "rotate(-90 64 64)",
    }));
    start += size;
  }
  const number = svgNode("text", { x: 64, y: 65, "text-anchor": "middle" });
  number.textContent = compact(total);
  const unit = svgNode("text", { x: 64, y: 79, "text-anchor": "middle", class: "small" });
  unit.textContent = "items shown";
  svg.append(number, unit);
  place.replaceChildren(svg);
}

/** 12,345,678 as 12.3M. */
export function compact(value) {
  if (value === null || value === undefined) return "–";
  return new Intl.NumberFormat("en", { notation: value >= 100000 ? "compact" : "standard", maximumFractionDigits: value < 10 ? 1 : value >= 100000 ? 2 : 0 }).format(value);
}

/** A share in per cent. */
export function share(count, total) {
  return total ? `${((100 * count) / total).toFixed(count / total < 0.1 ? 1 : 0)}%` : "–";
}
