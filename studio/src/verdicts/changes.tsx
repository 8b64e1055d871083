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
  const fits = (text: string): boolean => text.toLowerCase().includes(words.toLowerCase())
  const changes = model.changes.filter((change) => fits(`${change.name} ${change.about} ${change.switches.join(' ')}`))
  const list = model.switches.filter(({ name, effect, commit }) => fits(`${name} ${effect} ${commit ?? ''}`))
  const state = (name: string): string => (plus.includes(name) ? 'with' : minus.includes(name) ? 'without' : '')
  const choose = (names: readonly string[], value: string): void => {
    const others = (all: readonly string[]): string[] => all.filter((one) => !names.includes(one))
    onChange(value === 'with' ? [...others(plus), ...names] : others(plus), value === 'without' ? [...others(minus), ...names] : others(minus))
  }
  /** Of a change: that of its switches, if they are all alike. */
  const stateOf = (names: readonly string[]): string => (new Set(names.map(state)).size === 1 ? state(names[0]) : 'some')
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
        {changes.length > 0 && <h3>Changes</h3>}
        <ul>
          {changes.map(({ name, about, switches }) => (
            <li key={name}>
              <select aria-label={name} value={stateOf(switches)} onChange={(event) => choose(switches, event.currentTarget.value)}>
                <option value="">as it is</option>
                <option value="with">with</option>
                <option value="without">without</option>
                {stateOf(switches) === 'some' && <option value="some">in part</option>}
              </select>
              <span>
                <b>{name}</b> <small>{switches.length === 1 ? switches[0] : `${switches.length} switches`}</small>
                <small class="about">{about}</small>
              </span>
            </li>
          ))}
        </ul>
        {list.length > 0 && <h3>Switches</h3>}
        {changes.length + list.length === 0 && <p class="note">No change and no switch fits.</p>}
        <ul>
          {list.map(({ name, effect, commit, in: kernels }) => (
            <li key={name}>
              <select aria-label={name} value={state(name)} onChange={(event) => choose([name], event.currentTarget.value)}>
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
