/** The keyboard, on one card. */
const KEYS: readonly (readonly [string, string])[] = [
  ['→ ←', 'step forwards, back'],
  ['Shift + → ←, n N', 'next, previous context switch'],
  ['p P', 'next, previous change of the chosen page'],
  ['v', 'to the violation'],
  ['Home End', 'to the start, to the end'],
  ['Space', 'play, pause'],
  ['f', 'fold or show reads that change nothing'],
  ['a', 'all fields of the state, or those that matter'],
  ['1 … 9, 0', "a thread's source; follow the thread that moves"],
  ['?', 'this card'],
]

interface KeysProps {
  readonly single: boolean
  readonly onSingle: (on: boolean) => void
  readonly onClose: () => void
}

export function Keys({ single, onSingle, onClose }: KeysProps) {
  return (
    <section class="keys" aria-label="Keys">
      <dl>
        {KEYS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={single} onChange={(event) => onSingle(event.currentTarget.checked)} /> letters and digits act
      </label>
      <button type="button" onClick={onClose}>
        close
      </button>
    </section>
  )
}
