// Applies the reader's choice of light or dark before the first picture (see src/lib/theme/theme.svelte.ts).
try {
  const choice = localStorage.getItem('thrum-theme');
  if (choice === 'light' || choice === 'dark') document.documentElement.dataset.theme = choice;
} catch {
  // storage may be forbidden
}
