/** Shapes of workloads that no recording at hand has: healthy ones raise no alarm, and of others the one who leaks is named. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { memoryFile } from '../../src/trace/byte-file.ts'
import { guessRelease } from '../../src/trace/kernel-guess.ts'
import { copyRow, newBatch } from '../../src/trace/page-event.ts'
import { ftraceLine } from '../../src/trace/text/event-line.ts'
import { perfFrame } from '../../src/trace/text/frames.ts'
import { auditOf, auditRows, batchOf, errorsOf, fileOf, pass, plainRules, rangesOf } from './in-process.ts'
import { FAULT, pages, SYSCALL, Workload } from './workload.ts'

const DIO = ['bio_iov_iter_get_pages', 'iomap_dio_rw', 'ext4_file_read_iter', 'vfs_read', '__x64_sys_pread64', ...SYSCALL]
const FAST = ['gup_fast_fallback', 'pin_user_pages_fast', 'iov_iter_extract_pages', ...DIO]
const UNPIN = [
  '__put_devmap_managed_folio_refs',
  'gup_put_folio',
  '__bio_release_pages',
  'iomap_dio_bio_end_io',
  'handle_softirqs',
  'asm_sysvec_apic_timer_interrupt',
]
const VMSPLICE = ['try_get_folio', 'internal_get_user_pages_fast', 'iov_iter_get_pages2', '__do_sys_vmsplice', '__x64_sys_vmsplice', ...SYSCALL]
const READ = ['__put_devmap_managed_page_refs', 'page_cache_pipe_buf_release', 'pipe_read', '__x64_sys_read', ...SYSCALL]
const MUNMAP = ['folios_put_refs', 'free_pages_and_swap_cache', 'tlb_finish_mmu', 'vms_complete_munmap_vmas', '__x64_sys_munmap', ...SYSCALL]

describe('a pin of fast GUP, in two steps', () => {
  it('that is leaked among thousands is an error, with its call site and their number', async () => {
    const work = new Workload()
    const all = pages(8, 1)
    for (let i = 0; i < 1000; i++) {
      const page = all[i % 8]
      work.does(page, 'mod_unless', 1, ['try_get_folio', 'try_grab_folio_fast', ...FAST])
      work.does(page, 'mod', 1023, ['try_grab_folio_fast', ...FAST])
      work.wait(200_000)
      if (i !== 500) work.does(page, 'mod_and_return', -1024, UNPIN, { pid: 0 })
    }
    const { findings } = await work.audit()
    deepEqual([findings[0].severity, findings[0].references, findings[0].pages], ['error', 1, [all[500 % 8].pfn]])
    equal(findings[0].callsites[0].function, 'bio_iov_iter_get_pages')
    ok(findings[0].why.includes('of the 1,000 references'), findings[0].why)
  })
})

describe('one leaked page of device memory, which its driver looks at again and again', () => {
  it('is an error, though the last event of the recording is such a look', async () => {
    const work = new Workload()
    const all = pages(32, 0)
    const migrate = ['dmirror_migrate_to_device', 'dmirror_fops_unlocked_ioctl', '__x64_sys_ioctl', ...SYSCALL]
    const finalize = ['migrate_device_finalize', 'migrate_vma_finalize', ...migrate]
    const close = ['dmirror_device_evict_chunk', 'dmirror_fops_release', '__fput', 'task_work_run', ...SYSCALL]
    for (let round = 0; round < 8; round++) {
      const used = round < 2 ? all : all.slice(1)
      for (const page of used) {
        work.does(page, 'set', 1, ['zone_device_page_init', ...migrate])
        if (round === 1 && page === all[0]) work.does(page, 'mod', 1, migrate)
        work.does(page, 'mod', 1, ['remove_migration_pte', 'remove_migration_ptes', ...finalize], { mapcount: 1 })
        work.does(page, 'mod_and_test', -1, finalize)
      }
      work.wait(1_000_000)
      for (const page of used) work.does(page, 'mod_and_test', -1, ['unmap_page_range', 'unmap_vmas', '__x64_sys_munmap', ...SYSCALL], { mapcount: 0 })
      for (const page of all) {
        if (page.count === 0) continue
        work.does(page, 'mod_unless', 1, ['migrate_device_range', ...close])
        work.does(page, 'mod_and_test', -1, ['migrate_device_finalize', ...close])
      }
    }
    const { findings } = await work.audit([{ start: 0x40000, end: 0x5ffff, type: 'private', from: 'option', name: undefined }])
    deepEqual([findings[0].severity, findings[0].pages, findings[0].callsites[0].function], ['error', [all[0].pfn], 'dmirror_migrate_to_device'])
  })
})

describe('what lasts as long as user space likes, after many that did not', () => {
  it('registered buffers', async () => {
    const work = new Workload()
    const all = pages(4, 1)
    const register = ['pin_user_pages', 'io_pin_pages', 'io_sqe_buffer_register', '__x64_sys_io_uring_register', ...SYSCALL]
    for (let i = 0; i < 50; i++) {
      for (const page of all) work.does(page, 'mod', 1024, ['try_grab_page', '__get_user_pages', ...register])
      work.wait(300_000)
      if (i === 49) break
      for (const page of all)
        work.does(page, 'mod_and_return', -1024, [
          '__put_devmap_managed_page_refs',
          'unpin_user_page',
          'io_buffer_unmap',
          '__x64_sys_io_uring_register',
          ...SYSCALL,
        ])
    }
    const [other] = pages(1, 1).map((page) => ({ ...page, pfn: 0x40100 }))
    for (let i = 0; i < 50; i++) {
      work.wait(20_000_000)
      work.does(other, 'mod_unless', 1, VMSPLICE)
      work.does(other, 'mod_and_return', -1, READ)
    }
    deepEqual(errorsOf(await work.audit()), [])
  })

  it('a page in two pipes', async () => {
    const work = new Workload()
    const all = pages(64, 1)
    for (let i = 0; i < 60; i++) {
      work.does(all[i], 'mod_unless', 1, VMSPLICE)
      work.does(all[i], 'mod', 1, ['generic_pipe_buf_get', 'do_tee', '__x64_sys_tee', ...SYSCALL])
      work.does(all[i], 'mod_and_return', -1, READ)
      if (i !== 45) work.does(all[i], 'mod_and_return', -1, READ)
      work.wait(200_000)
    }
    deepEqual(errorsOf(await work.audit()), [])
  })

  for (const [name, takes] of [
    ["a file's huge mapping", ['insert_pmd', 'vmf_insert_folio_pmd', 'dax_fault_iter', 'dax_iomap_pmd_fault', ...FAULT]],
    ['a huge mapping of device memory', ['remove_migration_pmd', 'remove_migration_pte', 'remove_migration_ptes', '__migrate_device_finalize', ...FAULT]],
  ] as const) {
    it(name, async () => {
      const work = new Workload()
      const all = pages(8, 0, -1)
      for (let i = 0; i < 120; i++) {
        const page = i === 60 ? all[7] : all[i % 7]
        work.does(page, 'mod', 1, ['dax_fault_iter', 'dax_iomap_pmd_fault', ...FAULT])
        work.does(page, 'mod', 1, takes, { mapcount: 0 })
        work.does(page, 'mod_and_test', -1, ['dax_fault_iter', 'dax_iomap_pmd_fault', ...FAULT])
        work.wait(100_000)
        if (i !== 60) work.does(page, 'mod_and_test', -1, MUNMAP, { mapcount: -1 })
      }
      deepEqual(errorsOf(await work.audit()), [])
    })
  }
})

describe('a memory map that is taken down while I/O is under way', () => {
  const take = ['try_grab_page', '__get_user_pages', 'iov_iter_get_pages', ...DIO]
  const give = ['put_devmap_managed_page', 'bio_release_pages', 'blkdev_bio_end_io', '__do_softirq', 'asm_sysvec_apic_timer_interrupt']
  const unbind = ['put_devmap_managed_page', 'memunmap_pages', 'devm_memremap_pages_release', 'unbind_store', '__x64_sys_write', ...SYSCALL]
  for (const [what, ends, errors] of [
    ['which ends', true, 0],
    ['which is cut off there', false, 0],
    ['and goes on for seconds', 'late', 1],
  ] as const) {
    it(`${what}: ${errors} errors`, async () => {
      const work = new Workload()
      const [page, other] = pages(2, 1)
      for (let i = 0; i < 30; i++) {
        work.does(page, 'mod', 1, take)
        work.does(page, 'mod_and_return', -1, give, { pid: 0 })
      }
      work.does(page, 'mod', 1, take)
      work.does(page, 'mod_and_return', -1, unbind)
      if (ends === true) work.does(page, 'mod_and_return', -1, give, { pid: 0 })
      if (ends === 'late') work.wait(3e9)
      work.does(other, 'mod_and_return', -1, unbind)
      equal(errorsOf(await work.audit()).length, errors)
    })
  }
})

describe('a part of the events only', () => {
  const name = 'selftests/v5.10-xfs-dio.dat'
  for (const [what, column, value] of [
    ['one CPU', 'cpu', 0],
    ['one task', 'pid', 77],
    ['one worker', 'pid', 20],
  ] as const) {
    it(`${what}: no error`, async () => {
      const whole = await batchOf(fileOf(name))
      const { batch } = whole
      const made = newBatch(batch.length)
      for (let row = 0; row < batch.length; row++) if (batch[column][row] === value) copyRow(batch, row, made, made.length++)
      ok(made.length > 0)
      deepEqual(errorsOf(auditRows(whole, made, rangesOf(name))), [])
    })
  }
})

describe("a CPU's last records that the recorder did not write, while the other goes on", () => {
  for (const name of ['selftests/v5.10-xfs-dio.dat', 'selftests/v7.3-ext4-dio.dat']) {
    it(`${name}: no error`, async () => {
      const whole = await batchOf(fileOf(name))
      const { batch } = whole
      const comparable = { ...whole, head: { ...whole.head, comparable: true } }
      for (const cpu of [0, 1]) {
        for (const part of [0.2, 0.5, 0.8]) {
          const place = Math.floor(batch.length * part)
          const made = newBatch(batch.length)
          let last = 0
          for (let row = 0; row < batch.length; row++) {
            if (batch.cpu[row] === cpu && row >= place) continue
            if (batch.cpu[row] === cpu) last = batch.time[row]
            copyRow(batch, row, made, made.length++)
          }
          deepEqual(errorsOf(auditRows(comparable, made, rangesOf(name), plainRules, [], last)), [], `CPU ${cpu} until ${part}`)
        }
      }
    })
  }
})

describe('text', () => {
  const event = (head: string): string => `${head} page_ref_mod: pfn=0x40000 flags=0x1000 count=2 mapcount=0 mapping=(nil) mt=1 val=1`

  it('trace-cmd report -R -l, --raw-ts, --ts-diff', () => {
    deepEqual(
      [event(' my task-12     1-0x34    15.559969:'), event('  t-12  [001] 15559969000:'), event('  t-12  [001]    15.559969: (+1914)')].map((line) => {
        const { pid, cpu, time, context, name } = ftraceLine(line) ?? {}
        return [pid, cpu, time, context, name]
      }),
      [
        [12, 1, 15_559_969_000, 0x10, 'page_ref_mod'],
        [12, 1, 15_559_969_000, 0, 'page_ref_mod'],
        [12, 1, 15_559_969_000, 0, 'page_ref_mod'],
      ],
    )
  })

  it("perf's kernel frames, whatever file they were named from; not what was inlined", () => {
    const frame = (where: string): string | undefined => perfFrame(`\tffffffff811f8853 one+0x93 (${where})`)?.name
    deepEqual(['[kernel.kallsyms]', '/usr/lib/debug/boot/vmlinux-6.1.0', '/proc/kcore', '/lib/modules/6.1.0/test_hmm.ko.xz', 'inlined'].map(frame), [
      'one',
      'one',
      'one',
      'one',
      undefined,
    ])
    equal(perfFrame('\tffffffffa000427f one+0x1 (/lib/modules/6.1.0/test_hmm.ko.xz)')?.module, 'test_hmm')
    equal(perfFrame('\t           3982b __ioctl+0x3b (/bin/hmmt)'), undefined)
  })

  it('a CPU of which tracefs has nothing before a time: that is a loss', async () => {
    const losses: number[] = []
    const text = ['# tracer: nop', event('  t-1 [000] .....  1.000001:'), '##### CPU 1 buffer started ####', event('  t-1 [001] .....  1.000002:'), ''].join(
      '\n',
    )
    await pass(memoryFile(new TextEncoder().encode(text), 'text'), { events() {}, lost: ({ cpu }) => losses.push(cpu) })
    deepEqual(losses, [1])
  })

  it('the kernel is told by what comes behind the first megabyte, too, and by functions that were cloned', async () => {
    const made = `${event('  t-1 [000]  1.000001:')}\n`
    const text = `${made.repeat(12_000)}  t-1 [000]  2.0: kernel_stack: <stack trace >\n=> __page_ref_mod (ffffffff81000000)\n=> zone_device_page_init (ffffffff81000000)\n${made.repeat(3000)}`
    ok(text.length > 1 << 20)
    const { summary } = await auditOf(memoryFile(new TextEncoder().encode(text), 'text'), [])
    equal(summary.head.release, '6.1')
    equal(guessRelease(['migrate_device_finalize.llvm.123']), '6.1')
  })
})
