// Block Kit: each block to nodes.

import { h, icon } from "/static/js/dom.js";
import { element, pictureOf, textNode } from "/static/js/elements.js";
import { markdown } from "/static/js/markdown.js";
import { mrkdwn, plain } from "/static/js/mrkdwn.js";
import { showPicture } from "/static/js/popup.js";
import { richText } from "/static/js/rich.js";

// `states` is `state.values` of the message or view; `errors` is by block id.
export function blocks(list, { states = {}, errors = {}, owner }) {
  const context = { states, errors, owner };
  return h("div", { class: "blocks" }, (list || []).map((block) => one(block, context)));
}

function one(block, context) {
  const make = MAKERS[block.type];
  const node = make ? make(block, context) : h("div", { class: "missing" }, `A ${block.type} block`);
  if (block.block_id) node.dataset.block = block.block_id;
  return node;
}

const stateOf = (block, item, { states }) => states[block.block_id]?.[item.action_id];
const part = (block, item, context) => element(block, item, stateOf(block, item, context), context.owner);

const header = (block) => h("div", { class: "block header", role: "heading", "aria-level": "3" }, plain(block.text.text));

function section(block, context) {
  return h("div", { class: "block section" },
    block.text ? textNode(block.text) : null,
    block.fields ? h("div", { class: "fields" }, block.fields.map(textNode)) : null,
    block.accessory ? h("div", { class: "accessory" }, part(block, block.accessory, context)) : null);
}

const context_ = (block) => h("div", { class: "block context" }, block.elements.map((item) =>
  item.type === "image" ? h("img", { src: pictureOf(item), alt: item.alt_text }) : textNode(item)));

const actions = (block, context) => h("div", { class: "block actions" }, block.elements.map((item) => part(block, item, context)));

function image(block) {
  const src = pictureOf(block);
  const picture = h("img", { src, alt: block.alt_text, loading: "lazy" });
  const box = h("button", { type: "button", class: "picture file-image", "aria-label": `Enlarge: ${block.alt_text}`, onclick: () => showPicture(src, block.alt_text) }, picture);
  picture.addEventListener("error", () => box.replaceWith(h("div", { class: "missing" }, block.alt_text)));
  return h("figure", { class: "block image", style: "margin:0" }, block.title ? h("figcaption", { class: "caption" }, plain(block.title.text)) : null, box);
}

let fieldNumber = 0;

function input(block, context) {
  const fault = context.errors[block.block_id];
  const field = part(block, block.element, context);
  const id = `field-${(fieldNumber += 1)}`;
  const target = field.matches("input,textarea,button") ? field : field.querySelector("input,textarea") || field;
  if (field.matches("input,textarea,button.picker")) target.id = id;
  if (fault) target.setAttribute("aria-invalid", "true");
  const label = [plain(block.label.text), block.optional ? h("span", { class: "optional" }, " (optional)") : null];
  return h("div", { class: `block form-row${fault ? " bad" : ""}` },
    target.id ? h("label", { for: id }, label) : h("div", { class: "label" }, label),
    field,
    block.hint ? h("div", { class: "hint" }, plain(block.hint.text)) : null,
    fault ? h("div", { class: "fault", role: "alert" }, icon("warning"), fault) : null);
}

function cellOf(cell) {
  if (cell.type === "rich_text") return richText(cell);
  return plain(cell.text ?? String(cell.value ?? ""));
}

function table(block) {
  const settings = block.column_settings || [];
  const style = (index) => `text-align:${settings[index]?.align || "left"}`;
  const clip = (index) => (settings[index]?.is_wrapped ? "" : "clip");
  const [head, ...rows] = block.rows;
  return h("div", { class: "block" },
    block.caption ? h("div", { class: "caption" }, block.caption) : null,
    h("div", { class: "table-box" }, h("table", {},
      h("thead", {}, h("tr", {}, head.map((cell, i) => h("th", { style: style(i), scope: "col" }, cellOf(cell))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, i) => h("td", { style: style(i), class: clip(i) }, cellOf(cell)))))))));
}

const MARKS = {
  pending: () => icon("circle"),
  in_progress: () => h("span", { class: "spinner", role: "img", "aria-label": "in progress" }),
  complete: () => icon("check"),
  error: () => icon("cross"),
};
const WORDS = { pending: "not started", in_progress: "in progress", complete: "done", error: "failed" };

function task(item, { alone } = {}) {
  const status = item.status || "pending";
  const more = [item.details, item.output].filter(Boolean).map(richText);
  return h("div", { class: `task ${status}${alone ? " alone block" : ""}`, "data-task-id": item.task_id, "data-status": status },
    h("span", { class: "mark", title: WORDS[status] }, MARKS[status]?.() || icon("circle"), h("span", { class: "sr" }, WORDS[status])),
    h("div", { class: "title" }, plain(item.title)),
    more.length || item.sources?.length ? h("div", { class: "more" }, more,
      item.sources?.length ? h("div", { class: "sources" }, item.sources.map((s) => h("a", { href: s.url, target: "_blank", rel: "noopener noreferrer" }, s.text || s.url))) : null) : null);
}

function plan(block) {
  const tasks = block.tasks || [];
  const done = tasks.filter((t) => t.status === "complete").length;
  const failed = tasks.some((t) => t.status === "error");
  return h("div", { class: "block plan", role: "group", "aria-label": block.title },
    h("div", { class: "plan-head" }, h("b", {}, plain(block.title)), h("span", { class: "progress" }, `${done} of ${tasks.length}`)),
    h("div", { class: `plan-bar${failed ? " bad" : ""}` }, h("i", { style: `width:${tasks.length ? (100 * done) / tasks.length : 0}%` })),
    tasks.map((t) => task(t)));
}

function card(block, context) {
  return h("div", { class: "block card" },
    block.hero_image ? h("img", { class: "hero", src: pictureOf(block.hero_image), alt: block.hero_image.alt_text }) : null,
    block.title ? h("div", { class: "title" }, textNode(block.title)) : null,
    block.subtitle ? h("div", { class: "sub" }, textNode(block.subtitle)) : null,
    block.body ? textNode(block.body) : null,
    block.subtext ? h("div", { class: "sub" }, textNode(block.subtext)) : null,
    block.actions ? h("div", { class: "row" }, block.actions.map((item) => part(block, item, context))) : null);
}

function container(block, context) {
  return h("div", { class: "block container" },
    block.title ? h("b", {}, plain(block.title.text)) : null,
    block.subtitle ? h("div", { class: "caption" }, textNode(block.subtitle)) : null,
    block.child_blocks.map((child) => one(child, context)));
}

function chart(block) {
  const spec = block.chart || {};
  const points = spec.segments || (spec.series || []).flatMap((s) => (s.data || []).map((d) => ({ label: `${s.name ?? ""} ${d.label ?? d.x ?? ""}`, value: d.value ?? d.y })));
  const top = Math.max(1e-9, ...points.map((p) => Number(p.value) || 0));
  return h("div", { class: "block chart" }, h("b", {}, block.title),
    points.map((p) => h("div", { class: "bar-row" }, h("span", {}, p.label), h("meter", { min: 0, max: top, value: Number(p.value) || 0 }), h("span", {}, String(p.value)))));
}

function video(block) {
  return h("a", { class: "block file-card", href: block.title_url || block.video_url, target: "_blank", rel: "noopener noreferrer" },
    h("img", { src: block.thumbnail_url, alt: block.alt_text, style: "width:120px;border-radius:7px" }),
    h("span", {}, h("b", {}, plain(block.title.text)), h("small", {}, block.description ? plain(block.description.text) : block.provider_name || "")));
}

const alert = (block) => h("div", { class: `block callout ${block.level || ""}`, role: "note" }, textNode(block.text));
const file = (block) => h("div", { class: "block file-card" }, icon("file"), block.external_id);

const MAKERS = {
  header,
  section,
  divider: () => h("hr", { class: "block divider" }),
  context: context_,
  actions,
  context_actions: actions,
  image,
  input,
  rich_text: richText,
  markdown: (block) => markdown(block.text),
  table,
  data_table: table,
  plan,
  task_card: (block) => task(block, { alone: true }),
  card,
  carousel: (block, context) => h("div", { class: "block carousel" }, block.elements.map((c) => card(c, context))),
  container,
  data_visualization: chart,
  video,
  alert,
  file,
};

export { mrkdwn };
