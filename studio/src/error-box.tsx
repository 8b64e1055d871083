/** An error, and what to do about it: the first line as a sentence, what follows (a piece of source) as it is. */
import type { ComponentChildren } from 'preact'

export function ErrorBox({ text, children }: { text: string; children?: ComponentChildren }) {
  const [first, ...rest] = text.split('\n')
  return (
    <div class="error" role="alert">
      {first} {children}
      {rest.length > 0 && <pre>{rest.join('\n')}</pre>}
    </div>
  )
}
