// Light or dark: the system's by default, or the one chosen here, remembered on this device.

const KEY = "madeby-theme";
const root = document.documentElement;

/** Wire the button that switches the theme. */
export function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const show = () => {
    button.setAttribute("aria-pressed", String(isDark()));
    button.title = isDark() ? "Use light colours" : "Use dark colours";
  };
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    // Choosing what the system has anyway means following the system again.
    if (theme === (system.matches ? "dark" : "light")) delete root.dataset.theme;
    else root.dataset.theme = theme;
    remember(root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}

function remember(theme) {
  try {
    if (theme) localStorage.setItem(KEY, theme);
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}
