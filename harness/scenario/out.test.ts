import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { prepareOut } from './out.ts'

t.test('makes the folder with its parents, and leaves nothing in it', async (t) => {
  const folder = join(t.testdir({}), 'a/b')
  await prepareOut(folder)
  await prepareOut(folder)
  t.same(readdirSync(folder), [])
})

t.test('says at once that a folder cannot be written to', async (t) => {
  const here = t.testdir({})
  writeFileSync(join(here, 'file'), '')
  const places = [join(here, 'file'), join(here, 'file/below'), ...(existsSync('/proc') ? ['/proc/x/y'] : [])]
  for (const place of places) {
    await t.rejects(prepareOut(place), { code: 'ERR_ENVIRONMENT', field: '--out', value: place })
  }
})
