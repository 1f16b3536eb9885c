// Runs before the first paint, so that a chosen theme never flashes in the other one. See theme.js.
try {
  const theme = localStorage.getItem("madeby-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off: the system's theme holds.
}
