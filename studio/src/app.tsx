/** The frame around the views. */
import type { Embedded } from './documents.ts'
import { Report } from './report.tsx'
import { ThemeButton } from './theme.tsx'

export function App({ data }: { data: Embedded | undefined }) {
  if (data?.kind === 'play' && data.play) return <Report document={data.play} />
  return (
    <>
      <header class="top">
        <span class="name">putpage studio</span>
        <nav aria-label="Views" />
        <ThemeButton />
      </header>
      <main>
        <p class="empty">Nothing here yet.</p>
      </main>
    </>
  )
}
