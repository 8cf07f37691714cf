// One message: who, when, what, and what one can do with it.

import { get, post } from "/static/js/api.js";
import { avatar } from "/static/js/avatar.js";
import { blocks } from "/static/js/blocks.js";
import { h, icon, iconButton, toast } from "/static/js/dom.js";
import { EMOJI, emojiNode, quickNames } from "/static/js/emoji.js";
import { mrkdwn, plain } from "/static/js/mrkdwn.js";
import { closePopup, menuItem, popup, showJson, showPicture } from "/static/js/popup.js";
import { cssColor } from "/static/js/rich.js";
import { go } from "/static/js/router.js";
import { appOf, nameOf, store } from "/static/js/store.js";
import { ago, clockOf, fullOf } from "/static/js/time.js";

export function messageNode(message, { grouped = false, inThread = false } = {}) {
  const kinds = ["message", grouped ? "grouped" : "", message.is_ephemeral ? "private" : ""].join(" ");
  const node = h("article", { class: kinds, "data-message-ts": message.ts, "data-author": message.user, "aria-label": `Message from ${authorOf(message)}` },
    message.is_ephemeral ? h("div", { class: "only" }, icon("eye"), "Only visible to you") : null,
    grouped
      ? h("time", { class: "stamp", title: fullOf(message.ts) }, clockOf(message.ts).replace(/\s?[AP]M$/i, ""))
      : avatar(message.is_notice ? null : message.user, { name: authorOf(message) }),
    h("div", { class: "body" },
      grouped ? null : byline(message),
      content(message),
      files(message),
      reactions(message),
      inThread ? null : threadLink(message)));
  node.append(tools(message, node, { inThread }));
  return node;
}

export const authorOf = (message) => message.is_notice ? store.workspace.name : message.username || nameOf(message.user);

export const groupsWith = (message, before) => before
  && before.user === message.user && before.username === message.username
  && Boolean(before.is_ephemeral) === Boolean(message.is_ephemeral) && !message.is_ephemeral && !message.is_notice && !before.is_notice
  && !before.reply_count && Number(message.ts) - Number(before.ts) < 300;

function byline(message) {
  const user = store.users.get(message.user);
  const guest = user && (user.is_restricted || user.is_ultra_restricted);
  return h("div", { class: "byline" },
    h("span", { class: "name" }, authorOf(message)),
    message.app_id ? h("span", { class: "tag" }, "App") : null,
    guest ? h("span", { class: "tag guest" }, "Guest") : null,
    user?.is_stranger ? h("span", { class: "tag guest" }, "External") : null,
    h("time", { title: fullOf(message.ts) }, clockOf(message.ts)));
}

function content(message) {
  const owner = ownerOf(message);
  const made = [];
  const states = message.state || {};
  if (message.blocks?.length) made.push(blocks(message.blocks, { states, owner }));
  else if (message.text) made.push(mrkdwn(message.text));
  for (const item of message.attachments || []) made.push(attachment(item, { states, owner }));
  if (message.edited && !message.blocks?.length) made.push(h("span", { class: "edited", title: fullOf(message.edited.ts) }, " (edited)"));
  return made;
}

function attachment(item, context) {
  const text = (words) => (words ? mrkdwn(words) : null);
  return h("div", { class: "attachment", style: item.color ? `border-left-color:${{ good: "#2fae6b", warning: "#e0a030", danger: "#d9364f" }[item.color] || cssColor(item.color)}` : "" },
    text(item.pretext),
    item.author_name ? h("b", {}, plain(item.author_name)) : null,
    item.title ? h("div", { class: "title" }, mrkdwn(item.title_link ? `<${item.title_link}|${item.title}>` : item.title)) : null,
    text(item.text),
    item.fields ? h("div", { class: "fields" }, item.fields.map((f) => h("div", { class: f.short ? "" : "long" }, h("b", {}, plain(f.title || "")), text(f.value)))) : null,
    item.blocks ? blocks(item.blocks, context) : null,
    item.image_url ? h("img", { src: item.image_url, alt: item.fallback || "" }) : null,
    item.footer ? h("div", { class: "foot" }, plain(item.footer), item.ts ? ` · ${fullOf(item.ts)}` : "") : null);
}

function files(message) {
  if (!message.files?.length) return null;
  return h("div", { class: "files" }, message.files.map((file) => {
    const src = new URL(file.url_private).pathname;
    if (file.mimetype.startsWith("image/")) {
      const sizes = file.original_w ? { width: file.original_w, height: file.original_h } : {};
      const image = h("img", { src, alt: file.alt_txt || file.title, loading: "lazy", style: "height:auto", ...sizes });
      return h("figure", { style: "margin:0" }, h("figcaption", { class: "caption" }, file.title),
        h("button", { type: "button", class: "file-image", "aria-label": `Enlarge: ${file.title}`, onclick: () => showPicture(src, file.title) }, image));
    }
    return h("a", { class: "file-card", href: src, target: "_blank" }, icon("file"), h("span", {}, h("b", {}, file.title), h("small", {}, `${file.filetype.toUpperCase()} · ${sizeOf(file.size)}`)));
  }));
}

const sizeOf = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(0)} kB` : `${(bytes / 1048576).toFixed(1)} MB`);

const react = async (message, name) => {
  const mine = message.reactions?.find((r) => r.name === name)?.users.includes(store.me.id);
  await tried(() => post("acts/react", { user: store.me.id, channel: message.channel, ts: message.ts, name, remove: Boolean(mine) }));
};

function reactions(message) {
  if (!message.reactions?.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((r) => {
    const mine = r.users.includes(store.me.id);
    return h("button", {
      type: "button",
      class: `reaction${mine ? " mine" : ""}`,
      "data-reaction": r.name,
      "aria-pressed": String(mine),
      title: `${r.users.map(nameOf).join(", ")} reacted with :${r.name}:`,
      onclick: () => react(message, r.name),
    }, emojiNode(r.name), String(r.count));
  }));
}

function threadLink(message) {
  if (!message.reply_count) return null;
  const { reply_count: count } = message;
  return h("button", { type: "button", class: "thread-link", "data-testid": "replies", onclick: () => go({ channel: message.channel, thread: message.ts }) },
    h("span", { class: "faces" }, message.reply_users.slice(0, 4).map((id) => avatar(id, { size: "tiny" }))),
    h("span", { class: "count" }, `${count} ${count === 1 ? "reply" : "replies"}`),
    h("span", { class: "last" }, `Last reply ${ago(message.latest_reply)}`));
}

function tools(message, node, { inThread }) {
  const bar = h("div", { class: "tools", role: "toolbar", "aria-label": "Message actions" });
  const held = () => bar.classList.add("held");
  const free = () => bar.classList.remove("held");
  if (!message.is_ephemeral) {
    const add = iconButton("smile", "Add reaction", () => { held(); emojiMenu(add, (name) => react(message, name), free); });
    bar.append(add);
    if (!inThread) bar.append(iconButton("reply", "Reply in thread", () => go({ channel: message.channel, thread: message.thread_ts || message.ts })));
  }
  const more = iconButton("more", "More actions", () => { held(); moreMenu(more, message, free); });
  bar.append(iconButton("code", "View JSON", () => jsonOf(message)), more);
  return bar;
}

async function jsonOf(message) {
  const fresh = await tried(() => get(`messages/${message.channel}/${message.ts}`));
  if (!fresh) return;
  const { reading, is_notice: _n, is_broadcast: _b, ...json } = fresh.message;
  showJson("Message JSON", json);
}

function moreMenu(anchor, message, onclose) {
  const shortcuts = [...store.apps.values()].flatMap((app) => app.shortcuts.filter((s) => s.type === "message").map((s) => ({ app, s })));
  const use = (s) => () => tried(async () => warn(await post("acts/shortcut", { user: store.me.id, shortcut: s.callback_id, channel: message.channel, ts: message.ts })));
  const link = `${location.origin}/client/${message.channel}/${message.thread_ts || message.ts}?at=${message.ts}`;
  popup(anchor, [
    shortcuts.map(({ app, s }) => menuItem(s.name, use(s), { about: app.display_name, sign: "bolt" })),
    shortcuts.length ? h("hr") : null,
    menuItem("Copy link", () => navigator.clipboard?.writeText(link).then(() => toast("Link copied")), { sign: "link" }),
    menuItem("View JSON", () => jsonOf(message), { sign: "code" }),
  ], { label: "More actions", onclose });
}

export function emojiMenu(anchor, pick, onclose) {
  const grid = h("div", { class: "emoji-grid" });
  const draw = (query) => {
    const names = query ? Object.keys(EMOJI).filter((name) => name.includes(query)).slice(0, 48) : quickNames();
    grid.replaceChildren(...names.map((name) => h("button", { type: "button", title: `:${name}:`, "aria-label": name, "data-emoji": name, onclick: () => { closePopup(); pick(name); } }, emojiNode(name))));
  };
  const search = h("input", { type: "search", placeholder: "Search emoji", "aria-label": "Search emoji" });
  search.addEventListener("input", () => draw(search.value.trim().toLowerCase()));
  draw("");
  popup(anchor, [search, grid], { role: "dialog", label: "Emoji", onclose });
}

function ownerOf(message) {
  const where = { user: store.me.id, channel: message.channel, ts: message.ts };
  return {
    act: (block, item, value) => tried(async () => {
      const outcome = await post("acts/click", { ...where, action_id: item.action_id, block_id: block.block_id, value });
      if (item.type !== "button") remember(message, block, item);
      warn(outcome);
    }),
    suggest: (block, item, query) => post("acts/suggest", { ...where, action_id: item.action_id, block_id: block.block_id, query }),
  };
}

// The server knows what was chosen; ask it, so that the menu shows it.
async function remember(message, block, item) {
  const { message: fresh } = await get(`messages/${message.channel}/${message.ts}`, { user: store.me.id });
  message.state = fresh.state;
  const known = store.messages.get(message.channel)?.get(message.ts);
  if (known) known.state = fresh.state;
  document.dispatchEvent(new CustomEvent("restate", { detail: { ...message, state: fresh.state, block, item } }));
}

export function warn(outcome) {
  if (!outcome || outcome.ok) return;
  const app = "The app";
  const words = { operation_timeout: `${app} did not respond in time.`, dispatch_failed: `${app} is not responding.` };
  if (words[outcome.error]) toast(words[outcome.error], { bad: true });
}

export async function tried(work) {
  try {
    return await work();
  } catch (error) {
    toast(error.message, { bad: true });
    return null;
  }
}

export { appOf };
