// Times as people read them.

const clock = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat([], { hour: "numeric", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat([], { weekday: "long", month: "long", day: "numeric" });
const full = new Intl.DateTimeFormat([], { dateStyle: "long", timeStyle: "medium" });
const short = new Intl.DateTimeFormat([], { month: "short", day: "numeric", year: "numeric" });
const long = new Intl.DateTimeFormat([], { weekday: "long", month: "long", day: "numeric", year: "numeric" });
const numeric = new Intl.DateTimeFormat("sv-SE");

const dateOf = (ts) => new Date(Number(ts) * 1000);

export const clockOf = (ts) => clock.format(dateOf(ts));
export const fullOf = (ts) => full.format(dateOf(ts));
export const logTime = (epoch) => seconds.format(new Date(epoch * 1000));

export function dayOf(ts) {
  const date = dateOf(ts);
  const today = new Date();
  const yesterday = new Date(today.getTime() - 86400000);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return day.format(date);
}

export function ago(ts) {
  const passed = Date.now() / 1000 - Number(ts);
  if (passed < 60) return "just now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
  return short.format(dateOf(ts));
}

const TOKENS = {
  date_num: (d) => numeric.format(d),
  date: (d) => long.format(d),
  date_short: (d) => short.format(d),
  date_long: (d) => long.format(d),
  date_pretty: (d) => short.format(d),
  date_short_pretty: (d) => short.format(d),
  date_long_pretty: (d) => long.format(d),
  time: (d) => clock.format(d),
  time_secs: (d) => seconds.format(d),
  ago: (d) => ago(d.getTime() / 1000),
};

export function formatDate(epoch, format) {
  const date = new Date(Number(epoch) * 1000);
  return format.replace(/\{(\w+)\}/g, (whole, name) => (TOKENS[name] ? TOKENS[name](date) : whole));
}
