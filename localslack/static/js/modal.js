// Modals: the topmost view of the person's stack, with what was put in so far.

import { get, post } from "/static/js/api.js";
import { avatar } from "/static/js/avatar.js";
import { blocks } from "/static/js/blocks.js";
import { base64Of } from "/static/js/composer.js";
import { fill, h, icon, iconButton } from "/static/js/dom.js";
import { tried, warn } from "/static/js/message.js";
import { plain } from "/static/js/mrkdwn.js";
import { on, store } from "/static/js/store.js";

let box = null;
let current = null;
const put = new Map();

export async function syncModals() {
  const { views } = await get("views", { user: store.me.id });
  for (const id of put.keys()) if (!views.some((v) => v.id === id)) put.delete(id);
  const top = views.at(-1);
  if (!top) {
    current = null;
    box?.close();
    return;
  }
  current = top;
  draw(top, views.length);
}

function draw(view, depth) {
  if (!box) {
    box = h("dialog", { class: "modal", "data-testid": "modal" });
    box.addEventListener("cancel", (event) => { event.preventDefault(); close(false); });
    box.addEventListener("close", () => { box.remove(); box = null; });
    document.body.append(box);
  }
  const focus = document.activeElement?.closest?.("[data-block-id]")?.dataset;
  const app = store.apps.get(view.app_id);
  const values = put.get(view.id) || {};
  put.set(view.id, values);
  box.setAttribute("aria-label", view.title.text);
  box.dataset.viewId = view.id;
  box.dataset.callbackId = view.callback_id;
  const form = h("form", { style: "display:contents", novalidate: true },
    h("div", { class: "dialog-head" },
      depth > 1 ? iconButton("back", "Back", () => close(false)) : avatar(app?.bot_user, { size: "tiny" }),
      h("h2", {}, plain(view.title.text)), iconButton("close", "Close", () => close(true))),
    h("div", { class: "dialog-body" },
      view.errors[""] ? h("div", { class: "callout error", role: "alert" }, icon("warning"), view.errors[""]) : null,
      blocks(view.blocks, { states: merged(view, values), errors: view.errors, owner: ownerOf(view, values) })),
    h("div", { class: "dialog-foot" }, h("span", { class: "from" }, app?.display_name || ""),
      h("button", { type: "button", class: "button", "data-testid": "modal-close", onclick: () => close(false) }, view.close ? plain(view.close.text) : "Cancel"),
      view.submit ? h("button", { type: "submit", class: "button primary", "data-testid": "modal-submit" }, plain(view.submit.text)) : null));
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(view, values, form); });
  const scrolled = box.querySelector(".dialog-body")?.scrollTop || 0;
  fill(box, form);
  if (!box.open) box.showModal();
  form.querySelector(".dialog-body").scrollTop = scrolled;
  const again = focus?.actionId && form.querySelector(`[data-action-id="${CSS.escape(focus.actionId)}"][data-block-id="${CSS.escape(focus.blockId)}"]`);
  (again || form.querySelector("[aria-invalid]") || form.querySelector(".dialog-body input, .dialog-body textarea, .dialog-body .picker") || form.querySelector(".primary"))?.focus();
}

// What the person has put in wins over what the server last knew.
function merged(view, values) {
  const states = structuredClone(view.state.values);
  for (const [block, actions] of Object.entries(values)) {
    for (const [action, { state }] of Object.entries(actions)) if (states[block]?.[action]) states[block][action] = state;
  }
  return states;
}

function stateFor(item, value) {
  const kind = item.type.replace("multi_", "");
  const list = Array.isArray(value) ? value : value === null ? [] : [value];
  const all = [...(item.options || []), ...(item.option_groups || []).flatMap((g) => g.options)];
  const options = list.map((v) => (typeof v === "object" ? v : all.find((o) => o.value === v)));
  if (item.type.startsWith("multi_") || item.type === "checkboxes") {
    const key = { users_select: "selected_users", channels_select: "selected_channels", conversations_select: "selected_conversations" }[kind];
    return key ? { [key]: list } : { selected_options: options };
  }
  const key = {
    users_select: "selected_user", channels_select: "selected_channel", conversations_select: "selected_conversation",
    datepicker: "selected_date", timepicker: "selected_time", datetimepicker: "selected_date_time", rich_text_input: "rich_text_value",
  }[kind];
  if (key) return { [key]: value };
  if (["static_select", "external_select", "radio_buttons"].includes(kind)) return { selected_option: options[0] || null };
  if (kind === "file_input") return { files: list };
  return { value };
}

function ownerOf(view, values) {
  const keep = (block, item, value) => {
    values[block.block_id] ??= {};
    values[block.block_id][item.action_id] = { value, state: stateFor(item, value) };
  };
  const tell = (block, item, value) => tried(async () => warn(await post("acts/click", { user: store.me.id, view_id: view.id, action_id: item.action_id, block_id: block.block_id, value })));
  return {
    typed: keep,
    act(block, item, value) {
      const isInput = block.type === "input";
      if (isInput) keep(block, item, value);
      if (isInput && !block.dispatch_action) {
        if (item.type.endsWith("_select")) draw(current, depthOf());
        return undefined;
      }
      return tell(block, item, value);
    },
    suggest: (block, item, query) => post("acts/suggest", { user: store.me.id, view_id: view.id, action_id: item.action_id, block_id: block.block_id, query }),
    upload: (block, item, files) => tried(async () => {
      const stored = [];
      for (const file of files) {
        const { file: one } = await post("acts/file", { user: store.me.id, name: file.name, content_base64: await base64Of(file) });
        stored.push(one);
      }
      keep(block, item, stored);
    }),
  };
}

const depthOf = () => (current?.previous_view_id ? 2 : 1);

async function submit(view, values, form) {
  const flat = {};
  for (const [block, actions] of Object.entries(values)) {
    flat[block] = Object.fromEntries(Object.entries(actions).map(([action, { value }]) => [action, value]));
  }
  const button = form.querySelector('[type="submit"]');
  button?.setAttribute("aria-busy", "true");
  await tried(() => post("acts/submit", { user: store.me.id, view_id: view.id, values: flat }));
  button?.removeAttribute("aria-busy");
}

async function close(wholeStack) {
  if (!current) return;
  await tried(() => post("acts/close", { user: store.me.id, view_id: current.id, whole_stack: wholeStack }));
}

on("modals", syncModals);
