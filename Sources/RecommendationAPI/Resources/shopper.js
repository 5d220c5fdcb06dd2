// One shopper: what they did, what is recommended to them, and how a click changes it. Looking is a preview; only a click that
// somebody chose to have stored changes anything.
import { ago, ask, element, look, price } from "/dashboard.js";

const byID = (id) => document.getElementById(id);
const count = 12;
const patience = 3000;
let userID = "";
let answer = null;

/** Offers ids that were seen lately; nobody's list is opened before somebody asks for it. */
export function offerShoppers(ids) {
  const list = byID("shopper-ids");
  if (list.dataset.ids === ids.join("\n")) return;
  list.dataset.ids = ids.join("\n");
  list.replaceChildren(...ids.map((id) => {
    const option = element("option");
    option.value = id;
    return option;
  }));
}

/** Connects the panel to its buttons. */
export function startShopper() {
  byID("shopper-form").addEventListener("submit", (event) => {
    event.preventDefault();
    choose(byID("shopper-id").value.trim());
  });
  byID("clicks-stored").addEventListener("change", () => {
    for (const button of byID("recommendations").querySelectorAll("button")) button.disabled = !storesClicks();
    say(hint());
  });
  byID("shopper-new").addEventListener("click", () => {
    const id = `visitor-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
    byID("shopper-id").value = id;
    choose(id);
  });
}

const storesClicks = () => byID("clicks-stored").checked;
const hint = () => (storesClicks()
  ? "Click a recommendation: it is stored as a real click, and the next answer takes it into account."
  : "Looking is a preview: nothing of it is stored or counted.");

function say(text) {
  byID("shopper-result").textContent = text;
}

async function choose(id) {
  if (!id) return;
  userID = id;
  try {
    const [recommended] = await Promise.all([recommendations(), showHistory()]);
    if (id !== userID) return;
    answer = recommended;
    showAnswer(recommended, null);
    say(hint());
  } catch (error) {
    say(error.message);
  }
}

function recommendations(watermark) {
  const query = { user_id: userID, n: count, details: "true", explain: "true" };
  if (watermark) query.wait = watermark;
  return look("/v1/recommendations", query);
}

async function showHistory(newItem) {
  let history = [];
  try {
    history = (await look(`/v1/users/${encodeURIComponent(userID)}`)).history;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  const rows = history.slice(0, 40).map((line, index) => {
    const row = element("li", index === 0 && line.item_id === newItem ? "new" : "");
    const title = element("span", "title", (line.details && line.details.title) || line.item_id);
    title.title = line.item_id;
    row.append(element("span", "what", line.type.replaceAll("_", " ")), title, element("span", "when", ago(line.timestamp)));
    return row;
  });
  byID("history").replaceChildren(...(rows.length ? rows : [element("li", "empty", "Nothing is known of this shopper yet.")]));
}

/** Shows an answer; with the one before it, marks what is new and what moved. */
function showAnswer(shown, before) {
  const places = new Map((before ? before.items : []).map((item, index) => [item.item_id, index]));
  byID("answer-meta").textContent = `${shown.model_version ? `model ${shown.model_version}` : "no model yet"} · ${shown.took_ms.toFixed(1)} ms`;
  const rows = shown.items.map((item, index) => {
    const details = item.details || {};
    const row = element("li");
    const button = element("button");
    button.type = "button";
    button.title = item.explanation || item.item_id;
    const title = element("span", "title", details.title || item.item_id);
    if (before) {
      const place = places.get(item.item_id);
      if (place !== index) row.className = "moved";
      if (place === undefined) title.prepend(element("span", "move", "new "));
      else if (place !== index) title.prepend(element("span", "move", place > index ? `↑${place - index} ` : `↓${index - place} `));
    }
    const sub = element("span", "sub");
    sub.append(element("span", `chip ${item.reason}`, item.reason), element("span", "", (details.categories || []).slice(0, 2).join(" · ")));
    button.append(element("span", "rank", index + 1), title, element("span", "price", price(details)), sub, element("span", "score", item.score.toFixed(3)));
    button.disabled = !storesClicks();
    button.addEventListener("click", () => click(item));
    row.append(button);
    return row;
  });
  const why = (shown.warnings || []).map((warning) => warning.detail).join("; ");
  byID("recommendations").replaceChildren(...(rows.length ? rows : [element("li", "empty", `Nothing to recommend${why ? `: ${why}` : ""}.`)]));
}

const order = (list) => list.items.map((item) => item.item_id).join("\n");

/** Stores a click on an item, where that was chosen, and asks again until the answer differs. */
async function click(item) {
  if (!storesClicks()) return;
  const before = answer;
  const shopper = userID;
  const name = (item.details && item.details.title) || item.item_id;
  const began = performance.now();
  say(`Storing a click on ${name}…`);
  try {
    const taken = await ask("/v1/events", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        event_id: crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`, type: "click", user_id: shopper,
        item_id: item.item_id, timestamp: Date.now(), context: { source: "dashboard" },
      }),
    });
    if (taken.rejected) throw new Error(taken.errors[0].detail);
    const acknowledged = performance.now() - began;
    let next = before;
    while (shopper === userID && performance.now() - began < patience) {
      next = await recommendations(taken.watermark);
      if (order(next) !== order(before)) break;
      await new Promise((resume) => setTimeout(resume, 40));
    }
    if (shopper !== userID) return;
    const elapsed = Math.round(performance.now() - began);
    answer = next;
    showAnswer(next, before);
    say(order(next) === order(before)
      ? `Stored a click on ${name}: taken after ${Math.round(acknowledged)} ms; the answer is the same after ${elapsed} ms.`
      : `Stored a click on ${name}: a changed answer after ${elapsed} ms (acknowledged after ${Math.round(acknowledged)} ms).`);
    await showHistory(item.item_id);
  } catch (error) {
    say(error.message);
  }
}
