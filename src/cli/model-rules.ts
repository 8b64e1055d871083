/** What the model says of a kernel, for the trace auditor: answered from `kernel/`. */
import type { KernelRules } from '../trace/kernel-rules.ts'
import type { DeviceType } from '../trace/life.ts'
import { versionOf } from '../trace/page-flags.ts'

/** The model's kernels. */
export const PRESETS: readonly string[] = ['v5.10', 'v5.15+seed', 'v5.18', 'v6.1', 'v6.12', 'v7.3']

/** The preset that stands for a release: the newest that is not newer. */
export function presetFor(release: string): string {
  const version = versionOf(release)
  // v5.15+seed is no kernel anybody runs.
  return [...PRESETS].reverse().find((preset) => !preset.includes('+') && versionOf(preset) <= version) ?? PRESETS[0]
}

/** The rules of a preset. */
export function rulesOf(kernel: string): KernelRules {
  const version = versionOf(kernel.replace(/\+.*$/, ''))
  const freeAt = (type: DeviceType): 0 | 1 | undefined => {
    switch (type) {
      case 'private':
        return version >= 5018 || kernel === 'v5.15+seed' ? 0 : 1
      case 'coherent':
        return version >= 6000 ? 0 : undefined
      case 'fsdax':
      case 'p2pdma':
        return version >= 7003 || kernel === 'v5.15+seed' ? 0 : 1
      case 'generic':
        return kernel === 'v5.15+seed' ? 0 : 1
      default:
        return undefined
    }
  }
  return { kernel, freeAt, wakesAtIdle: () => undefined, waiters: () => [] }
}
