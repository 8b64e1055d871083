/** Files of the disk for the trace readers; what cannot be read at any place (a pipe) is copied to a temporary file first. */
import { closeSync, createWriteStream, fstatSync, openSync, readSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { ByteFile } from '../trace/byte-file.ts'
import { Failure } from './failure.ts'

export interface DiskFile extends ByteFile {
  close(): void
}

/** Opens a file, or standard input for `-`. Throws `Failure` with what is wrong. */
export async function openDisk(path: string): Promise<DiskFile> {
  const stdin = path === '-'
  const name = stdin ? 'standard input' : path
  if (stdin && process.stdin.isTTY) throw new Failure('standard input is a terminal: give a file, or pipe a trace in')
  const handle = stdin ? 0 : tryOpen(path)
  const stat = fstatSync(handle)
  if (stat.isDirectory()) throw new Failure(`${path} is a directory; name a trace file`)
  if (stat.isFile()) return onDisk(handle, stat.size, name, () => closeSync(handle))
  if (!stdin) closeSync(handle)
  return spooled(stdin ? process.stdin : path, name)
}

function tryOpen(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') throw new Failure(`no such file: ${path}`)
    if (code === 'EACCES') throw new Failure(`${path} cannot be read: no permission`)
    throw new Failure(`${path} cannot be opened: ${(error as Error).message}`)
  }
}

function onDisk(handle: number, size: number, name: string, close: () => void): DiskFile {
  return {
    name,
    size,
    close,
    read(offset, length) {
      const bytes = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
      let got = 0
      while (got < bytes.length) {
        const n = readSync(handle, bytes, got, bytes.length - got, offset + got)
        if (n === 0) break
        got += n
      }
      return got === bytes.length ? bytes : bytes.slice(0, got)
    },
  }
}

async function spooled(from: string | NodeJS.ReadableStream, name: string): Promise<DiskFile> {
  const path = join(tmpdir(), `putpage-${process.pid}-${Date.now()}.trace`)
  const { createReadStream } = await import('node:fs')
  try {
    await pipeline(typeof from === 'string' ? createReadStream(from) : from, createWriteStream(path, { mode: 0o600 }))
    const handle = openSync(path, 'r')
    return onDisk(handle, fstatSync(handle).size, name, () => closeSync(handle))
  } finally {
    // The open handle keeps the bytes; nothing is left behind, however the process ends.
    try {
      unlinkSync(path)
    } catch {
      // Never made: the pipe could not be read.
    }
  }
}
