/** What there is to see while a recording is read. */
import { useEffect, useRef } from 'preact/hooks'
import { PICTURE_COLUMNS, PICTURE_ROWS, type Picture } from '../../../src/report/first-picture.ts'
import { coloursOf, duration } from './draw.ts'
import type { Reading } from './protocol.ts'

/** How its events lie in the file, and where on the device pages they fell so far. */
export function Progress({ reading, onStop }: { reading: Reading & { readonly name: string }; onStop: () => void }) {
  const { density, done, events, name, picture } = reading
  let last = 0
  const bars: number[] = []
  for (let i = 0; i < 400; i++) {
    const now = density[i] ?? last
    bars.push(now - last)
    last = now
  }
  const most = Math.max(1, ...bars)
  return (
    <div class="reading">
      <p>
        <span role="status">
          Reading {name}: {Math.floor(done * 100)} %
        </span>
        , {events.toLocaleString('en')} events{' '}
        <button type="button" onClick={onStop}>
          ■ stop
        </button>
      </p>
      <progress max={1} value={done} aria-label="Read so far" />
      <svg viewBox="0 0 400 60" preserveAspectRatio="none" aria-hidden="true">
        {bars.map((height, i) => (height > 0 ? <rect key={`b${i}`} x={i} width={1} y={60 - (height / most) * 60} height={(height / most) * 60} /> : null))}
      </svg>
      {picture && <Raster picture={picture} />}
    </div>
  )
}

/** Frames from top to bottom, time from left to right, the more events the stronger the colour. */
function Raster({ picture }: { picture: Picture }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    const at = canvas.current
    const context = at?.getContext('2d')
    if (!at || !context) return
    at.width = at.clientWidth * devicePixelRatio
    at.height = at.clientHeight * devicePixelRatio
    const colours = coloursOf(at.parentElement as Element)
    context.fillStyle = colours.bg
    context.fillRect(0, 0, at.width, at.height)
    context.fillStyle = colours.count
    const { columns, rows, cells } = used(picture)
    const width = at.width / columns
    const height = at.height / rows
    const top = Math.log2(2 + cells.reduce((most, one) => Math.max(most, one), 0))
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const events = cells[row * PICTURE_COLUMNS + column]
        if (events === 0) continue
        context.globalAlpha = 0.25 + (0.75 * Math.log2(1 + events)) / top
        context.fillRect(Math.floor(column * width), Math.floor(row * height), Math.ceil(width), Math.ceil(height))
      }
    context.globalAlpha = 1
    at.dataset.drawn = 'true'
  }, [picture])
  const { columns, rows } = used(picture)
  const said = `frames 0x${picture.firstFrame.toString(16)} to 0x${(picture.firstFrame + rows * picture.frames - 1).toString(16)}, ${duration(columns * picture.span, 1e6)}`
  return (
    <figure>
      <figcaption class="faint">Events on device pages so far, the more the stronger: {said}, frames from top to bottom, time from left to right</figcaption>
      <canvas ref={canvas} role="img" aria-label={`Events on device pages so far: ${said}`} />
    </figure>
  )
}

/** The part of a raster that has something. */
function used({ cells }: Picture): { readonly columns: number; readonly rows: number; readonly cells: Uint32Array } {
  let columns = 1
  let rows = 1
  cells.forEach((events, i) => {
    if (events === 0) return
    columns = Math.max(columns, (i % PICTURE_COLUMNS) + 1)
    rows = Math.floor(i / PICTURE_COLUMNS) + 1
  })
  return { columns, rows: Math.min(PICTURE_ROWS, rows), cells }
}
