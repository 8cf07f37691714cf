// The sidebar: workspace, who you are, channels, apps.

import { avatar } from "/static/js/avatar.js";
import { fill, h, icon, iconButton } from "/static/js/dom.js";
import { become, go, place } from "/static/js/router.js";
import { channelName, nameOf, on, store } from "/static/js/store.js";

export function drawSidebar() {
  const channels = [...store.channels.values()].filter((c) => !c.is_archived);
  const rooms = channels.filter((c) => !c.is_im).sort((a, b) => (a.name < b.name ? -1 : 1));
  const directs = channels.filter((c) => c.is_im);
  fill(document.getElementById("sidebar"),
    h("div", { class: "workspace" }, h("h1", {}, store.workspace.name), themeButton()),
    picker(),
    h("div", { class: "side-scroll" },
      h("div", { class: "side-title", id: "rooms" }, "Channels"),
      h("div", { role: "list", "aria-labelledby": "rooms" }, rooms.map(room)),
      h("div", { class: "side-title", id: "apps" }, "Apps"),
      h("div", { role: "list", "aria-labelledby": "apps" }, [...store.apps.values()].map((app) => appItem(app, directs)))));
  document.title = `${unreadMark(channels)}${title()} – ${store.workspace.name}`;
}

const unreadMark = (channels) => (channels.some((c) => c.unread && c.members.includes(store.me.id)) ? "● " : "");

function title() {
  const { id } = place();
  const channel = store.channels.get(id);
  if (channel) return `${channel.is_im ? "" : "#"}${channelName(channel)}`;
  return store.apps.get(id)?.display_name || "";
}

function themeButton() {
  const button = iconButton("contrast", `Theme: ${window.theme.get()}`, () => {
    const label = `Theme: ${window.theme.next()}`;
    button.title = label;
    button.setAttribute("aria-label", label);
  }, { id: "theme" });
  return button;
}

function picker() {
  const people = [...store.users.values()].filter((u) => !u.is_bot);
  const select = h("select", { id: "person", "aria-label": "You are" }, people.map((u) =>
    h("option", { value: u.id, selected: u.id === store.me.id }, `${u.real_name}${u.profile.title ? ` – ${u.profile.title}` : ""}${u.deleted ? " (deactivated)" : ""}`)));
  select.addEventListener("change", () => become(select.value));
  return h("div", { class: "person-picker" }, avatar(store.me.id), h("div", { class: "who" }, h("small", {}, "You are"), h("b", {}, store.me.real_name)), icon("down"), select);
}

const current = (id) => (place().id === id ? "page" : undefined);

function room(channel) {
  const member = channel.members.includes(store.me.id);
  const unread = member && channel.unread > 0 && current(channel.id) === undefined;
  return h("a", {
    class: `side-item${unread ? " unread" : ""}`,
    role: "listitem",
    href: `/client/${channel.id}?user=${store.me.id}`,
    "data-channel": channel.name,
    "aria-current": current(channel.id),
    onclick: (event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); document.body.dataset.pane = "main"; go({ channel: channel.id }); } },
  }, h("span", { class: "sign" }, channel.is_private ? icon("lock") : "#"), h("span", { class: "label" }, channel.name),
  member ? null : h("span", { class: "muted" }, "not joined"),
  unread ? h("span", { class: "badge", "aria-label": `${channel.unread} unread` }, String(channel.unread)) : null);
}

function appItem(app, directs) {
  const direct = directs.find((c) => c.members.includes(app.bot_user) && c.members.includes(store.me.id));
  const unread = direct?.unread && current(app.id) === undefined ? direct.unread : 0;
  const online = app.mode === "http" || app.sockets > 0;
  return h("a", {
    class: `side-item${unread ? " unread" : ""}`,
    role: "listitem",
    href: `/client/${app.id}?user=${store.me.id}`,
    "data-app": app.name,
    "aria-current": current(app.id) || (direct && current(direct.id)),
    onclick: (event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); document.body.dataset.pane = "main"; go({ channel: app.id }); } },
  }, avatar(app.bot_user, { size: "small" }), h("span", { class: "label" }, nameOf(app.bot_user)),
  h("span", { class: `dot${online ? "" : " off"}`, role: "img", "aria-label": online ? "connected" : "not connected", title: online ? "Connected" : "Not connected" }),
  unread ? h("span", { class: "badge" }, String(unread)) : null);
}

on("channels", drawSidebar);
on("workspace", drawSidebar);
on("place", drawSidebar);
