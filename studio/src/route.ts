/** The address holds the whole state of the page: a link is a bug report. Everything stands behind the #, so that it works from file:// too. */
import { useEffect, useState } from 'preact/hooks'

export interface Route {
  readonly view: string
  readonly values: Readonly<Record<string, string>>
}

/** Reads `#/play?scenario=x&at=3`. */
export function parseRoute(hash: string): Route {
  const text = hash.replace(/^#\/?/, '')
  const [view, search = ''] = text.split('?', 2)
  const values: Record<string, string> = {}
  for (const part of search.split('&')) {
    const [name, value = ''] = part.split('=', 2)
    if (name !== '') values[name] = decode(value)
  }
  return { view, values }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The address of a view; empty values are left out. */
export function formatRoute(view: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const parts = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`${name}=${encodeURIComponent(String(value)).replace(/%(2B|3A|2C|2F|24)/g, decodeURIComponent)}`],
  )
  return `#/${view}${parts.length > 0 ? `?${parts.join('&')}` : ''}`
}

/** Goes to another view: the way back leads here. */
export function go(view: string, values: Readonly<Record<string, string | number | undefined>> = {}): void {
  location.hash = formatRoute(view, values)
}

/** Says where in the view one is now, without a way back to each step. */
export function replaceRoute(view: string, values: Readonly<Record<string, string | number | undefined>>): void {
  const hash = formatRoute(view, values)
  if (hash !== location.hash) history.replaceState(history.state, '', hash)
}

/** The present route; follows links and the browser's way back. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash))
  useEffect(() => {
    const update = (): void => setRoute(parseRoute(location.hash))
    addEventListener('hashchange', update)
    return () => removeEventListener('hashchange', update)
  }, [])
  return route
}
