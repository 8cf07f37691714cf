// Behind the scenes: what went between apps and Slack, and the switches that make it misbehave.

import { get, post, remove } from "/static/js/api.js";
import { fill, h, iconButton, toast } from "/static/js/dom.js";
import { tried } from "/static/js/message.js";
import { showJson } from "/static/js/popup.js";
import { on, store } from "/static/js/store.js";
import { logTime } from "/static/js/time.js";

const SHOWN = 200;
let tab = "log";
let list = null;
let statsBox = null;

const drawer = () => document.getElementById("drawer");

export async function toggleDrawer() {
  const node = drawer();
  node.hidden = !node.hidden;
  if (!node.hidden) await draw();
}

async function draw() {
  const choose = (name) => () => { tab = name; draw(); };
  const tabButton = (name, label) => h("button", { type: "button", role: "tab", "aria-selected": String(tab === name), onclick: choose(name) }, label);
  const panel = h("div", { class: "scroll", role: "tabpanel" });
  fill(drawer(),
    h("header", { class: "bar" }, h("h2", {}, "Behind the scenes"), h("span", { class: "spacer" }), iconButton("close", "Close", toggleDrawer)),
    h("div", { class: "tabs", role: "tablist" }, tabButton("log", "Traffic"), tabButton("faults", "Faults")),
    panel);
  list = null;
  if (tab === "log") await drawLog(panel);
  else await drawFaults(panel);
}

async function drawLog(panel) {
  statsBox = h("div", { class: "stats" });
  list = h("ol", { class: "log", "data-testid": "log" });
  const mine = list;
  const [{ entries }, stats] = await Promise.all([get("log"), get("stats")]);
  // What came in while we asked is in the list already.
  const oldest = Number(mine.lastChild?.dataset.number ?? Infinity);
  mine.append(...entries.filter((entry) => entry.n < oldest).slice(-SHOWN).reverse().map(row));
  fill(panel, statsBox, mine, mine.children.length ? null : h("div", { class: "empty" }, h("p", {}, "Nothing yet. Calls and payloads appear here as they happen.")));
  drawStats(stats);
}

function drawStats(stats) {
  const calls = Object.values(stats.calls).reduce((sum, n) => sum + n, 0);
  const cell = (value, label) => h("div", {}, h("b", {}, value), h("span", {}, label));
  fill(statsBox, cell(String(calls), "API calls"), cell(String(stats.envelopes.delivered), "acknowledged"),
    cell(stats.acks.p99_ms === null ? "–" : `${Math.round(stats.acks.p99_ms)} ms`, "ack, 99th"), cell(String(stats.rate_limited), "429s"));
}

function row(entry) {
  const out = entry.kind === "envelope";
  return h("li", { "data-number": entry.n }, h("button", { type: "button", onclick: () => showJson(entry.name, entry), title: out ? "to the app" : "from the app" },
    h("span", { class: `way ${out ? "out" : "in"}` }, out ? "→" : "←"),
    h("span", { class: "what" }, entry.name, entry.detail.retry ? ` (retry ${entry.detail.retry})` : "", entry.error ? h("span", { class: "wrong" }, ` ${entry.error}`) : null),
    h("span", { class: "ms" }, entry.ms === null ? "" : `${Math.round(entry.ms)} ms`),
    h("span", { class: "at" }, logTime(entry.at))));
}

let pending = false;

on("log", (entry) => {
  if (!list || drawer().hidden || tab !== "log") return;
  list.parentNode?.querySelector(".empty")?.remove();
  list.prepend(row(entry));
  while (list.children.length > SHOWN) list.lastChild.remove();
  if (pending) return;
  pending = true;
  setTimeout(async () => {
    pending = false;
    if (statsBox?.isConnected) drawStats(await get("stats"));
  }, 400);
});

const set = (change) => tried(() => post("faults", change));

async function drawFaults(panel) {
  const { faults, about } = await get("faults");
  const flags = ["double_click", "double_delivery", "redeliver_events", "api_down"];
  const numbers = ["delay_delivery_s", "delay_acks_s", "slow_api_s", "lose_acks", "unready_files"];
  fill(panel, h("div", { class: "switches", "data-testid": "faults" },
    h("fieldset", {}, h("legend", {}, "Delivery and calls"), flags.map((name) => flag(name, faults[name], about[name])), numbers.map((name) => number(name, faults[name], about[name]))),
    h("fieldset", {}, h("legend", {}, "One method"), counted("drop_after", "Lose the answer after doing it"), counted("rate_limit", "Answer 429")),
    h("fieldset", {}, h("legend", {}, "Groups"), [...store.groups.values()].map(group)),
    h("fieldset", {}, h("legend", {}, "Deactivated people"), h("div", { class: "people" }, people().map((u) => chip(u.real_name, u.deleted, () => post(`users/${u.id}`, { deleted: !u.deleted }))))),
    h("fieldset", {}, h("legend", {}, "Right now"),
      h("button", { type: "button", class: "button", onclick: refreshSockets }, "Refresh the sockets"),
      h("button", { type: "button", class: "button", onclick: () => tried(() => remove("faults")) }, "Switch every fault off"),
      h("button", { type: "button", class: "button danger", onclick: () => tried(() => post("reset")) }, "Forget every message"))));
}

const people = () => [...store.users.values()].filter((u) => !u.is_bot);
const sentence = (about) => about[0].toUpperCase() + about.slice(1);

function flag(name, value, about) {
  const input = h("input", { type: "checkbox", "data-fault": name });
  input.checked = value;
  input.addEventListener("change", () => set({ [name]: input.checked }));
  return h("label", { class: "line", title: name }, h("span", {}, sentence(about)), input);
}

function number(name, value, about) {
  const whole = !name.endsWith("_s");
  const unit = whole ? "" : " (seconds)";
  const input = h("input", { type: "number", min: name === "lose_acks" ? -1 : 0, step: whole ? 1 : 0.1, value, "data-fault": name });
  input.addEventListener("change", () => set({ [name]: Number(input.value) || 0 }));
  return h("label", { class: "line", title: name }, h("span", {}, sentence(about), unit), input);
}

function counted(name, label) {
  const method = h("input", { type: "text", value: "chat.postMessage", "aria-label": `${label}: method`, style: "width:150px" });
  const arm = () => set({ [name]: { ...store.faults[name], [method.value]: 1 } }).then((done) => done && toast(`The next ${method.value} is hit`));
  return h("div", { class: "line" }, h("span", {}, label), method, h("button", { type: "button", class: "button", onclick: arm }, "Once"));
}

function group(item) {
  return h("div", {}, h("div", {}, `@${item.handle}`), h("div", { class: "people" }, people().map((u) => {
    const isIn = item.members.includes(u.id);
    return chip(u.real_name, isIn, () => post(`usergroups/${item.id}/members`, isIn ? { remove: [u.id] } : { add: [u.id] }));
  })));
}

const chip = (label, on_, act) => h("button", { type: "button", class: "person", "aria-pressed": String(Boolean(on_)), onclick: () => tried(act) }, label);

async function refreshSockets() {
  const done = await tried(() => post("sockets/refresh"));
  if (done) toast(`${done.refreshed} socket${done.refreshed === 1 ? "" : "s"} refreshed`);
}

const redrawFaults = () => { if (!drawer().hidden && tab === "faults") draw(); };
on("faults", redrawFaults);
on("workspace", redrawFaults);
