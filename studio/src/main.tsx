/** The web app: a report with its data in it, an export, or the studio with its server. */
import { render } from 'preact'
import { App } from './app.tsx'
import { embedded } from './documents.ts'
import './style/base.css'
import './style/player.css'
import './style/lanes.css'
import './style/state.css'
import './style/panes.css'
import './style/verdicts.css'
import './style/trace.css'
import './style/life.css'
import './style/order.css'
import './style/lattice.css'

const root = document.getElementById('app') as HTMLElement
root.textContent = ''

embedded().then(
  (data) => render(<App data={data} />, root),
  (error) => render(<p class="empty">This document cannot be opened: {String(error instanceof Error ? error.message : error)}. Write it again.</p>, root),
)
