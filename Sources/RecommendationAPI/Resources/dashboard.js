// Reads the statistics every second and shows them. All figures come from the service.
import { compact, drawDonut, drawRate, share } from "/charts.js";
import { offerShoppers, startShopper } from "/shopper.js";

const byID = (id) => document.getElementById(id);
const keyName = "freshet-api-key";

/** Makes an element with a class and text. */
export function element(name, className, text) {
  const node = document.createElement(name);
  if (className) node.className = className;
  if (text !== undefined && text !== null) node.textContent = text;
  return node;
}

/** Asks for what only this page looks at: marked as a preview, so that nothing of it is stored or counted. */
export function look(path, parameters = {}) {
  return ask(`${path}?${new URLSearchParams({ ...parameters, preview: "true" })}`);
}

/** Asks the service; throws an error with the problem's own words. */
export async function ask(path, options = {}) {
  const headers = { ...options.headers };
  const key = sessionStorage.getItem(keyName);
  if (key) headers["X-API-Key"] = key;
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  const isJSON = (response.headers.get("content-type") || "").includes("json");
  const body = isJSON ? await response.json() : null;
  if (!response.ok) {
    const error = new Error((body && body.detail) || `${response.status} ${response.statusText}`);
    error.status = response.status;
    throw error;
  }
  return body;
}

/** How long ago, in few letters. */
export function ago(time) {
  const seconds = Math.max(0, (Date.now() - Date.parse(time)) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

/** A price with its currency. */
export function price(details) {
  if (!details || details.price === undefined) return "";
  if (!details.currency) return details.price.toFixed(2);
  try {
    return new Intl.NumberFormat("en", { style: "currency", currency: details.currency }).format(details.price);
  } catch {
    return `${details.price.toFixed(2)} ${details.currency}`;
  }
}

function figure(id, value, unit) {
  const node = byID(id);
  node.textContent = value;
  if (unit && value !== "–") node.append(element("small", "", unit));
}

const milliseconds = (value) => (value === null ? "–" : value < 10 ? value.toFixed(2) : Math.round(value).toString());

function fill(id, rows, emptyText) {
  byID(id).replaceChildren(...(rows.length ? rows : [element("li", "empty", emptyText)]));
}

function bars(id, rows, emptyText) {
  const top = Math.max(...rows.flatMap((row) => [row.value, row.other ?? 0]), 0);
  fill(id, rows.map((row) => {
    const item = element("li");
    const track = element("span", "track");
    const bar = element("span", "bar");
    bar.style.width = `${top ? (100 * row.value) / top : 0}%`;
    track.append(bar);
    if (row.other !== undefined) {
      const other = element("span", "bar other");
      other.style.width = `${top ? (100 * row.other) / top : 0}%`;
      track.append(other);
      item.title = `${row.name}: ${row.text}; popularity ${row.other.toFixed(4)}`;
    }
    item.append(element("span", "name", row.name), track, element("span", "value", row.text));
    return item;
  }), emptyText);
}

function showHeader(stats) {
  const parts = stats.parts.map((part) => {
    const item = element("li", part.ready ? "" : "down", part.ready ? part.name : `${part.name}: ${part.detail}`);
    item.title = part.reason ? `${part.detail}: ${part.reason}` : part.detail;
    return item;
  });
  if (stats.ingest.lag !== null) parts.push(element("li", "plain", `lag ${compact(stats.ingest.lag)}`));
  byID("parts").replaceChildren(...parts);
  byID("clock").textContent = new Date(stats.time).toLocaleString();
}

const loading = "Loading…";

function showEvents(events, isCounted) {
  byID("events-rate").textContent = compact(events.per_second);
  drawRate(byID("events-plot"), events.series);
  const names = { impression: "Impressions", click: "Clicks", add_to_cart: "Added to cart", purchase: "Purchases", return: "Returns" };
  const cells = [["Events in all", isCounted ? events.total : null], ...Object.keys(names).filter((name) => name in events.by_type).map((name) => [names[name], events.by_type[name]])];
  byID("event-types").replaceChildren(...cells.map(([name, count]) => {
    const cell = element("div");
    cell.append(element("dt", "", name), element("dd", "", count === null ? "…" : compact(count)));
    return cell;
  }));
}

function showServing(serving) {
  byID("serving-total").textContent = compact(serving.requests);
  figure("serving-rate", compact(serving.per_second));
  figure("serving-p50", milliseconds(serving.p50_ms), "ms");
  figure("serving-p99", milliseconds(serving.p99_ms), "ms");
  const parts = Object.entries(serving.reasons).sort((a, b) => b[1] - a[1]);
  const total = parts.reduce((sum, part) => sum + part[1], 0);
  drawDonut(byID("reasons-donut"), parts);
  const rows = parts.map(([name, count]) => {
    const item = element("li");
    item.append(element("span", `dot ${name}`), element("span", "", name), element("b", "", share(count, total)));
    return item;
  });
  if (serving.cold_share !== null) {
    const item = element("li", "note");
    item.append(element("span", "", "to unknown users"), element("b", "", share(serving.cold_share, 1)));
    rows.push(item);
  }
  fill("reasons-legend", rows, "No answer yet.");
}

function showRefusals(refusals) {
  const isRow = refusals !== null && refusals.in_a_row > 0;
  byID("refusals").hidden = !isRow;
  if (!isRow) return;
  const which = refusals.in_a_row === 1 ? "The gate refused the newest training" : `The gate refused the ${refusals.in_a_row} newest trainings`;
  const newest = `Version ${refusals.version}, ${ago(refusals.at)}: ${refusals.reason}`;
  byID("refusals").textContent = `${which}, so what served before goes on. ${newest}`;
}

function showModel(model, training) {
  byID("model-note").textContent = model
    ? `version ${model.version}${model.counter ? `, a counter: ${model.counter}` : model.preset ? `, ${model.preset}` : ""}${model.promoted_at ? `, promoted ${ago(model.promoted_at)}` : ""}`
    : "none is promoted yet: answers are trending and fresh items";
  bars("metric-bars", model ? Object.entries(model.metrics).map(([name, value]) => ({
    name, value, text: value.toFixed(4), other: model.popularity_metrics[name],
  })) : [], model ? "This version was not judged." : "No metrics before the first training.");
  byID("training").hidden = !training;
  if (training) {
    const parts = [`${training.phase}, epoch ${training.epoch} of ${training.epochs}`];
    if (training.loss !== null) parts.push(`loss ${training.loss.toFixed(4)}`);
    if (training.examples_per_second !== null) parts.push(`${compact(training.examples_per_second)} examples/s`);
    byID("training-text").textContent = parts.join(" · ");
    byID("training-share").textContent = share(training.fraction, 1);
    byID("training-progress").value = training.fraction;
  }
}

function showRest(stats) {
  figure("items-total", compact(stats.catalogue.items));
  figure("items-fresh", compact(stats.catalogue.fresh));
  const exploration = stats.catalogue.exploration;
  figure("items-exploring", exploration.every_slots === 0 ? "off"
    : `${compact(exploration.items)} · ${compact(exploration.impressions)} shown`);
  const isCounted = stats.counted_at !== null;
  figure("users-total", isCounted ? compact(stats.users) : "…");
  figure("lag", compact(stats.ingest.lag));
  figure("committed", compact(stats.ingest.committed_offset_total));
  fill("newest", stats.catalogue.newest.slice(0, 8).map((item) => {
    const row = element("li");
    const title = element("span", "grow", item.title || item.item_id);
    title.title = item.categories.join(", ");
    row.append(title, element("span", "when", ago(item.published_at || item.added_at)));
    return row;
  }), isCounted ? "The catalogue is empty." : loading);
  const letters = Object.entries(stats.ingest.dead_letters).sort((a, b) => b[1] - a[1]);
  bars("dead-letters", letters.map(([name, value]) => ({ name: name.replaceAll("_", " "), value, text: compact(value) })), isCounted ? "None: every record was accepted." : loading);
  fill("activity", stats.activity.slice(0, 12).map((entry) => {
    const row = element("li");
    row.append(element("span", "kind", entry.kind), element("span", "grow", entry.text), element("span", "when", ago(entry.time)));
    return row;
  }), "Nothing has happened yet.");
}

let shownVersion;
let listedAt = 0;

async function showVersions() {
  const { models } = await look("/v1/models");
  listedAt = Date.now();
  fill("versions", models.slice(0, 6).map((model) => {
    const row = element("li");
    const when = element("span", "grow", model.created_at ? ago(model.created_at) : "");
    when.title = model.note || "";
    row.append(element("span", "number", `v${model.version}`), element("span", `chip ${model.status}`, model.status), when);
    if (!model.promoted) row.append(promotion(model));
    if (model.counter) row.append(element("span", "why", `A counter: ${model.counter}`));
    const how = model.status === "refused" ? "Refused by the gate" : "Refused by the gate, promoted all the same";
    if (isRefused(model)) row.append(element("span", "why", `${how}: ${reason(model)}`));
    return row;
  }), "No version yet.");
  byID("rollback").disabled = models.length < 2;
}

const isRefused = (model) => model.refusal !== undefined;
const reason = (model) => model.refusal || "no reason was kept";

/** The button that makes a version serve. One that the gate refused is another button, and its question names the reason. */
function promotion(model) {
  const refused = isRefused(model);
  const button = element("button", refused ? "danger small" : "quiet small", refused ? "Promote anyway…" : "Promote");
  button.type = "button";
  button.setAttribute("aria-label", refused ? `Promote version ${model.version}, which the gate refused` : `Promote version ${model.version}`);
  button.addEventListener("click", () => change(`/v1/models/${model.version}/promote${refused ? "?force=true" : ""}`, refused
    ? `The gate refused version ${model.version}: ${reason(model)}.\n\nServe it all the same?`
    : `Serve version ${model.version}?`));
  return button;
}

async function change(path, question) {
  if (!window.confirm(question)) return;
  const result = byID("model-result");
  try {
    const model = await ask(path, { method: "POST" });
    result.textContent = `Version ${model.version} serves now.`;
    await showVersions();
  } catch (error) {
    result.textContent = error.message;
    // What the gate refused, or cannot be read, serves only where somebody says so twice.
    if (error.status === 409 && !path.includes("force=") && error.message.includes("with force")) {
      await change(`${path}?force=true`, `${error.message}\n\nServe it all the same?`);
    }
  }
}

function show(stats) {
  showHeader(stats);
  showEvents(stats.events, stats.counted_at !== null);
  showServing(stats.serving);
  showModel(stats.model, stats.training);
  showRefusals(stats.refusals);
  showRest(stats);
  offerShoppers(stats.recent_users);
  const version = stats.model ? stats.model.version : 0;
  if (version !== shownVersion || Date.now() - listedAt > 15000) {
    shownVersion = version;
    listedAt = Date.now();
    showVersions().catch((error) => { byID("model-result").textContent = error.message; });
  }
}

async function refresh() {
  const connection = byID("connection");
  try {
    show(await look("/v1/stats"));
    connection.textContent = "live";
    connection.className = "connection";
  } catch (error) {
    connection.textContent = error.status === 401 ? "needs an API key" : `no figures: ${error.message}`;
    connection.className = "connection down";
  }
  setTimeout(refresh, document.hidden ? 5000 : 1000);
}

byID("rollback").addEventListener("click", () => change("/v1/models/rollback", "Serve the version before this one again?"));
byID("key-button").addEventListener("click", () => {
  byID("key-input").value = sessionStorage.getItem(keyName) || "";
  byID("key-dialog").returnValue = "";
  byID("key-dialog").showModal();
});
byID("key-cancel").addEventListener("click", () => byID("key-dialog").close("cancel"));
byID("key-dialog").addEventListener("close", () => {
  if (byID("key-dialog").returnValue !== "save") return;
  sessionStorage.setItem(keyName, byID("key-input").value.trim());
  listedAt = 0;
});
startShopper();
refresh();
