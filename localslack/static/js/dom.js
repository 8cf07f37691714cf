// Making elements, and the icons.

export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else if (key === "style") node.style.cssText = value;
    else if (key === "value") node.value = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const PATHS = {
  hash: "M9 4 7 20M17 4l-2 16M4 9h16M3.5 15h16",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  reply: "M5 5h14a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-8l-4.5 4V16H5a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zM8 9h8M8 12.5h5",
  more: "M12 5.2v.1M12 12v.1M12 18.7v.1",
  smile: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18zM8.5 14.5c2 2.6 5 2.6 7 0M9 9.5v.1M15 9.5v.1",
  code: "m8 7-5 5 5 5M16 7l5 5-5 5M13.5 5l-3 14",
  close: "M6 6l12 12M18 6 6 18",
  back: "m14 6-6 6 6 6",
  down: "m6 9 6 6 6-6",
  send: "M4 12 20 4l-5 16-3.5-6.5z",
  plus: "M12 5v14M5 12h14",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  check: "m5 12.5 4.5 4.5L19 7",
  cross: "M7 7l10 10M17 7 7 17",
  circle: "M12 19a7 7 0 1 1 0-14 7 7 0 0 1 0 14z",
  flask: "M9.5 3h5M10.5 3v6l-5 9.5A1.8 1.8 0 0 0 7 21h10a1.8 1.8 0 0 0 1.5-2.5l-5-9.5V3M8 15h8",
  contrast: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18zM12 3v18M12 7h6.5M12 11h8.5M12 15h8M12 19h4",
  home: "m4 11 8-7 8 7v9h-5.5v-6h-5v6H4z",
  bolt: "M13 3 5 13.5h6L10.5 21 19 10.5h-6z",
  file: "M6 3h8l4.5 4.5V21H6zM14 3v5h4.5",
  pin: "M9 4h6l-1 6 3.5 3.5h-11L10 10zM12 13.5V20",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  warning: "M12 4 2.8 19.5h18.4zM12 10v4.5M12 17v.1",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export function iconButton(name, label, onclick, extra = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...extra }, icon(name));
}

export function toast(words, { bad = false } = {}) {
  const node = h("div", { class: `toast${bad ? " bad" : ""}` }, words);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), bad ? 6000 : 3000);
}
