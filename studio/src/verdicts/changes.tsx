/** Which changes and fixes are switched: added to every kernel, or taken out. */
import { useState } from 'preact/hooks'
import type { ModelList } from './backend.ts'

export const listOf = (text: string | undefined): string[] => (text ?? '').split(',').filter((name) => name !== '')

interface ChangesProps {
  readonly model: ModelList
  readonly plus: readonly string[]
  readonly minus: readonly string[]
  readonly onChange: (plus: string[], minus: string[]) => void
}

export function Changes({ model, plus, minus, onChange }: ChangesProps) {
  const [words, setWords] = useState('')
  const count = plus.length + minus.length
  const list = model.switches.filter(({ name, effect, commit }) => `${name} ${effect} ${commit ?? ''}`.toLowerCase().includes(words.toLowerCase()))
  const state = (name: string): string => (plus.includes(name) ? 'with' : minus.includes(name) ? 'without' : '')
  const choose = (name: string, value: string): void => {
    const others = (all: readonly string[]): string[] => all.filter((one) => one !== name)
    onChange(value === 'with' ? [...others(plus), name] : others(plus), value === 'without' ? [...others(minus), name] : others(minus))
  }
  return (
    <details class="changes">
      <summary>changes{count > 0 ? `: ${[...plus.map((name) => `+${name}`), ...minus.map((name) => `−${name}`)].join(' ')}` : ': none'}</summary>
      <div class="sheet">
        <div class="sheethead">
          <input
            type="search"
            placeholder="switch, effect or commit"
            aria-label="Search switches"
            value={words}
            onInput={(event) => setWords(event.currentTarget.value)}
          />
          {count > 0 && (
            <button type="button" onClick={() => onChange([], [])}>
              as each kernel is
            </button>
          )}
        </div>
        <ul>
          {list.map(({ name, effect, commit, in: kernels }) => (
            <li key={name}>
              <select aria-label={name} value={state(name)} onChange={(event) => choose(name, event.currentTarget.value)}>
                <option value="">as it is</option>
                <option value="with">with</option>
                <option value="without">without</option>
              </select>
              <span>
                <code>{name}</code> {commit && <small>{commit.slice(0, 12)}</small>}
                <small class="about">
                  {effect} In: {kernels.length > 0 ? kernels.join(', ') : 'none of these kernels'}
                </small>
              </span>
            </li>
          ))}
        </ul>
      </div>
    </details>
  )
}
