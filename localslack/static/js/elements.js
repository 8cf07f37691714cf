// Interactive elements. Each is drawn from the element, the state it has, and an `owner`:
// `owner.act(block, element, value)` when a person acts, `owner.suggest(…)` for external menus.

import { h, icon } from "/static/js/dom.js";
import { mrkdwn, plain } from "/static/js/mrkdwn.js";
import { chooser, confirmed, filterOptions, popup, menuItem } from "/static/js/popup.js";
import { channelName, nameOf, store } from "/static/js/store.js";

export const textNode = (item) => (item.type === "mrkdwn" ? mrkdwn(item.text) : h("span", { class: "text" }, plain(item.text)));

const agreed = async (element) => !element.confirm || confirmed(element.confirm, { text: textNode, plain });

export function element(block, item, state, owner) {
  const make = MAKERS[item.type];
  if (!make) return h("span", { class: "missing" }, `${item.type} is not shown here`);
  const node = make(block, item, state || {}, owner);
  node.dataset.actionId = item.action_id || "";
  node.dataset.blockId = block.block_id || "";
  return node;
}

const acting = (block, item, owner, value) => async () => {
  if (await agreed(item)) owner.act(block, item, value);
};

function button(block, item, state, owner) {
  const style = item.style || "";
  const common = { class: `button ${style}`, "aria-label": item.accessibility_label, "data-value": item.value };
  const node = item.url
    ? h("a", { ...common, href: item.url, target: "_blank", rel: "noopener noreferrer" }, plain(item.text.text))
    : h("button", { ...common, type: "button" }, plain(item.text.text));
  node.addEventListener("click", async () => {
    if (!(await agreed(item))) return;
    node.setAttribute("aria-busy", "true");
    try {
      await owner.act(block, item, item.value);
    } finally {
      node.removeAttribute("aria-busy");
    }
  });
  return node;
}

const optionOf = (o) => ({
  value: o.value,
  label: textNode(o.text),
  about: o.description ? plain(o.description.text) : null,
  search: o.text.text,
  raw: o,
});

const groupsOf = (item) => item.option_groups
  ? item.option_groups.map((g) => ({ label: g.label.text, options: g.options.map(optionOf) }))
  : [{ options: (item.options || []).map(optionOf) }];

const people = () => [{ options: [...store.users.values()].filter((u) => !u.deleted).map((u) => ({ value: u.id, label: nameOf(u.id), about: u.profile.title, search: `${u.real_name} ${u.name}` })) }];

function places(item) {
  const include = item.filter?.include;
  const fits = (c) => !include || include.includes(c.is_im ? "im" : c.is_private ? "private" : "public");
  const channels = [...store.channels.values()].filter((c) => (item.type.includes("channels") ? !c.is_im && !c.is_private : fits(c)));
  return [{ options: channels.map((c) => ({ value: c.id, label: `${c.is_im ? "" : "#"}${channelName(c)}`, search: channelName(c) })) }];
}

const chosenOf = (item, state) => {
  const options = state.selected_options || (state.selected_option ? [state.selected_option] : null);
  if (options) return options.filter(Boolean).map(optionOf);
  const ids = state.selected_users || state.selected_channels || state.selected_conversations
    || [state.selected_user || state.selected_channel || state.selected_conversation].filter(Boolean);
  const known = [...people()[0].options, ...places({ type: "conversations" })[0].options];
  return ids.map((id) => known.find((o) => o.value === id) || { value: id, label: id, search: id });
};

function select(block, item, state, owner) {
  const many = item.type.startsWith("multi_");
  const kind = item.type.replace("multi_", "");
  const chosen = chosenOf(item, state);
  const label = item.placeholder?.text || "Choose…";
  const shown = chosen.length
    ? h("span", { class: "value" }, chosen.map((o, i) => [i ? ", " : "", o.search]))
    : h("span", { class: "value empty-value" }, label);
  const node = h("button", { type: "button", class: "picker", "aria-haspopup": "listbox", "aria-label": `${label}${chosen.length ? `: ${chosen.map((o) => o.search).join(", ")}` : ""}` }, shown, icon("down"));
  const load = async (query) => {
    if (kind === "external_select") {
      if (query.length < (item.min_query_length ?? 3)) return [];
      return groupsOf(await owner.suggest(block, item, query));
    }
    const groups = kind === "static_select" ? groupsOf(item) : kind === "users_select" ? people() : places(item);
    return filterOptions(groups, query);
  };
  const pick = async (options) => {
    if (!(await agreed(item))) return;
    const values = options.map((o) => (kind === "external_select" ? o.raw : o.value));
    owner.act(block, item, many ? values : values[0] ?? null);
  };
  node.addEventListener("click", () => chooser(node, { load, pick, many, chosen, label }));
  return node;
}

function overflow(block, item, state, owner) {
  const node = h("button", { type: "button", class: "button", "aria-label": "More options", "aria-haspopup": "menu" }, icon("more"));
  node.addEventListener("click", () => popup(node, item.options.map((o) => {
    const entry = menuItem(plain(o.text.text), acting(block, item, owner, o.value), { about: o.description?.text });
    entry.dataset.value = o.value;
    if (o.url) entry.addEventListener("click", () => window.open(o.url, "_blank", "noopener"));
    return entry;
  })));
  return node;
}

const dated = (type, key) => (block, item, state, owner) => {
  const node = h("input", { type, class: "field", value: state[key] || "", "aria-label": item.placeholder?.text || type });
  node.addEventListener("change", acting2(block, item, owner, () => node.value || null));
  return node;
};

const acting2 = (block, item, owner, value) => async () => {
  if (await agreed(item)) owner.act(block, item, value());
};

function datetime(block, item, state, owner) {
  const at = state.selected_date_time;
  const local = at ? new Date(at * 1000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16) : "";
  const node = h("input", { type: "datetime-local", class: "field", value: local, "aria-label": "Date and time" });
  node.addEventListener("change", acting2(block, item, owner, () => (node.value ? Math.floor(new Date(node.value).getTime() / 1000) : null)));
  return node;
}

let groupNumber = 0;

function boxes(block, item, state, owner) {
  const many = item.type === "checkboxes";
  const chosen = new Set((many ? state.selected_options || [] : [state.selected_option].filter(Boolean)).map((o) => o.value));
  const name = `choice-${(groupNumber += 1)}`;
  const node = h("fieldset", { class: "choices" });
  const read = () => {
    const values = [...node.querySelectorAll("input:checked")].map((input) => input.value);
    return many ? values : values[0] ?? null;
  };
  node.append(...item.options.map((o) => {
    const input = h("input", { type: many ? "checkbox" : "radio", name, value: o.value });
    input.checked = chosen.has(o.value);
    input.addEventListener("change", acting2(block, item, owner, read));
    return h("label", { class: "choice" }, input, h("span", {}, textNode(o.text), o.description ? h("small", {}, textNode(o.description)) : null));
  }));
  return node;
}

const TYPED = { plain_text_input: "text", email_text_input: "email", url_text_input: "url", number_input: "text" };

function typed(block, item, state, owner) {
  const props = { class: "field", placeholder: item.placeholder?.text, maxlength: item.max_length, value: state.value || "" };
  const node = item.multiline || item.type === "rich_text_input"
    ? h("textarea", { ...props, rows: 4 })
    : h("input", { ...props, type: TYPED[item.type], inputmode: item.type === "number_input" ? "decimal" : undefined });
  if (item.type === "rich_text_input") node.value = richPlain(state.rich_text_value);
  const value = () => (item.type === "rich_text_input" ? richValue(node.value) : node.value || null);
  node.addEventListener("input", () => owner.typed?.(block, item, value()));
  const when = item.dispatch_action_config?.trigger_actions_on || ["on_enter_pressed"];
  if (block.dispatch_action) {
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !item.multiline && when.includes("on_enter_pressed")) {
        event.preventDefault();
        owner.act(block, item, value());
      }
    });
    if (when.includes("on_character_entered")) {
      let timer;
      node.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(() => owner.act(block, item, value()), 350);
      });
    }
  }
  return node;
}

const richValue = (text) => text
  ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] }
  : null;
const richPlain = (value) => (value?.elements || []).flatMap((part) => (part.elements || []).map((e) => e.text || "")).join("");

function fileInput(block, item, state, owner) {
  const node = h("input", { type: "file", class: "field", multiple: (item.max_files ?? 10) > 1, accept: (item.filetypes || []).map((t) => `.${t}`).join(",") || undefined });
  node.addEventListener("change", () => owner.upload?.(block, item, [...node.files]));
  const names = (state.files || []).map((f) => f.name).join(", ");
  return h("div", {}, node, names ? h("small", { class: "hint" }, names) : null);
}

function feedback(block, item, state, owner) {
  const one = (which, sign) => h("button", { type: "button", class: "button plain", "aria-label": which.accessibility_label, onclick: acting(block, item, owner, sign) }, plain(which.text.text));
  return h("span", {}, one(item.positive_button, "positive"), one(item.negative_button, "negative"));
}

function iconOnly(block, item, state, owner) {
  return h("button", { type: "button", class: "icon-button", title: item.text.text, "aria-label": item.text.text, onclick: acting(block, item, owner, item.value) }, icon("trash"));
}

const image = (block, item) => h("img", { src: pictureOf(item), alt: item.alt_text, loading: "lazy" });

export function pictureOf(item) {
  if (item.image_url) return item.image_url;
  const { id, url } = item.slack_file || {};
  return url || `/files/${store.workspace.id}-${id}/picture`;
}

const MAKERS = {
  button,
  workflow_button: button,
  icon_button: iconOnly,
  feedback_buttons: feedback,
  overflow,
  image,
  datepicker: dated("date", "selected_date"),
  timepicker: dated("time", "selected_time"),
  datetimepicker: datetime,
  checkboxes: boxes,
  radio_buttons: boxes,
  plain_text_input: typed,
  email_text_input: typed,
  url_text_input: typed,
  number_input: typed,
  rich_text_input: typed,
  file_input: fileInput,
};
for (const kind of ["static", "external", "users", "channels", "conversations"]) {
  MAKERS[`${kind}_select`] = select;
  MAKERS[`multi_${kind}_select`] = select;
}
