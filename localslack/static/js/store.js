// What this page knows, and who wants to hear when it changes.

import { get, post } from "/static/js/api.js";

const listeners = new Map();

export const on = (name, listener) => {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(listener);
  return () => listeners.get(name).delete(listener);
};

export const emit = (name, detail) => {
  for (const listener of listeners.get(name) || []) listener(detail);
};

export const store = {
  me: null,
  workspace: {},
  users: new Map(),
  channels: new Map(),
  groups: new Map(),
  apps: new Map(),
  faults: {},
  messages: new Map(),
  current: null,
  thread: null,
};

const byId = (items) => new Map(items.map((item) => [item.id, item]));

export async function loadState(user) {
  const state = await get("state", { user });
  store.me = state.me;
  store.workspace = state.workspace;
  store.users = byId(state.users);
  store.channels = byId(state.channels);
  store.groups = byId(state.usergroups);
  store.apps = byId(state.apps);
  store.faults = state.faults;
}

export async function loadChannel(id) {
  const { messages } = await get(`channels/${id}/messages`, { user: store.me.id });
  store.messages.set(id, byTs(messages));
}

export async function loadThread(channel, ts) {
  const { messages } = await get(`threads/${channel}/${ts}`, { user: store.me.id });
  store.thread = { channel, ts, messages: byTs(messages) };
}

const byTs = (messages) => new Map(messages.map((message) => [message.ts, message]));

export const isTop = (m) => !m.thread_ts || m.thread_ts === m.ts || m.is_broadcast;
export const sorted = (messages) => [...messages.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1));
export const appOf = (message) => (message.app_id ? store.apps.get(message.app_id) : null);
export const channelName = (channel) => {
  if (!channel) return "unknown";
  if (!channel.is_im) return channel.name;
  const other = channel.members.find((member) => member !== store.me.id);
  return nameOf(other);
};

export const nameOf = (id) => {
  const user = store.users.get(id);
  if (!user) return id;
  const app = [...store.apps.values()].find((a) => a.bot_user === id);
  return app ? app.display_name : user.real_name;
};

export function takeMessage(message) {
  const known = store.messages.get(message.channel);
  const isNew = !known?.has(message.ts);
  if (known && isTop(message)) {
    const before = known.get(message.ts);
    known.set(message.ts, before?.state && !message.state ? { ...message, state: before.state } : message);
  }
  const { thread } = store;
  if (thread && thread.channel === message.channel && [message.ts, message.thread_ts].includes(thread.ts)) {
    thread.messages.set(message.ts, message);
  }
  const channel = store.channels.get(message.channel);
  if (!channel) {
    refreshChannels();
    return;
  }
  const elsewhere = store.current !== message.channel || document.hidden;
  if (isTop(message) && message.user !== store.me.id && !message.is_notice && elsewhere && !message.edited && isNew) {
    channel.seen ??= new Set();
    if (!channel.seen.has(message.ts)) channel.unread += 1;
    channel.seen.add(message.ts);
    emit("channels");
  }
}

export function dropMessage({ channel, ts }) {
  store.messages.get(channel)?.delete(ts);
  if (store.thread?.channel === channel) store.thread.messages.delete(ts);
}

export async function refreshChannels() {
  const { channels } = await get("channels", { user: store.me.id });
  store.channels = byId(channels);
  emit("channels");
}

export async function markRead(id) {
  const channel = store.channels.get(id);
  if (!channel?.members.includes(store.me.id)) return;
  if (channel.unread) {
    channel.unread = 0;
    emit("channels");
  }
  await post("acts/read", { user: store.me.id, channel: id });
}
