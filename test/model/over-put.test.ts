// A driver gives one reference of a device-dax page back twice. What the kernel sees of it differs: v7.3 sets the count back to 1
// whenever it comes to 0, which hides the mistake; the ledger of the model still has it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mutated, search } from '../checks/overlay.ts'
import { failed } from './models.ts'

const twice = {
  file: 'scenarios/device-dax-pin-and-munmap.ts',
  from: '      if (read !== null) put_user_page(read)\n',
  to: '      if (read !== null) {\n        put_user_page(read)\n        put_user_page(read)\n      }\n',
}
const LEDGER = 'ledger:unhold:a reference is given back that nobody holds'

async function seen(kernel: string): Promise<string[]> {
  const result = await search(mutated('device-dax-pin-and-munmap', kernel, [twice]))
  assert.ok(result.complete)
  return failed(result)
}

test('v7.3: the reset hides a reference too many given back of a device-dax page, but for who meets the page between 0 and 1', async () => {
  const found = await seen('v7.3')
  assert.ok(found.includes(LEDGER))
  // No warning, and at the end every count is as if nothing had been. A CONFIG_DEBUG_VM check sees the moment in between.
  assert.deepEqual(
    found.filter((id) => /^(warn|finally|use-after-free|sleeps)/.test(id)),
    [],
  )
  assert.ok(found.some((id) => id.startsWith('bug:get_page_checked:')))
})

test('v6.12: the count that comes to 0 is a warning', async () => {
  const found = await seen('v6.12')
  assert.ok(found.includes(LEDGER))
  assert.ok(
    found.some((id) => id.startsWith('warn:free_zone_device_page:')),
    found.join(', '),
  )
})

test('v5.10: the page puts the reference of its pgmap, which then goes under it', async () => {
  const found = await seen('v5.10')
  assert.ok(found.includes('finally:the pgmap has no reference but those of its pages'), found.join(', '))
})
