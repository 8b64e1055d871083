/** Whether keys of one character act: who dictates, or types with a swaying hand, can switch them off (WCAG 2.1.4). */
import { useEffect, useState } from 'preact/hooks'

const KEPT = 'putpage-single-keys'

/** The choice, remembered where the page may keep anything, and its setter. */
export function useSingleKeys(): readonly [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(remembered)
  useEffect(() => {
    try {
      localStorage.setItem(KEPT, on ? 'on' : 'off')
    } catch {
      // A page from file:// may have no storage: the choice lasts as long as the page.
    }
  }, [on])
  return [on, setOn]
}

/** Whether a key is a printed character: arrows, Home, End, Escape and the space bar are none. */
export function isSingleKey(key: string): boolean {
  return key.length === 1 && key !== ' '
}

function remembered(): boolean {
  try {
    return localStorage.getItem(KEPT) !== 'off'
  } catch {
    return true
  }
}
