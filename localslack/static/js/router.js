// Where we are: /client/CHANNEL, /client/CHANNEL/THREAD, /client/APP; the person is in the query.

import { emit } from "/static/js/store.js";

export function place() {
  const [, , first, thread] = location.pathname.split("/");
  const params = new URLSearchParams(location.search);
  return { id: first || null, thread: thread || null, user: params.get("user"), at: params.get("at") };
}

const path = ({ channel, thread, user }) => `/client/${channel}${thread ? `/${thread}` : ""}?user=${user || place().user}`;

export function go({ channel, thread = null }) {
  history.pushState(null, "", path({ channel, thread }));
  emit("place");
}

export function settle({ channel, thread = null, user }) {
  history.replaceState(null, "", path({ channel, thread, user }));
}

export function become(user) {
  const { id, thread } = place();
  location.assign(path({ channel: id, thread, user }));
}

export function watchPlace() {
  addEventListener("popstate", () => emit("place"));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-nav]");
    if (!link || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const [, , channel, thread] = link.getAttribute("href").split("/");
    go({ channel, thread });
  });
}
