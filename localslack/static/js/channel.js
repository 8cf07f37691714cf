// A channel: its bar, its messages, and the composer.

import { post } from "/static/js/api.js";
import { avatar } from "/static/js/avatar.js";
import { composer } from "/static/js/composer.js";
import { fill, h, icon, iconButton } from "/static/js/dom.js";
import { toggleDrawer } from "/static/js/drawer.js";
import { tried } from "/static/js/message.js";
import { plain } from "/static/js/mrkdwn.js";
import { popup } from "/static/js/popup.js";
import { place } from "/static/js/router.js";
import { channelName, loadChannel, markRead, nameOf, on, store } from "/static/js/store.js";
import { Timeline, emptyChannel } from "/static/js/timeline.js";

let shown = null;

export const backButton = (onclick) => iconButton("back", "Back", onclick, { class: "icon-button back" });
export const drawerButton = () => iconButton("flask", "Behind the scenes", toggleDrawer, { "data-testid": "drawer-button" });
export const showList = () => { document.body.dataset.pane = "list"; };

export async function showChannel(channel) {
  const main = document.getElementById("main");
  const same = shown?.id === channel.id && main.contains(shown.timeline.node);
  store.current = channel.id;
  if (same) return;
  await loadChannel(channel.id);
  const hasCommands = [...store.apps.values()].some((app) => app.commands.length);
  const timeline = new Timeline({
    read: () => store.messages.get(channel.id) || new Map(),
    empty: emptyChannel(`${channel.is_im ? "" : "#"}${channelName(channel)}`, hasCommands),
  });
  shown = { id: channel.id, timeline };
  fill(main, bar(channel), bookmarks(channel), timeline.node, foot(channel));
  timeline.draw({ toBottom: true });
  const { at } = place();
  if (at) timeline.flash(at);
  else document.getElementById("composer")?.focus({ preventScroll: true });
  markRead(channel.id);
}

function bar(channel) {
  return h("header", { class: "bar", "data-testid": "channel-header" },
    backButton(showList),
    channel.is_im ? avatar(channel.members.find((m) => m !== store.me.id), { size: "tiny" }) : icon(channel.is_private ? "lock" : "hash"),
    h("div", { class: "title-box" }, h("h2", {}, channelName(channel))),
    h("div", { class: "topic", title: channel.topic?.value || "" }, plain(channel.topic?.value || "")),
    channel.is_im ? null : members(channel),
    drawerButton());
}

function members(channel) {
  const people = channel.members.filter((id) => store.users.has(id));
  const button = h("button", { type: "button", class: "members", "aria-label": `${people.length} members` },
    h("span", {}, people.slice(0, 3).map((id) => avatar(id, { size: "tiny" }))), String(people.length));
  button.addEventListener("click", () => popup(button, people.map((id) => h("div", { class: "item" }, avatar(id, { size: "tiny" }),
    h("span", { class: "grow" }, nameOf(id), h("small", {}, store.users.get(id).profile.title || (store.users.get(id).is_bot ? "App" : "")))))));
  return button;
}

function bookmarks(channel) {
  if (!channel.bookmarks?.length) return null;
  return h("div", { class: "bookmarks" }, channel.bookmarks.map((b) => h("a", { href: b.link, target: "_blank", rel: "noopener noreferrer" }, b.title)));
}

function foot(channel) {
  if (channel.members.includes(store.me.id)) return composer({ id: "composer", channel });
  const join = () => tried(async () => {
    await post("acts/join", { user: store.me.id, channel: channel.id });
    shown = null;
    await showChannel(store.channels.get(channel.id));
  });
  return h("div", { class: "join" }, h("span", {}, "You are looking at ", h("b", {}, `#${channelName(channel)}`)),
    h("button", { type: "button", class: "button primary", onclick: join }, "Join channel"));
}

export function forgetChannel() {
  shown = null;
}

on("message", (message) => {
  if (shown && message.channel === shown.id && store.current === shown.id) {
    shown.timeline.draw({ toBottom: message.user === store.me.id && !message.edited && !message.reply_count && !message.thread_ts });
    if (!document.hidden) markRead(shown.id);
  }
});
on("gone", (change) => { if (change.channel === shown?.id) shown.timeline.draw(); });
document.addEventListener("restate", (event) => { if (event.detail.channel === shown?.id) shown.timeline.draw(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && shown && store.current === shown.id) markRead(shown.id); });
on("channels", () => {
  const channel = shown && store.channels.get(shown.id);
  const old = document.querySelector('[data-testid="channel-header"]');
  if (channel && old && store.current === shown.id) old.replaceWith(bar(channel));
});
