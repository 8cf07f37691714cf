"use strict";

const SVG = "http://www.w3.org/2000/svg";
const POLL_MS = 1000;
const BOX = { w: 160, h: 66 };
const PLACES = {
  buyers: [0, 60], storefront: [200, 60], "checkout-stable": [400, 14], "checkout-candidate": [400, 106],
  payments: [600, 60], bank: [800, 14], "bank-backup": [800, 106], database: [400, 212],
};
const TITLES = {
  buyers: "buyers", storefront: "storefront", "checkout-stable": "checkout stable", "checkout-candidate": "checkout candidate",
  payments: "payments", bank: "bank", "bank-backup": "backup bank", database: "PostgreSQL",
};

const byId = (id) => document.getElementById(id);
let busy = new Set();

function element(tag, options = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(options)) {
    if (key in made) made[key] = value; else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function shape(tag, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

/** How one service is: an alert that pages is worse than one that warns, or than not being ready. */
function health(shop, service, ready) {
  const own = (shop.alerts ?? []).filter((alert) => alert.service === service);
  if (own.some((alert) => alert.severity === "page")) return "bad";
  return own.length || !ready ? "warn" : "well";
}

/** Every box of the map: its state and the line under its name. */
function boxes(shop) {
  const found = {};
  const recent = shop.load.recent;
  found.buyers = { state: recent.error_ratio > 0.05 ? "bad" : "well", note: `${shop.load.rate_per_s} a second` };
  for (const name of ["storefront", "payments", "bank", "bank-backup"]) {
    const unit = shop.processes[name];
    found[name] = { state: health(shop, name, unit.ready), note: unit.version };
  }
  for (const slot of ["stable", "candidate"]) {
    const unit = shop.processes[`checkout-${slot}`];
    const weight = shop.weights[slot] ?? 0;
    found[`checkout-${slot}`] = {
      state: weight === 0 ? "idle" : health(shop, "checkout", unit.ready),
      note: `${unit.version}, weight ${weight}`,
    };
  }
  const payments = shop.services.find((service) => service.name === "payments");
  const unused = payments.settings.bank === "backup" ? "bank" : "bank-backup";
  if (found[unused].state === "well") found[unused].state = "idle";
  found.bank.note += found.bank.state === "idle" ? ", not in use" : "";
  found["bank-backup"].note += found["bank-backup"].state === "idle" ? ", stand-by" : "";
  const live = shop.services.find((service) => service.name === "checkout");
  const database = live?.dependencies.database;
  const exhausted = (shop.alerts ?? []).some((alert) => alert.alertname === "DatabaseConnectionsExhausted");
  found.database = {
    state: exhausted ? "bad" : database?.ok ? "well" : "warn",
    note: database ? `${database.in_use} of ${database.max} connections` : "unknown",
  };
  return found;
}

function edge(from, to, live, vertical = false) {
  const [x1, y1] = PLACES[from];
  const [x2, y2] = PLACES[to];
  const half = BOX.h / 2;
  const path = vertical
    ? `M${x1 + BOX.w / 2} ${y1 + BOX.h} V${y2 - 6}`
    : `M${x1 + BOX.w} ${y1 + half} C${x1 + BOX.w + 26} ${y1 + half} ${x2 - 32} ${y2 + half} ${x2 - 7} ${y2 + half}`;
  return shape("path", { d: path, class: live ? "edge" : "edge quiet", "marker-end": "url(#tip)" });
}

function drawMap(shop) {
  const map = byId("map");
  const found = boxes(shop);
  const live = (name) => found[name].state !== "idle";
  const marker = shape("marker", { id: "tip", viewBox: "0 0 8 8", refX: 5, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
  marker.append(shape("path", { d: "M0 0 L8 4 L0 8 z", class: "arrow" }));
  const parts = [marker, edge("buyers", "storefront", true)];
  for (const slot of ["checkout-stable", "checkout-candidate"]) {
    parts.push(edge("storefront", slot, live(slot)), edge(slot, "payments", live(slot)));
  }
  parts.push(edge("payments", "bank", live("bank")), edge("payments", "bank-backup", live("bank-backup")));
  parts.push(edge("checkout-candidate", "database", true, true));
  for (const [name, box] of Object.entries(found)) {
    const [x, y] = PLACES[name];
    const group = shape("g", { class: box.state, "data-box": name });
    const middle = x + BOX.w / 2;
    group.append(
      shape("title", {}, `${TITLES[name]}: ${box.note}`),
      shape("rect", { x: x + 1, y: y + 1, width: BOX.w - 2, height: BOX.h - 2, rx: 10, class: "box" }),
      shape("text", { x: middle, y: y + 29, "text-anchor": "middle", class: "name" }, TITLES[name]),
      shape("text", { x: middle, y: y + 49, "text-anchor": "middle", class: "note" }, box.note),
    );
    parts.push(group);
  }
  map.replaceChildren(...parts);
}

function drawLoad(shop) {
  const recent = shop.load.recent;
  const ratio = recent.error_ratio;
  byId("rate").textContent = ((recent.ok + recent.failed) / recent.window_s).toFixed(1);
  byId("errors").textContent = ratio === null ? "–" : `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;
  byId("errors").className = ratio > 0.05 ? "bad" : "";
  byId("mean").textContent = recent.mean_ms === null ? "–" : `${Math.round(recent.mean_ms)} ms`;
  const most = Math.max(1, ...shop.history.map((second) => second.ok + second.failed)) * 1.1;
  const bars = [];
  for (const second of shop.history) {
    const x = 360 - second.ago_s * 2;
    const okHeight = (second.ok / most) * 96;
    const failedHeight = (second.failed / most) * 96;
    bars.push(shape("rect", { x, y: 96 - okHeight, width: 2, height: okHeight, class: "ok" }));
    if (second.failed) {
      bars.push(shape("rect", { x, y: 96 - okHeight - failedHeight, width: 2, height: failedHeight, class: "failed" }));
    }
  }
  byId("spark").replaceChildren(...bars);
}

const STATE_WORDS = { off: "off", on: "on", cured: "cured: somebody fixed it" };

/** Cards are made once and then only updated, so that a button keeps the focus. */
function drawFaults(faults) {
  const place = byId("faults");
  for (const fault of faults) {
    let card = document.getElementById(`fault-${fault.name}`);
    if (!card) {
      const button = element("button", { type: "button" });
      button.addEventListener("click", () => turn(fault.name, card.dataset.state));
      card = element(
        "article", { id: `fault-${fault.name}` },
        element("h3", { textContent: fault.title }),
        element("p", { textContent: fault.description }),
        element("p", { className: "cure", textContent: `Cure: ${fault.cure}` }),
        element("div", { className: "foot" }, element("span", { className: "state" }), button),
      );
      place.append(card);
    }
    card.className = `fault ${fault.state}`;
    card.dataset.state = fault.state;
    card.querySelector(".state").textContent = STATE_WORDS[fault.state];
    const button = card.querySelector("button");
    button.textContent = fault.state === "off" ? "Switch on" : fault.state === "on" ? "Switch off" : "Tidy up";
    button.disabled = busy.has(fault.name);
  }
}

function clock(moment) {
  const at = new Date(moment);
  const recent = Date.now() - at < 12 * 3600 * 1000;
  return recent ? at.toLocaleTimeString([], { hour12: false }) : at.toLocaleDateString([], { day: "numeric", month: "short" });
}

function entry(moment, kind, what, kindClass = "") {
  return element(
    "li", {},
    element("time", { textContent: clock(moment), dateTime: moment }),
    ...(kind ? [element("span", { className: `kind ${kindClass}`, textContent: kind })] : []),
    element("span", { className: "what", textContent: what }),
  );
}

function drawLists(shop) {
  const alerts = shop.alerts ?? [];
  byId("alerts").replaceChildren(
    ...(alerts.length
      ? alerts.map((alert) => entry(alert.since, alert.severity === "page" ? "page" : "warn", `${alert.alertname}: ${alert.summary}`, alert.severity))
      : [element("li", { className: "empty", textContent: shop.alerts ? "No alert is firing." : "Alertmanager does not answer." })]),
  );
  byId("changes").replaceChildren(
    ...shop.changes.toReversed().map((change) => entry(change.at, change.kind, `${change.summary} (${change.author})`)),
  );
}

function drawVerdict(shop) {
  const states = Object.values(boxes(shop)).map((box) => box.state);
  const worst = states.includes("bad") ? "bad" : states.includes("warn") || (shop.alerts ?? []).length ? "warn" : "well";
  byId("verdict").className = `verdict ${worst}`;
  byId("verdict").textContent = { bad: "Buyers are hurt", warn: "Something is odd", well: "All is well" }[worst];
}

async function refresh() {
  try {
    const answer = await fetch("/status?history=1");
    const shop = await answer.json();
    drawMap(shop);
    drawLoad(shop);
    drawFaults(shop.faults);
    drawLists(shop);
    drawVerdict(shop);
  } catch (error) {
    byId("verdict").className = "verdict bad";
    byId("verdict").textContent = "The shop does not answer";
  }
}

async function change(name, path, method) {
  busy.add(name);
  for (const button of document.querySelectorAll(`#fault-${name} button`)) button.disabled = true;
  try {
    const answer = await fetch(path, { method });
    const problem = answer.ok ? "" : (await answer.json()).message;
    byId("trouble").hidden = answer.ok;
    byId("trouble").textContent = problem;
  } catch (error) {
    byId("trouble").hidden = false;
    byId("trouble").textContent = "The shop does not answer.";
  } finally {
    busy.delete(name);
    await refresh();
  }
}

const turn = (name, state) => change(name, `/faults/${name}`, state === "off" ? "POST" : "DELETE");

async function drawLinks() {
  const { links, rules } = await (await fetch("/links")).json();
  byId("links").replaceChildren(
    "Look deeper:", ...Object.entries(links).map(([name, url]) => element("a", { href: url, textContent: name })),
  );
  byId("rules").replaceChildren(
    ...rules.flatMap((rule) => [
      element("dt", { id: rule.name, textContent: rule.name }),
      element("dd", { textContent: rule.description }),
    ]),
  );
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted?.closest("details")) {
    wanted.closest("details").open = true;
    wanted.scrollIntoView();
  }
}

byId("reset").addEventListener("click", () => change("reset", "/faults/reset", "POST"));

async function keepLooking() {
  if (!document.hidden) await refresh();
  setTimeout(keepLooking, POLL_MS);
}

drawLinks().catch(() => {});
keepLooking();
