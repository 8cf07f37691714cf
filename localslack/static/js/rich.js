// The rich_text block.

import { h } from "/static/js/dom.js";
import { emojiNode, withEmoji } from "/static/js/emoji.js";
import { channelNode, groupNode, linkNode, userNode } from "/static/js/mrkdwn.js";
import { formatDate } from "/static/js/time.js";

export const richText = (block) => h("div", { class: "block rich" }, parts(block.elements || []));

function parts(elements) {
  const made = [];
  for (let index = 0; index < elements.length; index += 1) {
    const part = elements[index];
    if (part.type === "rich_text_list") {
      const run = [part];
      while (elements[index + 1]?.type === "rich_text_list") run.push(elements[(index += 1)]);
      made.push(nested(run, 0));
    } else made.push(single(part));
  }
  return made;
}

function single(part) {
  const inside = (part.elements || []).map(leaf);
  switch (part.type) {
    case "rich_text_preformatted":
      return h("pre", { class: "code" }, (part.elements || []).map((e) => e.text || e.url || ""));
    case "rich_text_quote":
      return h("blockquote", { class: "text" }, inside);
    default:
      return h("div", { class: "text" }, inside);
  }
}

// Lists that follow each other with a deeper indent belong inside the item before.
function nested(run, depth) {
  const [first] = run;
  const list = h(first.style === "ordered" ? "ol" : "ul", first.offset ? { start: first.offset + 1 } : {});
  while (run.length) {
    const indent = run[0].indent || 0;
    if (indent < depth) break;
    if (indent > depth && list.lastChild) list.lastChild.append(nested(run, indent));
    else list.append(...run.shift().elements.map((item) => h("li", {}, (item.elements || []).map(leaf))));
  }
  return list;
}

function leaf(item) {
  switch (item.type) {
    case "link":
      return styled(linkNode(item.url, item.text || item.url), item.style);
    case "emoji":
      return emojiNode(item.name);
    case "user":
      return userNode(item.user_id);
    case "channel":
      return channelNode(item.channel_id);
    case "usergroup":
      return groupNode(item.usergroup_id);
    case "broadcast":
      return h("span", { class: "mention me" }, `@${item.range}`);
    case "date":
      return h("time", {}, formatDate(item.timestamp, item.format || "{date_short}"));
    case "color":
      return h("code", {}, h("i", { style: `display:inline-block;width:.8em;height:.8em;background:${cssColor(item.value)}` }), ` ${item.value}`);
    default:
      return styled(h("span", {}, withEmoji(item.text || "")), item.style);
  }
}

export const cssColor = (value) => (/^#?[0-9a-f]{3,8}$/i.test(value || "") ? `#${value.replace("#", "")}` : "var(--line-strong)");

const TAGS = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" };

function styled(node, style) {
  return Object.entries(TAGS).reduce((inner, [name, tag]) => (style?.[name] ? h(tag, {}, inner) : inner), node);
}
