// The markdown block: standard Markdown, as far as Slack takes it.

import { h } from "/static/js/dom.js";
import { withEmoji } from "/static/js/emoji.js";
import { linkNode } from "/static/js/mrkdwn.js";

export function markdown(text) {
  const node = h("div", { class: "block md" });
  const lines = text.split("\n");
  while (lines.length) node.append(take(lines));
  return node;
}

function take(lines) {
  const line = lines.shift();
  if (!line.trim()) return document.createTextNode("");
  const fence = /^```/.exec(line);
  if (fence) return h("pre", { class: "code" }, until(lines, (l) => l.startsWith("```"), true).join("\n"));
  const head = /^(#{1,6})\s+(.*)$/.exec(line);
  if (head) return h(`h${Math.min(head[1].length, 3)}`, {}, inline(head[2]));
  if (/^(-{3,}|\*{3,})\s*$/.test(line)) return h("hr", { class: "block divider" });
  if (/^>\s?/.test(line)) return h("blockquote", {}, run(line, lines, /^>\s?/).map(inlineLine));
  if (/^\s*[-*+]\s+/.test(line)) return h("ul", {}, run(line, lines, /^\s*[-*+]\s+/).map((l) => h("li", {}, task(l))));
  if (/^\s*\d+[.)]\s+/.test(line)) return h("ol", {}, run(line, lines, /^\s*\d+[.)]\s+/).map((l) => h("li", {}, inline(l))));
  if (line.includes("|") && /^[\s|:-]+$/.test(lines[0] ?? "x")) return table(line, lines);
  const rest = until(lines, (l) => !l.trim() || /^(#{1,6}\s|```|>|\s*[-*+]\s|\s*\d+[.)]\s)/.test(l), false);
  return h("p", {}, [line, ...rest].flatMap((l, i) => (i ? ["\n", ...inline(l)] : inline(l))));
}

function until(lines, ends, eat) {
  const taken = [];
  while (lines.length && !ends(lines[0])) taken.push(lines.shift());
  if (eat) lines.shift();
  return taken;
}

function run(first, lines, pattern) {
  const taken = [first];
  while (lines.length && pattern.test(lines[0])) taken.push(lines.shift());
  return taken.map((line) => line.replace(pattern, ""));
}

const inlineLine = (line, index) => [index ? "\n" : "", ...inline(line)];
const task = (line) => inline(line.replace(/^\[( |x)\]\s/, (_, done) => (done === "x" ? "☑ " : "☐ ")));

function table(first, lines) {
  lines.shift();
  const cells = (line) => line.replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  const rows = until(lines, (l) => !l.includes("|"), false);
  return h("div", { class: "table-box" }, h("table", {},
    h("tr", {}, cells(first).map((c) => h("th", {}, c))),
    rows.map((row) => h("tr", {}, cells(row).map((c) => h("td", {}, c))))));
}

const RULES = [
  [/`([^`]+)`/, (m) => h("code", {}, m[1])],
  [/!?\[([^\]]+)\]\((\S+?)\)/, (m) => linkNode(m[2], m[1])],
  [/\*\*([^*]+)\*\*|__([^_]+)__/, (m) => h("strong", {}, inline(m[1] || m[2]))],
  [/~~([^~]+)~~/, (m) => h("s", {}, inline(m[1]))],
  [/(?<![*\w])\*([^*\s][^*]*)\*|(?<![_\w])_([^_\s][^_]*)_(?!\w)/, (m) => h("em", {}, inline(m[1] || m[2]))],
  [/https?:\/\/[^\s<>)]+/, (m) => linkNode(m[0], m[0])],
];

function inline(text) {
  for (const [pattern, make] of RULES) {
    const match = pattern.exec(text);
    if (match) {
      return [...inline(text.slice(0, match.index)), make(match), ...inline(text.slice(match.index + match[0].length))];
    }
  }
  return text ? withEmoji(text) : [];
}
