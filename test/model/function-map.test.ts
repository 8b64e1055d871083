// docs/model-functions.md is what the files of kernel/ say; docs/model.md names each of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesBelow, readText } from '../mutation/model-files.ts'
import { functionMap, mappedFiles, writtenMap } from './function-map.ts'

test('docs/model-functions.md is up to date (npm run map)', () => {
  assert.ok(functionMap() === writtenMap(), 'docs/model-functions.md is not what kernel/ says: npm run map')
})

test('docs/model.md has a row for every file of the model, and none for one that is gone', () => {
  const files = mappedFiles()
  const named = new Set([...readText('docs/model.md').matchAll(/`(kernel\/[\w/-]+\.ts)`/g)].map(([, file]) => file))
  assert.deepEqual(
    files.filter((file) => !named.has(file)),
    [],
    'files without a row',
  )
  const all = filesBelow('kernel')
  for (const file of named) assert.ok(all.includes(file), `${file} is named, and does not exist`)
})
