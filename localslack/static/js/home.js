// An app's own place: its Home tab, and messages with it.

import { get, post } from "/static/js/api.js";
import { avatar } from "/static/js/avatar.js";
import { blocks } from "/static/js/blocks.js";
import { backButton, drawerButton, forgetChannel, showList } from "/static/js/channel.js";
import { fill, h } from "/static/js/dom.js";
import { tried, warn } from "/static/js/message.js";
import { go, place } from "/static/js/router.js";
import { on, refreshChannels, store } from "/static/js/store.js";

export async function showHome(app) {
  store.current = null;
  forgetChannel();
  const box = h("div", { class: "home", "data-testid": "home" });
  fill(document.getElementById("main"),
    h("header", { class: "bar" }, backButton(showList), avatar(app.bot_user, { size: "tiny" }), h("div", { class: "title-box" }, h("h2", {}, app.display_name)), h("span", { class: "spacer" }), drawerButton()),
    h("div", { class: "tabs", role: "tablist" },
      h("button", { type: "button", role: "tab", "aria-selected": "true" }, "Home"),
      h("button", { type: "button", role: "tab", "aria-selected": "false", onclick: () => openMessages(app) }, "Messages")),
    h("div", { class: "scroll", role: "tabpanel" }, box));
  await tried(() => post("acts/home", { user: store.me.id, app: app.id }));
  await refreshChannels();
  await redraw(app);
}

function openMessages(app) {
  const direct = [...store.channels.values()].find((c) => c.is_im && c.members.includes(app.bot_user) && c.members.includes(store.me.id));
  if (direct) go({ channel: direct.id });
}

function draw(app, view, box) {
  if (!view) {
    fill(box, h("div", { class: "empty" }, h("h3", {}, app.display_name), h("p", {}, app.home_tab ? "This app has not published its Home yet." : "This app has no Home tab.")));
    return;
  }
  fill(box, blocks(view.blocks, { states: view.state.values, owner: ownerOf(app, view) }));
}

function ownerOf(app, view) {
  const where = { user: store.me.id, home_of: app.id };
  return {
    act: (block, item, value) => tried(async () => {
      warn(await post("acts/click", { ...where, action_id: item.action_id, block_id: block.block_id, value }));
      if (item.type !== "button") await redraw(app);
    }),
    suggest: (block, item, query) => post("acts/suggest", { ...where, action_id: item.action_id, block_id: block.block_id, query }),
    view,
  };
}

async function redraw(app) {
  const box = document.querySelector('[data-testid="home"]');
  if (!box) return;
  const { view } = await get("home", { user: store.me.id, app: app.id });
  draw(app, view, box);
}

on("home", (change) => {
  const app = store.apps.get(place().id);
  if (app && change.app === app.id) redraw(app);
});
