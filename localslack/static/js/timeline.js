// A list of messages that follows what happens.

import { fill, h } from "/static/js/dom.js";
import { groupsWith, messageNode } from "/static/js/message.js";
import { sorted } from "/static/js/store.js";
import { dayOf } from "/static/js/time.js";

export class Timeline {
  constructor({ read, inThread = false, empty = null }) {
    this.read = read;
    this.inThread = inThread;
    this.empty = empty;
    this.list = h("div", { class: "timeline", "data-testid": inThread ? "thread-messages" : "timeline" });
    this.scroll = h("div", { class: "scroll", tabindex: "0", role: "log", "aria-label": inThread ? "Thread" : "Messages" }, this.list);
    this.drawn = new Map();
  }

  get node() {
    return this.scroll;
  }

  draw({ toBottom = false } = {}) {
    const wasAtBottom = toBottom || this.atBottom();
    const items = [];
    const kept = new Map();
    const messages = sorted(this.read());
    messages.forEach((message, index) => {
      const before = messages[index - 1];
      if (!this.inThread && (!before || dayOf(before.ts) !== dayOf(message.ts))) items.push(h("div", { class: "day" }, h("span", {}, dayOf(message.ts))));
      const grouped = Boolean(groupsWith(message, before)) && !(this.inThread && index === 1);
      const look = JSON.stringify([message, grouped]);
      const known = this.drawn.get(message.ts);
      const node = known?.look === look ? known.node : messageNode(message, { grouped, inThread: this.inThread });
      kept.set(message.ts, { look, node });
      items.push(node);
      if (this.inThread && index === 0 && messages.length > 1) items.push(h("div", { class: "replies-rule" }, `${messages.length - 1} ${messages.length === 2 ? "reply" : "replies"}`));
    });
    this.drawn = kept;
    reconcile(this.list, items.length || !this.empty ? items : [this.empty()]);
    if (wasAtBottom) this.toBottom();
  }

  atBottom() {
    return this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight < 120;
  }

  toBottom() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  flash(ts) {
    const node = this.drawn.get(ts)?.node;
    node?.scrollIntoView({ block: "center" });
    node?.classList.add("flash");
  }
}

// Puts `items` in place of what is there, touching only what differs, so that focus and open menus stay.
function reconcile(list, items) {
  const wanted = new Set(items);
  for (const child of [...list.childNodes]) if (!wanted.has(child)) child.remove();
  let at = list.firstChild;
  for (const item of items) {
    if (item === at) at = at.nextSibling;
    else list.insertBefore(item, at);
  }
}

export const emptyChannel = (name, hasCommands) => () => h("div", { class: "empty" },
  h("h3", {}, name),
  h("p", {}, "Nothing has been said here yet."),
  hasCommands ? h("p", {}, "Type ", h("kbd", {}, "/"), " to see what the apps here can do.") : null);

export { fill };
