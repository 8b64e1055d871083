/** Files that are written whole or not at all: under another name beside the place, then renamed. */
import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { Failure } from './failure.ts'

export interface FileInTheMaking {
  /** Where it is for now. */
  readonly path: string
  write(bytes: Uint8Array): void
  /** It is complete: it gets its name. */
  finish(): void
  /** Nothing is left of it. After `finish` it does nothing. */
  discard(): void
}

/** Begins a file. Throws `Failure` if it cannot be written there. */
export function makeFile(name: string): FileInTheMaking {
  const path = `${name}.${process.pid}.part`
  const attempt = <T>(action: () => T): T => {
    try {
      return action()
    } catch (error) {
      throw new Failure(`${name} cannot be written: ${(error as Error).message.replace(/^\w+: /, '').replace(/, \w+ '.*/s, '')}`)
    }
  }
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory()) throw new Failure(`${name} cannot be written: it is a directory`)
  let handle: number | undefined = attempt(() => openSync(path, 'w'))
  const close = (): void => {
    if (handle !== undefined) closeSync(handle)
    handle = undefined
  }
  let done = false
  return {
    path,
    write(bytes) {
      attempt(() => {
        for (let at = 0; at < bytes.length; ) at += writeSync(handle as number, bytes, at)
      })
    },
    finish() {
      attempt(() => {
        close()
        renameSync(path, name)
        done = true
      })
    },
    discard() {
      if (done) return
      close()
      rmSync(path, { force: true })
    },
  }
}
