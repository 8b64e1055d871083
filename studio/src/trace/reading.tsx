/** What there is to see while a recording is read. */
import type { Reading } from './model.ts'

/** What there is to see while a file is read: how its events lie in it. */
export function Progress({ reading, onStop }: { reading: Reading & { readonly name: string }; onStop: () => void }) {
  const { density, done, events, name } = reading
  let last = 0
  const bars: number[] = []
  for (let i = 0; i < 400; i++) {
    const now = density[i] ?? last
    bars.push(now - last)
    last = now
  }
  const most = Math.max(1, ...bars)
  return (
    <div class="reading" role="status">
      <p>
        Reading {name}: {Math.floor(done * 100)} %, {events.toLocaleString('en')} events{' '}
        <button type="button" onClick={onStop}>
          ■ stop
        </button>
      </p>
      <progress max={1} value={done} aria-label="Read so far" />
      <svg viewBox="0 0 400 60" preserveAspectRatio="none" aria-hidden="true">
        {bars.map((height, i) => (height > 0 ? <rect key={`b${i}`} x={i} width={1} y={60 - (height / most) * 60} height={(height / most) * 60} /> : null))}
      </svg>
    </div>
  )
}
