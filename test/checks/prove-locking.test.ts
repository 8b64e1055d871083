// Lockdep's two checks: each fails where a lock of its kind is left out, passes without a mistake, and is not there where the switch is off.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed } from '../model/models.ts'
import { type Edit, mutated, search } from './overlay.ts'

interface Mistake {
  readonly what: string
  readonly scenario: string
  readonly kernel: string
  readonly edit: Edit
  readonly fails: string
}

const edit = (file: string, from: string, to: string): Edit => ({ file, from, to })
const HELD_AT_END = 'finally:no lock is held'
const UVMEM = 'kernel/arch/powerpc/kvm/book3s_hv_uvmem.ts'
const DROP = 'function kvmppc_uvmem_drop_page(vma: Vma, kvm: Kvm, skip_page_out: boolean): void {\n'
const DROPPED = "  } else kvm.pfn = { flag: 'none', page: null }\n"

const MISTAKES: readonly Mistake[] = [
  {
    what: 'a spinlock is not taken',
    scenario: 'device-migration-and-fault',
    kernel: 'v6.1',
    edit: edit('kernel/lib/test_hmm.ts', '  spin_lock(mdevice.lock)\n  if (!mdevice.remove) {', '  if (!mdevice.remove) {'),
    fails: 'race:dmirror_devmem_free:bad unlock balance',
  },
  {
    what: 'a semaphore is not taken',
    scenario: 'device-migration-and-fault',
    kernel: 'v6.1',
    edit: edit(
      'kernel/lib/test_hmm.ts',
      "  down_read(vma.mm.mmap_lock)\n  const src = migrate_vma_setup(vma, 'system', null)",
      "  const src = migrate_vma_setup(vma, 'system', null)",
    ),
    fails: 'race:dmirror_migrate_to_device:bad unlock balance',
  },
  {
    what: 'a semaphore taken for reading is given back as if for writing',
    scenario: 'unbind-against-xfs-write-fault',
    kernel: 'v7.3',
    edit: edit('kernel/fs/xfs/xfs_file.ts', '  else up_read(inode.invalidate_lock)', '  else up_write(inode.invalidate_lock)'),
    fails: 'race:xfs_iunlock_of_fault:bad unlock balance',
  },
  {
    what: 'a mutex is not taken',
    scenario: 'uvmem-zap-and-drop',
    kernel: 'v7.3',
    edit: edit(UVMEM, `${DROP}  mutex_lock(kvm.uvmem_lock)\n`, DROP),
    fails: 'race:kvmppc_uvmem_drop_page:bad unlock balance',
  },
  {
    what: 'a mutex is kept',
    scenario: 'uvmem-zap-and-drop',
    kernel: 'v7.3',
    edit: edit(UVMEM, `${DROPPED}  mutex_unlock(kvm.uvmem_lock)\n`, DROPPED),
    fails: HELD_AT_END,
  },
  {
    what: 'an RCU read section is not begun',
    scenario: 'gup-of-mapped-dax',
    kernel: 'v6.1',
    edit: edit('kernel/mm/memremap.ts', '  rcu_read_lock()\n  let pgmap = pgmap_array.entry', '  let pgmap = pgmap_array.entry'),
    fails: 'race:get_dev_pagemap:bad unlock balance',
  },
  {
    what: 'an SRCU read section is not left',
    scenario: 'device-dax-fault-against-unbind',
    kernel: 'v7.3',
    edit: edit(
      'kernel/drivers/dax/device.ts',
      '  const result = __dev_dax_pte_fault(vma, write)\n  srcu_read_unlock(dax_dev.dax_srcu)\n',
      '  const result = __dev_dax_pte_fault(vma, write)\n',
    ),
    fails: HELD_AT_END,
  },
]

const lockdep = (id: string): boolean => id === HELD_AT_END || id.endsWith(':bad unlock balance')

async function said(mistake: Mistake, edits: readonly Edit[], plus: readonly string[]): Promise<string[]> {
  const result = await search(mutated(mistake.scenario, mistake.kernel, edits, undefined, plus))
  assert.ok(result.complete)
  return failed(result).filter(lockdep)
}

for (const mistake of MISTAKES) {
  test(`${mistake.what}: ${mistake.fails}`, async () => {
    assert.deepEqual(await said(mistake, [], ['prove_locking']), [])
    const found = await said(mistake, [mistake.edit], ['prove_locking'])
    assert.ok(found.includes(mistake.fails), found.join(', '))
    assert.deepEqual(await said(mistake, [mistake.edit], []), [])
  })
}
