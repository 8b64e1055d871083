/** The modelled source of a thread's function, read-only, with the lines of the step marked, and the kernel function it mirrors. */
import { javascript } from '@codemirror/lang-javascript'
import { syntaxHighlighting } from '@codemirror/language'
import { EditorState, StateEffect, StateField } from '@codemirror/state'
import { Decoration, type DecorationSet, EditorView, GutterMarker, gutter, lineNumbers } from '@codemirror/view'
import { classHighlighter } from '@lezer/highlight'
import { useEffect, useRef } from 'preact/hooks'

export interface Marks {
  /** The line the step is named for. */
  readonly current: number
  /** What the current line is: it was just run, or it is the next one. */
  readonly kind: 'ran' | 'next'
  /** Other lines of the step. */
  readonly also: readonly number[]
  readonly failed: boolean
}

const setMarks = StateEffect.define<Marks>()

class Sign extends GutterMarker {
  private readonly text: string
  private readonly title: string
  constructor(text: string, title: string) {
    super()
    this.text = text
    this.title = title
  }
  override toDOM(): Node {
    const span = document.createElement('span')
    span.textContent = this.text
    span.title = this.title
    return span
  }
}

const RAN = new Sign('●', 'this step')
const NEXT = new Sign('▷', 'the next step')
const ALSO = new Sign('·', 'part of this step')
const FAILED = new Sign('✖', 'the check failed here')

interface Shown {
  readonly marks: Marks | undefined
  readonly lines: DecorationSet
}

const marked = StateField.define<Shown>({
  create: () => ({ marks: undefined, lines: Decoration.none }),
  update(shown, change) {
    for (const effect of change.effects) {
      if (!effect.is(setMarks)) continue
      const { current, also, kind, failed } = effect.value
      const all = [...new Set([...also, current])].filter((line) => line >= 1 && line <= change.state.doc.lines).sort((a, b) => a - b)
      const lines = all.map((line) => {
        const name = line === current ? (failed ? 'cm-failed' : kind === 'ran' ? 'cm-ran' : 'cm-next') : 'cm-also'
        return Decoration.line({ class: name, attributes: line === current ? { 'aria-current': 'step' } : {} }).range(change.state.doc.line(line).from)
      })
      return { marks: effect.value, lines: Decoration.set(lines) }
    }
    return shown
  },
  provide: (field) => EditorView.decorations.from(field, ({ lines }) => lines),
})

const signs = gutter({
  class: 'cm-signs',
  lineMarker(view, line) {
    const { marks } = view.state.field(marked)
    if (!marks) return null
    const number = view.state.doc.lineAt(line.from).number
    if (number === marks.current) return marks.failed ? FAILED : marks.kind === 'ran' ? RAN : NEXT
    return marks.also.includes(number) ? ALSO : null
  },
  lineMarkerChange: () => true,
})

const LOOK = EditorView.theme({
  '&': { height: '100%', fontSize: 'var(--code-size)', backgroundColor: 'var(--bg)', color: 'var(--text)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.45' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--faint)', borderRight: '1px solid var(--line)' },
  '.cm-content:focus-visible': { outline: '2px solid var(--accent)', outlineOffset: '-2px' },
  '.cm-signs': { width: '16px', textAlign: 'center', color: 'var(--text)' },
  '.cm-ran': { backgroundColor: 'var(--accent-bg)', boxShadow: 'inset 3px 0 var(--accent)' },
  '.cm-next': { backgroundColor: 'color-mix(in srgb, var(--accent-bg) 60%, transparent)', boxShadow: 'inset 3px 0 var(--faint)' },
  '.cm-also': { backgroundColor: 'color-mix(in srgb, var(--accent-bg) 40%, transparent)' },
  '.cm-failed': { backgroundColor: 'var(--bad-bg)', boxShadow: 'inset 3px 0 var(--bad)' },
  '.tok-keyword': { color: 'var(--t2)' },
  '.tok-comment': { color: 'var(--faint)', fontStyle: 'italic' },
  '.tok-string, .tok-string2': { color: 'var(--t3)' },
  '.tok-number, .tok-bool, .tok-atom': { color: 'var(--t1)' },
  '.tok-typeName, .tok-className': { color: 'var(--t4)' },
})

export function Source({ file, text, marks }: { file: string; text: string | undefined; marks: Marks }) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | undefined>(undefined)
  useEffect(() => {
    if (!host.current || text === undefined) return
    // In a tree of its own the editor's styles are style sheets, which the page's policy allows, not style elements, which it does not.
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' })
    const made = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          signs,
          marked,
          javascript({ typescript: true }),
          syntaxHighlighting(classHighlighter),
          LOOK,
          EditorState.readOnly.of(true),
          EditorView.editable.of(false),
          EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': `${file}, read-only`, 'aria-readonly': 'true' }),
        ],
      }),
    })
    view.current = made
    return () => made.destroy()
  }, [file, text])
  const key = `${file}:${marks.current}:${marks.kind}:${marks.also.join()}:${marks.failed}`
  useEffect(() => {
    const editor = view.current
    if (!editor) return
    const line = Math.min(Math.max(1, marks.current), editor.state.doc.lines)
    editor.dispatch({ effects: [setMarks.of(marks), EditorView.scrollIntoView(editor.state.doc.line(line).from, { y: 'center' })] })
  }, [key, text])
  if (text === undefined) return <p class="empty">The source of {file} is not in this document.</p>
  return <div class="source" ref={host} />
}

/** The kernel's file that a model file mirrors, as its first comment names it. */
export function mirrored(file: string, text: string | undefined): string | undefined {
  if (!file.startsWith('kernel/')) return undefined
  const comment = (text ?? '').slice(0, 500)
  const head = /^\/\/[^\n]*(\n\/\/[^\n]*)*/.exec(comment)?.[0] ?? ''
  return (
    /[\w.-]+(\/[\w.-]+)+\.[chS]\b|\b[\w-]+\.[ch]\b/.exec(head)?.[0] ?? file.replace(/^kernel\//, '').replace(/\.ts$/, file.includes('/include/') ? '.h' : '.c')
  )
}
