// The square beside a name.

import { h } from "/static/js/dom.js";
import { nameOf, store } from "/static/js/store.js";

export function avatar(id, { size = "", name } = {}) {
  const user = id ? store.users.get(id) : null;
  const words = (user ? nameOf(id) : name || "?").trim();
  const color = user ? `#${user.color}` : "#5a6080";
  const app = user?.is_bot ? [...store.apps.values()].find((a) => a.bot_user === id) : null;
  const shade = app ? `linear-gradient(135deg, #${app.color}, color-mix(in srgb, #${app.color} 62%, #101828))` : color;
  return h("span", { class: `avatar ${size}`, style: `background:${shade}`, "aria-hidden": "true", title: words }, app ? glyph(words) : initials(words));
}

const initials = (words) => words.split(/\s+/).slice(0, 2).map((word) => word[0]?.toUpperCase() || "").join("");
const glyph = (words) => words[0]?.toUpperCase() || "A";
