// Light, dark, or as the system has it; runs before the first paint.
(() => {
  const order = ["auto", "light", "dark"];
  const system = matchMedia("(prefers-color-scheme: dark)");
  let wanted = "auto";
  try { wanted = localStorage.getItem("theme") || "auto"; } catch { /* storage may be off */ }
  const apply = () => {
    const dark = wanted === "dark" || (wanted === "auto" && system.matches);
    document.documentElement.dataset.theme = dark ? "dark" : "light";
  };
  system.addEventListener("change", apply);
  apply();
  window.theme = {
    get: () => wanted,
    next() {
      wanted = order[(order.indexOf(wanted) + 1) % order.length];
      try { localStorage.setItem("theme", wanted); } catch { /* storage may be off */ }
      apply();
      return wanted;
    },
  };
})();
