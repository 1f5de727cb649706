// Light, dark, or as the system has it.

export type Theme = 'as the system' | 'light' | 'dark';

const themes: readonly Theme[] = ['as the system', 'light', 'dark'];
const key = 'wayward-theme';

export function themeNow(): Theme {
  const kept = localStorage.getItem(key) as Theme | null;
  const theme = kept !== null && themes.includes(kept) ? kept : 'as the system';
  document.documentElement.dataset['theme'] = theme;
  return theme;
}

export function nextTheme(theme: Theme): Theme {
  return themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'as the system';
}

export function applyTheme(theme: Theme): void {
  localStorage.setItem(key, theme);
  document.documentElement.dataset['theme'] = theme;
  dispatchEvent(new Event('wayward-theme'));
}

/** Calls whenever colours change, for what is drawn and not styled. */
export function onThemeChange(changed: () => void): () => void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', changed);
  addEventListener('wayward-theme', changed);
  return () => {
    dark.removeEventListener('change', changed);
    removeEventListener('wayward-theme', changed);
  };
}
