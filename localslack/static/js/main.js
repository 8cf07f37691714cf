// The page: start it, and show what the address says.

import { get } from "/static/js/api.js";
import { forgetChannel, showChannel } from "/static/js/channel.js";
import { fill, h } from "/static/js/dom.js";
import { listen } from "/static/js/feed.js";
import { showHome } from "/static/js/home.js";
import { syncModals } from "/static/js/modal.js";
import { place, settle, watchPlace } from "/static/js/router.js";
import { drawSidebar } from "/static/js/sidebar.js";
import { emit, loadState, on, store } from "/static/js/store.js";
import { showThread } from "/static/js/thread.js";

async function who() {
  const { user } = place();
  const { users } = await get("people");
  const found = users.find((u) => u.id === user || u.name === user);
  return (found || users.find((u) => !u.is_bot)).id;
}

async function start() {
  const user = await who();
  await loadState(user);
  const { id, thread } = place();
  const known = store.channels.get(id) || [...store.channels.values()].find((c) => c.name === id) || store.apps.get(id);
  const at = new URLSearchParams(location.search).get("at");
  settle({ channel: (known || firstChannel()).id, thread: known ? thread : null, user });
  if (at) history.replaceState(null, "", `${location.href}&at=${at}`);
  watchPlace();
  drawSidebar();
  listen();
  await Promise.all([show(), syncModals()]);
  document.body.dataset.ready = "true";
}

function firstChannel() {
  const mine = [...store.channels.values()].filter((c) => c.members.includes(store.me.id) && !c.is_im);
  return mine[0] || [...store.channels.values()][0];
}

async function show() {
  const { id, thread } = place();
  const app = store.apps.get(id);
  if (app) {
    await showThread(null, null);
    await showHome(app);
    return;
  }
  const channel = store.channels.get(id) || firstChannel();
  if (!channel) return;
  await showChannel(channel);
  await showThread(channel, thread);
}

on("place", show);
on("reset", async () => {
  store.messages.clear();
  store.thread = null;
  forgetChannel();
  await loadState(store.me.id);
  emit("channels");
  await showThread(null, null);
  if (!store.channels.has(place().id) && !store.apps.has(place().id)) settle({ channel: firstChannel().id });
  await Promise.all([show(), syncModals()]);
});

start().catch((error) => {
  fill(document.getElementById("main"), h("div", { class: "empty" }, h("h3", {}, "The page could not start"), h("p", {}, error.message)));
});
