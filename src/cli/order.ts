/** `putpage order`: which changes can land first, and which must land together. */
import type { Command } from 'commander'
import { cutsOf, type Element, elementsOf } from '../order/element.ts'
import type { ExitCode } from '../report/exit-code.ts'
import { renderOrder } from '../report/order.ts'
import { renderDot } from '../report/order-dot.ts'
import type { Answers, OrderFacts } from '../report/order-facts.ts'
import { orderJson } from '../report/order-json.ts'
import { Failure } from './failure.ts'
import { type Selection, select, suggestion } from './models.ts'
import { PrintedCache } from './order-cache.ts'
import { type OrderLimits, OrderSearch } from './order-search.ts'
import { positive, several } from './search-options.ts'
import { outputColour, outputWidth } from './terminal.ts'

interface OrderFlags extends OrderLimits {
  readonly json?: boolean
  readonly dot?: boolean
  readonly add: readonly string[]
  readonly only: readonly string[]
  readonly cut?: string
}

const MOST_STATES = 1_000_000

export function addOrder(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('order')
    .description('which of the nine changes can land first, which must land together, and what each set breaks and repairs')
    .option('--from <kernel>', 'the kernel they land on', 'v5.10')
    .option('--to <kernel>', 'only changes that this kernel has')
    .option('--add <change>', 'a change of changes/ that is not one of the nine; may be repeated', several, [])
    .option('--only <change>', 'order these changes or parts only; may be repeated', several, [])
    .option('--cut <name>', 'one way to cut the changes (default: all of them)')
    .option('--jobs <n>', 'worker threads (default: all cores; the answer is the same)', positive)
    .option('--max-states <n>', 'most states of one search; beyond it a set is undecided', positive, MOST_STATES)
    .option('--no-cache', 'search everything again, and keep nothing')
    .option('--dot', 'the lattice as DOT, for graphviz')
    .option('--json', 'as JSON (format putpage-order/1)')
    .addHelpText(
      'after',
      `
A set of changes is safe if nothing fails with it that does not fail without any. What was searched before is kept on disk
(XDG_CACHE_HOME, or ~/.cache, in putpage/), and is used as long as model and checker are the same.
Exit code: 0 every set was decided, 2 wrong usage or a model that does not compile, 3 some set was not decided.

Examples:
  putpage order
  putpage order --from v6.1 --to v7.3
  putpage order --add my-change                        with a change of yours: docs/your-own-change.md
  putpage order --only no-devmap-bit,no-special-bit
  putpage order --dot --cut 'by kind' | dot -Tsvg > order.svg`,
    )
    .action(async (flags: OrderFlags) => finish(await order(flags)))
}

async function order(flags: OrderFlags): Promise<ExitCode> {
  const { jobs, cache: useCache, ...question } = flags
  const cache = useCache ? new PrintedCache({ ...question, colour: outputColour(), width: outputWidth() }) : undefined
  const printed = cache?.read()
  if (printed) {
    process.stdout.write(printed.output)
    return printed.code
  }
  const selection = select([])
  const { model } = selection
  const base = model.kernels.find(({ name }) => name === flags.from)
  const names = model.kernels.map(({ name }) => name)
  for (const kernel of [flags.from, ...(flags.to === undefined ? [] : [flags.to])])
    if (!names.includes(kernel)) throw new Failure(`there is no kernel '${kernel}'.${suggestion(kernel, names)} The kernels: ${names.join(', ')}`)
  const has = new Set(base?.has ?? [])
  const changes = changesOf(selection, flags.add)
  const cuts = cutsOf(model.proposals, changes)
  if (flags.cut !== undefined && !cuts.includes(flags.cut)) throw new Failure(`there is no cut '${flags.cut}'. The cuts: ${cuts.join(', ')}`)
  const target = flags.to === undefined ? undefined : new Set(model.kernels.find(({ name }) => name === flags.to)?.has)
  const chosen = (flags.cut === undefined ? cuts : [flags.cut]).map((cut) => ({
    cut,
    elements: elementsOf(model.proposals, changes, cut)
      .map((element): Element => ({ ...element, switches: element.switches.filter((name) => !has.has(name)) }))
      .filter(({ switches }) => switches.length > 0 && (target === undefined || switches.every((name) => target.has(name))))
      .filter(({ id, change }) => flags.only.length === 0 || flags.only.includes(id) || flags.only.includes(change)),
  }))
  for (const name of flags.only)
    if (!chosen.some(({ elements }) => elements.some(({ id, change }) => id === name || change === name)))
      throw new Failure(
        `'${name}' is not among the changes to be ordered: ${[...new Set(chosen.flatMap(({ elements }) => elements.map(({ id }) => id)))].join(', ')}`,
      )
  if (chosen.every(({ elements }) => elements.length === 0)) throw new Failure(`${flags.from} has all of these changes: there is nothing to order`)
  const cutsFound = await new OrderSearch(selection, flags, has, chosen).run()
  if (cutsFound === undefined) return 3
  const { answers, facts } = cutsFound
  const code = answers.some(({ strict, allowing }) => strict.undecided + (allowing?.undecided ?? 0) > 0) ? 3 : 0
  process.stdout.write(rendered(flags, answers, facts))
  cache?.write({ code, output: rendered(flags, answers, { ...facts, searches: 0, states: 0, seconds: 0 }) })
  return code
}

function rendered(flags: OrderFlags, answers: readonly Answers[], facts: OrderFacts): string {
  if (flags.json) return orderJson(answers, facts)
  if (flags.dot) return answers.map(({ strict, allowing }) => renderDot(allowing ?? strict)).join('\n')
  return `${renderOrder(answers, facts, { colour: outputColour(), width: outputWidth() })}\n`
}

/** The changes of the mail, and those added. */
function changesOf({ model }: Selection, add: readonly string[]): string[] {
  for (const name of add)
    if (!model.proposals.has(name))
      throw new Failure(
        `there is no change '${name}' in changes/.${suggestion(name, [...model.proposals.keys()])} docs/your-own-change.md says how to write one.`,
      )
  return [...model.proposals].filter(([name, { of_the_mail }]) => of_the_mail === true || add.includes(name)).map(([name]) => name)
}
