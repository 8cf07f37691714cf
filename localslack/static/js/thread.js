// The pane at the right: one thread.

import { composer } from "/static/js/composer.js";
import { fill, h, iconButton } from "/static/js/dom.js";
import { tried } from "/static/js/message.js";
import { go, place } from "/static/js/router.js";
import { channelName, loadThread, on, store } from "/static/js/store.js";
import { Timeline } from "/static/js/timeline.js";

let timeline = null;

export async function showThread(channel, ts) {
  const side = document.getElementById("side");
  if (!ts) {
    side.hidden = true;
    store.thread = null;
    timeline = null;
    return;
  }
  if (store.thread?.ts === ts && store.thread.channel === channel.id && timeline) return;
  const found = await tried(async () => { await loadThread(channel.id, ts); return true; });
  if (!found) {
    go({ channel: channel.id });
    return;
  }
  timeline = new Timeline({ read: () => store.thread?.messages || new Map(), inThread: true });
  const close = () => go({ channel: channel.id });
  const member = channel.members.includes(store.me.id);
  fill(side, h("section", { "data-testid": "thread", "data-thread-ts": ts, style: "display:contents" },
    h("header", { class: "bar" },
      iconButton("back", "Back to the channel", close, { class: "icon-button back" }),
      h("h2", {}, "Thread"), h("span", { class: "where" }, `${channel.is_im ? "" : "#"}${channelName(channel)}`), h("span", { class: "spacer" }),
      iconButton("close", "Close thread", close)),
    timeline.node,
    member ? composer({ id: "thread-composer", channel, threadTs: ts }) : null));
  timeline.list.style.justifyContent = "flex-start";
  timeline.list.classList.add("from-top");
  side.hidden = false;
  timeline.draw({ toBottom: true });
  const { at } = place();
  if (at) timeline.flash(at);
}

on("message", (message) => {
  const { thread } = store;
  if (timeline && thread && message.channel === thread.channel && [message.ts, message.thread_ts].includes(thread.ts)) {
    timeline.draw({ toBottom: message.user === store.me.id && !message.edited && message.ts !== thread.ts });
  }
});
on("gone", (change) => { if (timeline && change.channel === store.thread?.channel) timeline.draw(); });
document.addEventListener("restate", async (event) => {
  const message = event.detail;
  if (!timeline || !store.thread?.messages.has(message.ts)) return;
  store.thread.messages.get(message.ts).state = message.state;
  timeline.draw();
});
