// Slack's mrkdwn: text as stored, to nodes.

import { h } from "/static/js/dom.js";
import { withEmoji } from "/static/js/emoji.js";
import { channelName, nameOf, store } from "/static/js/store.js";
import { formatDate } from "/static/js/time.js";

const unescape = (text) => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

export function mrkdwn(text) {
  const node = h("div", { class: "text" });
  node.append(...blocksOf(String(text ?? "")));
  return node;
}

export const plain = (text) => withEmoji(String(text ?? ""));

function blocksOf(text) {
  const made = [];
  const parts = text.split(/```\n?([\s\S]*?)\n?```/);
  parts.forEach((part, index) => {
    if (index % 2) made.push(h("pre", { class: "code" }, codeText(part)));
    else made.push(...quotesOf(index ? part.replace(/^\n/, "") : part));
  });
  return made;
}

const ENTITY = /<((?:[@#!][A-Za-z0-9]|[a-z][a-z0-9+.-]*:)[^<>]*)>/;

const codeText = (text) => unescape(text.replace(new RegExp(ENTITY, "g"), (_, inner) => inner.split("|").at(-1)));

function quotesOf(text) {
  const made = [];
  let quote = [];
  let lines = [];
  const flushLines = () => {
    if (lines.length) made.push(...inline(lines.join("\n")));
    lines = [];
  };
  const flushQuote = () => {
    if (quote.length) made.push(h("blockquote", {}, inline(quote.join("\n"))));
    quote = [];
  };
  for (const line of text.split("\n")) {
    const match = /^(?:&gt;|>)\s?(.*)$/.exec(line);
    if (match) {
      flushLines();
      quote.push(match[1]);
    } else {
      if (quote.length) flushQuote();
      lines.push(line);
    }
  }
  flushQuote();
  flushLines();
  return made;
}

const STYLES = [
  { tag: "strong", pattern: /(^|[\s([{"'_~>–—/:])\*(\S|\S[^*\n]*?\S)\*(?=$|[\s)\]}.,:;!?"'_~<–—/])/ },
  { tag: "em", pattern: /(^|[\s([{"'*~>–—/:])_(\S|\S[^_\n]*?\S)_(?=$|[\s)\]}.,:;!?"'*~<–—/])/ },
  { tag: "s", pattern: /(^|[\s([{"'_*>–—/:])~(\S|\S[^~\n]*?\S)~(?=$|[\s)\]}.,:;!?"'_*<–—/])/ },
];

// Code first, then <…>, then the styles, each splitting the text around itself.
function inline(text) {
  const code = /`([^`\n]+)`/.exec(text);
  if (code) return around(text, code, h("code", {}, codeText(code[1])), 0);
  for (const { tag, pattern } of STYLES) {
    const match = pattern.exec(text);
    if (match && balanced(match[2])) return around(text, match, h(tag, {}, inline(match[2])), match[1].length);
  }
  const entity = ENTITY.exec(text);
  if (entity) return around(text, entity, entityNode(entity[1]), 0);
  return withEmoji(unescape(text));
}

const balanced = (text) => (text.match(/</g) || []).length === (text.match(/>/g) || []).length;

function around(text, match, node, skip) {
  const before = text.slice(0, match.index + skip);
  const after = text.slice(match.index + match[0].length);
  return [...(before ? inline(before) : []), node, ...(after ? inline(after) : [])];
}

function entityNode(inner) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : inner.slice(bar + 1);
  switch (target[0]) {
    case "@":
      return userNode(target.slice(1), label);
    case "#":
      return channelNode(target.slice(1), label);
    case "!":
      return specialNode(target.slice(1), label);
    default:
      return linkNode(unescape(target), unescape(label || target));
  }
}

export const userNode = (id, label = "") =>
  h("span", { class: `mention${id === store.me.id ? " me" : ""}`, "data-user": id }, `@${store.users.has(id) ? nameOf(id) : label || id}`);

export function channelNode(id, label = "") {
  const channel = store.channels.get(id);
  const name = channel ? channelName(channel) : label || "private channel";
  return h("a", { class: "mention", href: `/client/${id}`, "data-nav": "" }, `#${name}`);
}

export function groupNode(id, label = "") {
  const group = store.groups.get(id);
  const mine = group?.members.includes(store.me.id);
  return h("span", { class: `mention${mine ? " me" : ""}` }, group ? `@${group.handle}` : label || "@group");
}

function specialNode(target, label) {
  if (target.startsWith("subteam^")) return groupNode(target.slice(8), label);
  if (target.startsWith("date^")) {
    const [, epoch, format, link] = target.split("^");
    const words = formatDate(epoch, format);
    return link ? linkNode(link, words) : h("time", {}, words);
  }
  return h("span", { class: "mention me" }, `@${target}`);
}

export function linkNode(href, label) {
  const safe = /^(https?:|mailto:|tel:|slack:)/.test(href);
  return safe ? h("a", { href, target: "_blank", rel: "noopener noreferrer" }, withEmoji(label)) : h("span", {}, label);
}
