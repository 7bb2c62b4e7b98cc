/**
 * Light or dark: what the reader's system says, or what the switch says over it. Stored in this browser only; `static/theme.js`
 * applies it before the first picture.
 */
export type ThemeChoice = 'system' | 'light' | 'dark';

const storedAs = 'thrum-theme';

const readStored = (): ThemeChoice => {
  try {
    const stored = localStorage.getItem(storedAs);
    return stored === 'light' || stored === 'dark' ? stored : 'system';
  } catch {
    return 'system'; // storage may be forbidden
  }
};

class Theme {
  choice = $state<ThemeChoice>('system');
  systemIsDark = $state(false);
  readonly isDark = $derived(this.choice === 'system' ? this.systemIsDark : this.choice === 'dark');

  /** Follows the system from now on. Returns what ends it. */
  start(): () => void {
    this.choice = readStored();
    const media = matchMedia('(prefers-color-scheme: dark)');
    const follow = (): void => {
      this.systemIsDark = media.matches;
    };
    follow();
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    if (choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = choice;
    try {
      if (choice === 'system') localStorage.removeItem(storedAs);
      else localStorage.setItem(storedAs, choice);
    } catch {
      // storage may be forbidden: the choice then lasts as long as the page
    }
  }
}

export const theme = new Theme();
