// What opens over the page: menus, pickers, dialogs.

import { fill, h, icon, iconButton, toast } from "/static/js/dom.js";

let openPopup = null;

export function closePopup() {
  const was = openPopup;
  openPopup = null;
  was?.done();
}

// A box beside `anchor`; closes on Escape, on a click elsewhere, or by `closePopup`.
export function popup(anchor, content, { role = "menu", label = "Menu", onclose } = {}) {
  closePopup();
  const box = h("div", { class: "popup", role, "aria-label": label, tabindex: "-1" }, content);
  const host = anchor.closest("dialog") || document.body;
  host.append(box);
  place(box, anchor);
  const outside = (event) => {
    if (!box.contains(event.target) && !anchor.contains(event.target)) closePopup();
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      closePopup();
      anchor.focus();
    }
    if (["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      step(box, event.key === "ArrowDown" ? 1 : -1);
    }
  };
  document.addEventListener("pointerdown", outside, true);
  box.addEventListener("keydown", keys);
  anchor.setAttribute("aria-expanded", "true");
  openPopup = {
    done() {
      document.removeEventListener("pointerdown", outside, true);
      anchor.removeAttribute("aria-expanded");
      box.remove();
      onclose?.();
    },
  };
  (box.querySelector("input") || box.querySelector(".item") || box).focus();
  return box;
}

function place(box, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = box;
  const below = at.bottom + 5 + height < innerHeight;
  box.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  box.style.top = `${below ? at.bottom + 5 : Math.max(8, at.top - height - 5)}px`;
}

function step(box, by) {
  const items = [...box.querySelectorAll(".item")];
  const index = items.indexOf(document.activeElement);
  items[(index + by + items.length) % items.length]?.focus();
}

export function menuItem(label, onclick, { about, sign, danger } = {}) {
  return h("button", { type: "button", class: `item${danger ? " danger" : ""}`, role: "menuitem", onclick: () => { closePopup(); onclick(); } },
    sign ? icon(sign) : null, h("span", { class: "grow" }, label, about ? h("small", {}, about) : null));
}

export function dialog(kind, { title, body, foot, onclose, label }) {
  const node = h("dialog", { class: kind, "aria-label": label || title });
  const close = () => { node.close(); };
  node.addEventListener("close", () => { node.remove(); onclose?.(); });
  node.addEventListener("click", (event) => { if (event.target === node) close(); });
  if (title) node.append(h("div", { class: "dialog-head" }, h("h2", {}, title), iconButton("close", "Close", close)));
  node.append(body);
  if (foot) node.append(h("div", { class: "dialog-foot" }, foot));
  document.body.append(node);
  node.showModal();
  return { node, close };
}

// Asks, as a confirm object of Block Kit says; true when the person agrees.
export function confirmed(spec, { text, plain }) {
  return new Promise((resolve) => {
    let answer = false;
    const decide = (value) => () => { answer = value; box.close(); };
    const danger = spec.style === "danger";
    const box = dialog("confirm", {
      title: plain(spec.title.text),
      label: spec.title.text,
      body: h("div", { class: "dialog-body" }, text(spec.text)),
      foot: [
        h("button", { type: "button", class: "button", onclick: decide(false) }, plain(spec.deny.text)),
        h("button", { type: "button", class: `button ${danger ? "danger solid" : "primary"}`, "data-testid": "confirm", onclick: decide(true) }, plain(spec.confirm.text)),
      ],
      onclose: () => resolve(answer),
    });
  });
}

export function showJson(title, value) {
  const text = JSON.stringify(value, null, 2);
  const copy = h("button", {
    type: "button",
    class: "button",
    onclick: async () => {
      try {
        await navigator.clipboard.writeText(text);
        toast("Copied");
      } catch {
        toast("The browser did not allow copying", { bad: true });
      }
    },
  }, icon("copy"), "Copy");
  dialog("json", { title, body: h("pre", { class: "json-text", tabindex: "0" }, coloured(text)), foot: copy });
}

function coloured(text) {
  const made = [];
  let at = 0;
  for (const match of text.matchAll(/("(?:\\.|[^"\\])*")(\s*:)?|\b(-?\d+(?:\.\d+)?|true|false|null)\b/g)) {
    made.push(text.slice(at, match.index));
    const kind = match[2] ? "k" : match[1] ? "s" : "n";
    made.push(h("span", { class: kind }, match[1] || match[3]), match[2] || "");
    at = match.index + match[0].length;
  }
  return [...made, text.slice(at)];
}

export function showPicture(src, alt) {
  const image = h("img", { src, alt });
  const box = dialog("picture", { body: image, label: alt || "Picture" });
  image.addEventListener("click", box.close);
}

// A list to choose from, with a search field when it is long.
// `load(query)` gives [{label?, options: [{label, about, value}]}]; `pick(value)` takes one, or several with `many`.
export function chooser(anchor, { load, pick, many = false, chosen = [], label = "Choose" }) {
  const kept = new Map(chosen.map((option) => [option.value, option]));
  const list = h("div", { role: "listbox", "aria-label": label, "aria-multiselectable": many ? "true" : undefined });
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": `Search: ${label}` });
  const take = (option) => {
    if (!many) {
      closePopup();
      anchor.focus();
      pick([option]);
      return;
    }
    if (kept.has(option.value)) kept.delete(option.value);
    else kept.set(option.value, option);
    draw();
  };
  const row = (option) => h("button", {
    type: "button",
    class: "item",
    role: "option",
    "aria-selected": kept.has(option.value) ? "true" : "false",
    "data-value": option.value,
    onclick: () => take(option),
  }, h("span", { class: "grow" }, option.label, option.about ? h("small", {}, option.about) : null), kept.has(option.value) ? icon("check") : null);
  let turn = 0;
  const draw = async () => {
    const mine = (turn += 1);
    const groups = await load(search.value);
    if (mine !== turn) return;
    const rows = groups.flatMap((g) => [g.label ? h("div", { class: "group" }, g.label) : null, ...g.options.map(row)]);
    fill(list, rows.length ? rows : h("div", { class: "none" }, "Nothing found"));
    if (box.isConnected) place(box, anchor);
  };
  search.addEventListener("input", draw);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      list.querySelector(".item")?.click();
    }
  });
  const done = h("div", { class: "done" }, h("button", { type: "button", class: "button primary", onclick: () => { closePopup(); pick([...kept.values()]); } }, "Done"));
  const box = popup(anchor, [search, list, many ? done : null], { role: "dialog", label });
  draw();
}

export const filterOptions = (groups, query) => {
  const wanted = query.trim().toLowerCase();
  return groups
    .map((g) => ({ ...g, options: g.options.filter((o) => !wanted || o.search.toLowerCase().includes(wanted)) }))
    .filter((g) => g.options.length);
};
