/** The bar above the lanes: what the keys do, as buttons. */
interface TransportProps {
  /** Does what a key does. */
  readonly act: (key: string) => void
  readonly playing: boolean
  /** How many steps fail. */
  readonly failures: number
  readonly pages: readonly string[]
  readonly page: number
  readonly onPage: (page: number) => void
  readonly at: number
  readonly length: number
  /** The present step was taken by hand. */
  readonly byHand: boolean
  readonly folded: boolean
  readonly onFolded: (folded: boolean) => void
  readonly help: boolean
}

export function Transport({ act, playing, failures, pages, page, onPage, at, length, byHand, folded, onFolded, help }: TransportProps) {
  return (
    <div class="transport" role="toolbar" aria-label="Stepping">
      <button type="button" onClick={() => act('Home')} title="to the start (Home)">
        |◀<span class="sr">to the start</span>
      </button>
      <button type="button" onClick={() => act('N')} title="previous context switch (Shift+←)">
        ⇤<span class="sr">previous context switch</span>
      </button>
      <button type="button" onClick={() => act('ArrowLeft')} title="back (←)">
        ◀<span class="sr">step back</span>
      </button>
      <button type="button" class="play" onClick={() => act(' ')} title="play or pause (space)" aria-pressed={playing}>
        {playing ? '❚❚ pause' : '▶ play'}
      </button>
      <button type="button" onClick={() => act('ArrowRight')} title="forwards (→)">
        ▶<span class="sr">step forwards</span>
      </button>
      <button type="button" onClick={() => act('n')} title="next context switch (Shift+→, n)">
        ⇥ switch
      </button>
      <button type="button" onClick={() => act('v')} title="to the violation (v)" disabled={failures === 0}>
        ✖ violation
      </button>
      <span class="group">
        <button type="button" onClick={() => act('p')} title="next change of the page (p)" disabled={pages.length === 0}>
          ● next change of
        </button>
        <select aria-label="Page" value={String(page)} onChange={(event) => onPage(Number(event.currentTarget.value))}>
          {pages.map((name, i) => (
            <option key={name} value={String(i)}>
              {name}
            </option>
          ))}
        </select>
      </span>
      <output class="where" aria-live="polite">
        {at === 0 ? 'start' : `step ${at}`} <span class="faint">of {length}</span>
        {byHand && <span class="own-mark"> by hand</span>}
      </output>
      <label class="check">
        <input type="checkbox" checked={folded} onChange={(event) => onFolded(event.currentTarget.checked)} /> fold reads
      </label>
      <button type="button" onClick={() => act('?')} title="keys (?)" aria-expanded={help}>
        keys
      </button>
    </div>
  )
}
