/** Light, dark, or as the machine is set. */
import { useEffect, useState } from 'preact/hooks'

type Theme = 'auto' | 'light' | 'dark'
const NEXT: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' }

function remembered(): Theme {
  try {
    const kept = localStorage.getItem('putpage-theme')
    return kept === 'light' || kept === 'dark' ? kept : 'auto'
  } catch {
    return 'auto'
  }
}

export function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(remembered)
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
    try {
      localStorage.setItem('putpage-theme', theme)
    } catch {
      // A page from file:// may have no storage: the choice lasts as long as the page.
    }
    dispatchEvent(new Event('putpage-theme'))
  }, [theme])
  return (
    <button type="button" class="theme" onClick={() => setTheme(NEXT[theme])} title="light, dark, or as the machine is set">
      {theme === 'auto' ? '◐ auto' : theme === 'light' ? '☀ light' : '☾ dark'}
    </button>
  )
}
