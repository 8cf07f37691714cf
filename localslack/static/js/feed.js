// Live changes: server-sent events into the store.

import { dropMessage, emit, loadState, refreshChannels, store, takeMessage } from "/static/js/store.js";

export function listen() {
  const source = new EventSource(`/control/feed?user=${store.me.id}`);
  let broken = false;
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => { broken = true; };
  source.onopen = () => {
    if (broken) emit("reset");
    broken = false;
  };
}

async function take(change) {
  switch (change.type) {
    case "message":
      takeMessage(change.message);
      emit("message", change.message);
      break;
    case "message_gone":
      dropMessage(change);
      emit("gone", change);
      break;
    case "channels":
      await refreshChannels();
      break;
    case "workspace":
      await loadState(store.me.id);
      emit("workspace");
      break;
    case "modals":
      emit("modals");
      break;
    case "home":
      emit("home", change);
      break;
    case "faults":
      store.faults = change.faults;
      emit("faults");
      break;
    case "log":
      emit("log", change.entry);
      break;
    case "reset":
      emit("reset");
      break;
  }
}
