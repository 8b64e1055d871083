import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { putpage, ROOT } from '../cli/putpage.ts'
import { type Fake, fakeTracefs, ringBufferPage, SUB_BUFFER } from './fake-tracefs.ts'

const TWO_CPUS = [[ringBufferPage(1_000_000n, 3, 50), ringBufferPage(3_000_000n, 2, 50)], [ringBufferPage(2_000_000n, 1, 50)]]

async function withFake(fake: Fake, body: () => Promise<void>): Promise<void> {
  try {
    await body()
    assert.ok(!existsSync(join(fake.directory, 'blocked')), 'no read waits for an empty buffer')
  } finally {
    fake.remove()
  }
}

/** What the system looks like after any run: as before it. */
function restored(fake: Fake): void {
  assert.deepEqual(readdirSync(join(fake.tracefs, 'instances')), [])
  assert.equal(readFileSync(join(fake.tracefs, 'saved_cmdlines_size'), 'utf8'), '128\n')
  const probes = readFileSync(join(fake.tracefs, 'kprobe_events'), 'utf8').split('\n')
  assert.equal(probes[0], '# p:kprobes/of_somebody_else do_sys_open')
  const made = probes.filter((line) => /^p:/.test(line)).map((line) => /^p:(\S+)/.exec(line)?.[1])
  assert.deepEqual(
    probes.filter((line) => line.startsWith('-:')).map((line) => line.slice(2)),
    made,
    'each probe made is taken out, by name',
  )
  assert.deepEqual(
    readdirSync(fake.directory).filter((file) => file.includes('.part.')),
    [],
  )
}

test('the command prints the script, which every shell accepts', () => {
  const { code, out } = putpage('record', '--script')
  assert.equal(code, 0)
  assert.equal(out, readFileSync(join(ROOT, 'record/record.sh'), 'utf8'))
  for (const shell of [['sh'], ['dash'], ['bash', '--posix'], ['busybox', 'sh']]) {
    const { error, status, stderr } = spawnSync(shell[0], [...shell.slice(1), '-n', join(ROOT, 'record/record.sh')], { encoding: 'utf8' })
    if (!error) assert.equal(status, 0, stderr)
  }
  assert.equal(putpage('record').code, 2)
})

test('shellcheck has nothing to say', (t) => {
  const { error, stdout } = spawnSync('shellcheck', ['-s', 'sh', join(ROOT, 'record/record.sh')], { encoding: 'utf8' })
  if (error && process.env.CI) assert.fail('no shellcheck here')
  if (error) t.skip('no shellcheck here')
  else assert.equal(stdout, '')
})

for (const shell of [['sh'], ['bash', '--posix']])
  test(`records a command into a trace.dat, and leaves nothing behind (${shell[0]})`, async () => {
    const fake = fakeTracefs(TWO_CPUS)
    await withFake(fake, async () => {
      const { code, err } = await fake.record(['-o', 'run', '-b', '4096', '--', 'sh', '-c', 'exit 3'], { shell })
      assert.equal(code, 3, err)
      restored(fake)
      const settings = fake.settings()
      assert.ok(settings)
      assert.equal(settings.get('trace_clock'), 'mono\n')
      assert.equal(settings.get('buffer_size_kb'), '4096\n')
      assert.equal(settings.get('options/stacktrace'), '1\n')
      assert.equal(settings.get('tracing_on'), '0\n')
      // Everything but System RAM; gaps below 2 MB are too small for device memory.
      const outside = '(pfn >= 0x40000 && pfn < 0x48000) || (pfn >= 0x9ffdd)'
      assert.equal(settings.get('events/page_ref/page_ref_mod/filter'), `${outside}\n`)
      assert.equal(settings.get('events/page_ref/page_ref_mod_unless/filter'), `(${outside}) && ret!=0\n`)
      assert.match(
        settings.get('trace_marker') ?? '',
        /^putpage uname: Linux.*\nputpage command: sh -c exit 3\n(putpage iomem: .*\n)*putpage iomem: fcf0000000-fcffffffff : hmm_dmirror\n/,
      )
      assert.match(readFileSync(join(fake.directory, 'run.iomem'), 'utf8'), /hmm_dmirror/)

      const file = readFileSync(join(fake.directory, 'run.dat'))
      assert.equal(file.subarray(0, 12).toString('latin1'), '\x17\x08\x44tracing6\0')
      assert.ok(file.includes('ffffffffa0002b00 t dmirror_migrate\t[test_hmm]\n'))
      assert.ok(!file.includes('some_data'))
      // The pages stand at the end, as they were read, each CPU's on a page of the file.
      assert.deepEqual(file.subarray(-3 * SUB_BUFFER, -SUB_BUFFER), Buffer.concat(TWO_CPUS[0]))
      assert.deepEqual(file.subarray(-SUB_BUFFER), TWO_CPUS[1][0])
      assert.equal(file.length % SUB_BUFFER, 0)
      const table = file.length - 3 * SUB_BUFFER
      const entries = file.indexOf('flyrecord\0') + 10
      assert.deepEqual(
        [0, 8, 16, 24].map((at) => Number(file.readBigUInt64LE(entries + at))),
        [table, 2 * SUB_BUFFER, table + 2 * SUB_BUFFER, SUB_BUFFER],
      )
    })
  })

test('trace-cmd reads the file', async (t) => {
  if (spawnSync('trace-cmd', ['--version']).error) {
    assert.ok(!process.env.CI, 'no trace-cmd here')
    return t.skip('no trace-cmd here')
  }
  const fake = fakeTracefs(TWO_CPUS)
  await withFake(fake, async () => {
    await fake.record(['-o', 'run', 'true'])
    const report = execFileSync('trace-cmd', ['report', 'run.dat'], { cwd: fake.directory, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    assert.equal(report.match(/page_ref_mod: +pfn=0xfcf000/g)?.length, 6)
    assert.match(report, /hmmt-42 +\[001\].*page_ref_mod: +pfn=0xfcf0000 .*count=2 /)
    assert.match(report, /=> dmirror_migrate \(ffffffffa0002b5f\)/)
  })
})

test('an interrupt ends the recording, packs it and restores everything', async () => {
  const fake = fakeTracefs(TWO_CPUS)
  await withFake(fake, async () => {
    const { code, err } = await fake.record(['-o', 'run', 'sleep', '300'], { during: (pid) => setTimeout(() => process.kill(pid, 'SIGINT'), 300) })
    assert.equal(code, 130, err)
    restored(fake)
    assert.ok(existsSync(join(fake.directory, 'run.dat')))
  })
})

test('a time limit leaves a command that hangs alone', async () => {
  const fake = fakeTracefs(TWO_CPUS)
  await withFake(fake, async () => {
    const { code, err } = await fake.record(['-o', 'run', '-t', '1', 'sleep', '4'])
    assert.equal(code, 0, err)
    assert.match(err, /1 seconds are over; the command \(process \d+\) is still running/)
    restored(fake)
    assert.ok(existsSync(join(fake.directory, 'run.dat')))
  })
})

test('what cannot be recorded is refused with the reason, and nothing is left', async () => {
  const refused = async (fake: Fake, args: readonly string[], why: RegExp): Promise<void> => {
    const { code, err } = await fake.record(args)
    assert.equal(code, 125, err)
    assert.match(err, why)
    restored(fake)
  }
  const tries: [Fake, (fake: Fake) => void, readonly string[], RegExp][] = [
    [fakeTracefs([], { root: false }), () => {}, ['true'], /needs root/],
    [fakeTracefs([], { pageRef: false }), () => {}, ['true'], /CONFIG_DEBUG_PAGE_REF=y/],
    [fakeTracefs([]), (fake) => fake.write('proc/iomem', '00000000-00000000 : System RAM\n'), ['true'], /no addresses of System RAM/],
    [fakeTracefs([]), (fake) => fake.write('run.dat', ''), ['-o', 'run', 'true'], /run\.dat exists already/],
    [fakeTracefs([]), (fake) => fake.write('template/trace_clock', '[local] counter\n'), ['true'], /no clock/],
    [fakeTracefs([]), () => {}, ['-b', 'much', 'true'], /whole number/],
    [fakeTracefs([]), () => {}, ['-z'], /usage/],
  ]
  for (const [fake, change, args, why] of tries)
    await withFake(fake, async () => {
      change(fake)
      await refused(fake, args, why)
    })
})
