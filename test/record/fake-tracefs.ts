/** A directory that looks to `record.sh` like tracefs and procfs: instances fill themselves, pages are consumed by reading. */
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../cli/putpage.ts'

export const SUB_BUFFER = 4096

const HEADER_PAGE = `	field: u64 timestamp;	offset:0;	size:8;	signed:0;
	field: local_t commit;	offset:8;	size:8;	signed:1;
	field: int overwrite;	offset:8;	size:1;	signed:1;
	field: char data;	offset:16;	size:4080;	signed:1;
`
const HEADER_EVENT = `# compressed entry header
	type_len    :    5 bits
	time_delta  :   27 bits
	array       :   32 bits

	padding     : type == 29
	time_extend : type == 30
	time_stamp : type == 31
	data max type_len  == 28
`
const COMMON = `	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:unsigned char common_flags;	offset:2;	size:1;	signed:0;
	field:unsigned char common_preempt_count;	offset:3;	size:1;	signed:0;
	field:int common_pid;	offset:4;	size:4;	signed:1;

`
const MOD = `name: page_ref_mod
ID: 290
format:
${COMMON}	field:unsigned long pfn;	offset:8;	size:8;	signed:0;
	field:unsigned long flags;	offset:16;	size:8;	signed:0;
	field:int count;	offset:24;	size:4;	signed:1;
	field:int mapcount;	offset:28;	size:4;	signed:1;
	field:void * mapping;	offset:32;	size:8;	signed:0;
	field:int mt;	offset:40;	size:4;	signed:1;
	field:int val;	offset:44;	size:4;	signed:1;

print fmt: "pfn=0x%lx flags=%s count=%d mapcount=%d mapping=%p mt=%d val=%d", REC->pfn, (REC->flags & ((1UL << 23) - 1)) ? __print_flags(REC->flags & ((1UL << 23) - 1), "|", {1UL << PG_locked, "locked" }) : "none", REC->count, REC->mapcount, REC->mapping, REC->mt, REC->val
`
const UNLESS = MOD.replace('page_ref_mod', 'page_ref_mod_unless')
  .replace('ID: 290', 'ID: 287')
  .replace('\n\nprint', '\n\tfield:int ret;\toffset:48;\tsize:4;\tsigned:1;\n\nprint')
  .replace('val=%d"', 'val=%d ret=%d"')
  .replace(', REC->val\n', ', REC->val, REC->ret\n')
const KERNEL_STACK = `name: kernel_stack
ID: 4
format:
${COMMON}	field:int size;	offset:8;	size:4;	signed:1;
	field:unsigned long caller[8];	offset:16;	size:64;	signed:0;

print fmt: "\\t=> %ps\\n\\t=> %ps\\n\\t=> %ps\\n", (void *)REC->caller[0], (void *)REC->caller[1], (void *)REC->caller[2]
`
const IOMEM = `00000000-00000fff : Reserved
00001000-0009fbff : System RAM
000f0000-000fffff : System ROM
00100000-3fffffff : System RAM
  01000000-0180252f : Kernel code
40000000-47ffffff : Persistent Memory (legacy)
  40000000-47ffffff : namespace0.0
48000000-9ffdcfff : System RAM
fcf0000000-fcffffffff : hmm_dmirror
`

const KALLSYMS = `ffffffff811bf170 T __page_ref_mod
ffffffff811a1000 t remove_migration_pte
ffffffff82000000 D some_data
ffffffffa0002b00 t dmirror_migrate\t[test_hmm]
ffffffffa0002c00 t dmirror_fops_mmap\t[test_hmm]
`

/** One ring-buffer page: `events` page_ref_mod events of pfn 0xfcf0000 upwards, each with a stack of two frames, `gap` ns apart. */
export function ringBufferPage(time: bigint, events: number, gap: number): Buffer {
  const page = Buffer.alloc(SUB_BUFFER)
  let at = 16
  const header = (length: number, delta: number): void => {
    page.writeUInt32LE(((delta << 5) | (length / 4)) >>> 0, at)
    at += 4
  }
  for (let i = 0; i < events; i++) {
    header(48, i === 0 ? 0 : gap)
    page.writeUInt16LE(290, at)
    page.writeInt32LE(42, at + 4)
    page.writeBigUInt64LE(BigInt(0xfcf0000 + i), at + 8)
    page.writeBigUInt64LE(0x1000n, at + 16)
    page.writeInt32LE(2, at + 24)
    page.writeInt32LE(1, at + 40)
    page.writeInt32LE(1, at + 44)
    at += 48
    header(32, 10)
    page.writeUInt16LE(4, at)
    page.writeInt32LE(42, at + 4)
    page.writeInt32LE(2, at + 8)
    page.writeBigUInt64LE(0xffffffff811bf174n, at + 16)
    page.writeBigUInt64LE(0xffffffffa0002b5fn, at + 24)
    at += 32
  }
  page.writeBigUInt64LE(time, 0)
  page.writeBigUInt64LE(BigInt(at - 16), 8)
  return page
}

export interface Recorded {
  readonly code: number | null
  readonly err: string
}

export interface Fake {
  readonly directory: string
  readonly tracefs: string
  readonly proc: string
  /** What the instance's files held when it was removed, by path; undefined before. */
  settings(): ReadonlyMap<string, string> | undefined
  /** Runs the script in `directory`; `during` is called once the process has started. */
  record(args: readonly string[], options?: { readonly shell?: readonly string[]; readonly during?: (pid: number) => void }): Promise<Recorded>
  write(path: string, text: string): void
  remove(): void
}

/** Makes the fake. Each CPU of an instance begins with the pages given. `root` false: the script runs as somebody else. */
export function fakeTracefs(cpus: readonly (readonly Buffer[])[], { root = true, pageRef = true } = {}): Fake {
  const directory = mkdtempSync(join(tmpdir(), 'putpage-record-'))
  const write = (path: string, text: string | Buffer): void => {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  write('proc/iomem', IOMEM)
  write('proc/kallsyms', KALLSYMS)
  write('proc/modules', 'test_hmm 16384 0 - Live 0xffffffffa0002000\n')
  const events = (base: string): void => {
    if (pageRef) {
      write(`${base}/events/page_ref/enable`, '0\n')
      for (const [name, format] of [
        ['page_ref_mod', MOD],
        ['page_ref_mod_unless', UNLESS],
      ]) {
        write(`${base}/events/page_ref/${name}/format`, format)
        write(`${base}/events/page_ref/${name}/filter`, 'none\n')
      }
    }
    write(`${base}/events/putpage/enable`, '0\n')
    write(
      `${base}/events/putpage/kp_unmap/format`,
      `name: kp_unmap\nID: 1500\nformat:\n${COMMON}\tfield:u64 pgmap;\toffset:8;\tsize:8;\tsigned:0;\n\nprint fmt: "pgmap=0x%Lx", REC->pgmap\n`,
    )
    write(`${base}/events/enable`, '0\n')
  }
  write('tracefs/trace_clock', '[local] global counter mono\n')
  write('tracefs/README', 'tracing mini-HOWTO:\n')
  write('tracefs/kprobe_events', '# p:kprobes/of_somebody_else do_sys_open\n')
  write('tracefs/saved_cmdlines', '42 hmmt\n')
  write('tracefs/saved_cmdlines_size', '128\n')
  write('tracefs/events/header_page', HEADER_PAGE)
  write('tracefs/events/header_event', HEADER_EVENT)
  write('tracefs/events/ftrace/kernel_stack/format', KERNEL_STACK)
  events('tracefs')
  mkdirSync(join(directory, 'tracefs/instances'))
  events('template')
  for (const [file, text] of Object.entries({
    trace_clock: '[local] global counter mono\n',
    tracing_on: '1\n',
    buffer_size_kb: '1408\n',
    'options/stacktrace': '0\n',
    trace_marker: '',
  }))
    write(`template/${file}`, text)
  cpus.forEach((pages, cpu) => {
    write(`template/per_cpu/cpu${cpu}/trace_pipe_raw`, Buffer.concat(pages))
    write(`template/per_cpu/cpu${cpu}/stats`, `entries: ${pages.length * 200}\noverrun: 0\ncommit overrun: 0\nbytes: 99\ndropped events: 0\nread events: 0\n`)
  })
  const bin = (name: string, text: string): void => {
    write(`bin/${name}`, `#!/bin/sh\n${text}\n`)
    chmodSync(join(directory, 'bin', name), 0o755)
  }
  const real = (name: string): string => {
    for (const place of ['/usr/bin', '/bin']) if (existsSync(join(place, name))) return join(place, name)
    return name
  }
  bin('id', `echo ${root ? 0 : 1000}`)
  bin('uname', `case "$*" in -r) echo 5.10.223 ;; -m) echo x86_64 ;; *) echo Linux test 5.10.223 x86_64 ;; esac`)
  bin('mkdir', `case $1 in */tracefs/instances/*) exec ${real('cp')} -r ${directory}/template "$1" ;; esac\nexec ${real('mkdir')} "$@"`)
  bin('rmdir', `case $1 in */tracefs/instances/*) exec ${real('mv')} "$1" ${directory}/removed ;; esac\nexec ${real('rmdir')} "$@"`)
  // One read takes a page out of the buffer; each holds 200 entries. Of an empty buffer a read would wait: here the test fails.
  bin(
    'dd',
    `case $1 in
if=*/trace_pipe_raw)
  file=\${1#if=}; cpu=\${file%/*}; count=\${3#count=}
  have=$(( $(${real('wc')} -c <"$file") / ${SUB_BUFFER} ))
  [ "$count" -le "$have" ] || { echo blocked >>${directory}/blocked; ${real('sleep')} 1000; }
  ${real('dd')} if="$file" bs=${SUB_BUFFER} count="$count" 2>/dev/null
  ${real('dd')} if="$file" bs=${SUB_BUFFER} skip="$count" of="$file.rest" 2>/dev/null
  ${real('mv')} "$file.rest" "$file"
  echo "entries: $(( (have - count) * 200 ))" >"$cpu/stats" ;;
*) exec ${real('dd')} "$@" ;;
esac`,
  )
  writeFileSync(join(directory, 'record.sh'), readFileSync(join(ROOT, 'record/record.sh')))
  return {
    directory,
    tracefs: join(directory, 'tracefs'),
    proc: join(directory, 'proc'),
    settings() {
      const removed = join(directory, 'removed')
      if (!existsSync(removed)) return undefined
      const files = (readdirSync(removed, { recursive: true }) as string[]).filter((file) => !file.endsWith('pipe_raw') && /\.|[a-z]$/.test(file))
      const texts = new Map<string, string>()
      for (const file of files) {
        try {
          texts.set(file, readFileSync(join(removed, file), 'utf8'))
        } catch {
          // A directory.
        }
      }
      return texts
    },
    record(args, { shell = ['sh'], during } = {}) {
      const child = spawn(shell[0], [...shell.slice(1), 'record.sh', ...args], {
        cwd: directory,
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
          PUTPAGE_TRACEFS: join(directory, 'tracefs'),
          PUTPAGE_PROC: join(directory, 'proc'),
        },
      })
      let err = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        err += text
        if (/recording/.test(err)) {
          during?.(child.pid!)
          during = undefined
        }
      })
      return new Promise((resolve) => child.on('close', (code) => resolve({ code, err })))
    },
    write,
    remove: () => rmSync(directory, { recursive: true }),
  }
}
