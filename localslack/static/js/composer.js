// Writing: messages, slash commands with completion, mentions, emoji, files.

import { post } from "/static/js/api.js";
import { avatar } from "/static/js/avatar.js";
import { fill, h, icon, iconButton, toast } from "/static/js/dom.js";
import { EMOJI, emojiNode } from "/static/js/emoji.js";
import { emojiMenu, tried, warn } from "/static/js/message.js";
import { menuItem, popup } from "/static/js/popup.js";
import { channelName, nameOf, store } from "/static/js/store.js";

export function composer({ id, channel, threadTs = null }) {
  const where = threadTs ? "thread" : `${channel.is_im ? "" : "#"}${channelName(channel)}`;
  const label = threadTs ? "Reply…" : `Message ${where}`;
  const area = h("textarea", {
    id,
    rows: 1,
    placeholder: label,
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-controls": `${id}-completions`,
    spellcheck: "true",
  });
  const list = h("div", { class: "completions", id: `${id}-completions`, role: "listbox", hidden: true });
  const hint = h("div", { class: "hint", "aria-live": "polite" });
  const send = h("button", { type: "submit", class: "send", "aria-label": "Send", title: "Send", disabled: true }, icon("send"));
  const file = h("input", { type: "file", hidden: true, "aria-label": "Upload a file" });
  const plus = iconButton("plus", "Attach a file or use a shortcut", () => plusMenu(plus, file));
  const smile = iconButton("smile", "Emoji", () => emojiMenu(smile, (name) => insert(area, `:${name}: `)));
  const form = h("form", { class: "composer", "data-testid": `${id}-form` }, list, area, h("div", { class: "row" }, plus, smile, hint, file, send));
  const complete = completion({ area, list, hint, inThread: Boolean(threadTs) });

  const submit = async () => {
    const text = area.value.trim();
    if (!text) return;
    area.value = "";
    area.dispatchEvent(new Event("input"));
    const common = { user: store.me.id, channel: channel.id, thread_ts: threadTs };
    await tried(async () => {
      const command = /^(\/[a-z0-9][\w-]*)(?:\s+([\s\S]*))?$/.exec(text);
      if (!command) return post("acts/post", { ...common, text });
      hint.replaceChildren(h("b", {}, command[1]), " sent…");
      const outcome = await post("acts/slash", { ...common, command: command[1], text: command[2] || "" });
      hint.replaceChildren();
      return outcome;
    });
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  area.addEventListener("keydown", (event) => {
    if (complete.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  area.addEventListener("input", () => {
    send.disabled = !area.value.trim();
    grow(area);
    complete.update();
  });
  area.addEventListener("blur", () => setTimeout(complete.hide, 120));
  file.addEventListener("change", () => share(file, { channel, threadTs }));
  return form;
}

function grow(area) {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight}px`;
}

function insert(area, text) {
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.focus();
  area.dispatchEvent(new Event("input"));
}

function plusMenu(anchor, file) {
  const globals = [...store.apps.values()].flatMap((app) => app.shortcuts.filter((s) => s.type === "global").map((s) => ({ app, s })));
  const use = (s) => () => tried(async () => warn(await post("acts/shortcut", { user: store.me.id, shortcut: s.callback_id })));
  popup(anchor, [
    menuItem("Upload a file", () => file.click(), { sign: "file" }),
    globals.length ? h("hr") : null,
    globals.map(({ app, s }) => menuItem(s.name, use(s), { about: s.description || app.display_name, sign: "bolt" })),
  ]);
}

async function share(input, { channel, threadTs }) {
  const [file] = input.files;
  if (!file) return;
  input.value = "";
  await tried(async () => {
    await post("acts/upload", { user: store.me.id, channel: channel.id, name: file.name, content_base64: await base64Of(file), thread_ts: threadTs });
    toast(`${file.name} shared`);
  });
}

export const base64Of = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(String(reader.result).split(",")[1] || "");
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

// Completion of /commands, @people, #channels and :emoji:.
function completion({ area, list, hint, inThread }) {
  let options = [];
  let at = 0;
  let span = null;

  const hide = () => { list.hidden = true; area.removeAttribute("aria-activedescendant"); };
  const draw = (title) => {
    list.hidden = !options.length;
    fill(list, h("div", { class: "head" }, title), options.map((option, index) => h("button", {
      type: "button",
      class: "completion",
      role: "option",
      id: `${list.id}-${index}`,
      "aria-selected": String(index === at),
      onmousedown: (event) => { event.preventDefault(); take(index); },
    }, option.face, h("span", { class: "what" }, option.label, option.usage ? h("span", { class: "usage" }, ` ${option.usage}`) : null),
    option.from ? h("span", { class: "from" }, option.from) : null,
    option.about ? h("span", { class: "about" }, option.about) : null)));
    if (!list.hidden) {
      area.setAttribute("aria-activedescendant", `${list.id}-${at}`);
      list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
    }
  };
  let title = "";
  const update = () => {
    const before = area.value.slice(0, area.selectionStart);
    const found = search(before, inThread);
    showHint(before);
    options = found?.options || [];
    span = found?.span;
    title = found?.title || "";
    at = 0;
    if (options.length) draw(title);
    else hide();
  };
  const showHint = (before) => {
    const [, name] = /^(\/[\w-]+)\s/.exec(before) || [];
    const command = name && commands().find((c) => c.name === name);
    fill(hint, command ? [h("b", {}, command.name), ` ${command.usage_hint || command.description}`] : null);
  };
  const take = (index) => {
    area.setRangeText(`${options[index].insert} `, span[0], area.selectionStart, "end");
    hide();
    area.focus();
    area.dispatchEvent(new Event("input"));
  };
  const typed = () => area.value.slice(span[0], area.selectionStart);
  const key = (event) => {
    if (list.hidden) return false;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
      draw(title);
    } else if (event.key === "Tab" || (event.key === "Enter" && options[at].insert !== typed())) take(at);
    else if (event.key === "Escape") hide();
    else return false;
    event.preventDefault();
    return true;
  };
  return { update, key, hide };
}

const commands = () => [...store.apps.values()].flatMap((app) => app.commands.map((c) => ({ ...c, app })));

function search(before, inThread) {
  const command = /^(\/[\w-]*)$/.exec(before);
  if (command) return commandOptions(command[1], inThread);
  const word = /(?:^|\s)([@#:])([\w.+-]*)$/.exec(before);
  if (!word) return null;
  const span = [before.length - word[2].length - 1];
  const query = word[2].toLowerCase();
  switch (word[1]) {
    case "@":
      return { title: "People and groups", span, options: mentions(query) };
    case "#":
      return { title: "Channels", span, options: channels(query) };
    default:
      return query.length < 2 ? null : { title: "Emoji", span, options: emoji(query) };
  }
}

function commandOptions(typed, inThread) {
  const options = commands().filter((c) => c.name.startsWith(typed)).map((c) => ({
    face: avatar(c.app.bot_user, { size: "small" }),
    label: c.name,
    usage: c.usage_hint,
    about: c.description,
    from: c.app.display_name,
    insert: c.name,
  }));
  return { title: inThread ? "Slash commands do not work in threads" : "Commands", span: [0], options };
}

function mentions(query) {
  const people = [...store.users.values()].filter((u) => !u.deleted).map((u) => ({
    face: avatar(u.id, { size: "small" }), label: nameOf(u.id), about: u.profile.title || null, from: u.is_bot ? "App" : null, insert: `@${u.name}`, search: `${u.name} ${nameOf(u.id)}`,
  }));
  const groups = [...store.groups.values()].map((g) => ({ face: sign("@"), label: `@${g.handle}`, about: g.name, from: `${g.members.length} people`, insert: `@${g.handle}`, search: `${g.handle} ${g.name}` }));
  const all = ["here", "channel"].map((w) => ({ face: sign("@"), label: `@${w}`, about: w === "here" ? "Everyone online in the channel" : "Everyone in the channel", insert: `@${w}`, search: w }));
  return [...people, ...groups, ...all].filter((o) => o.search.toLowerCase().split(/\s+/).some((w) => w.startsWith(query))).slice(0, 8);
}

const channels = (query) => [...store.channels.values()].filter((c) => !c.is_im && c.name.includes(query)).slice(0, 8)
  .map((c) => ({ face: sign("#"), label: c.name, about: c.topic.value || null, insert: `#${c.name}` }));

const emoji = (query) => Object.keys(EMOJI).filter((name) => name.startsWith(query)).slice(0, 8)
  .map((name) => ({ face: h("span", {}, emojiNode(name)), label: `:${name}:`, insert: `:${name}:` }));

const sign = (text) => h("span", { style: "width:20px;text-align:center" }, text);
