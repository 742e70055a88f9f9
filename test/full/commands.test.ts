// Every command of package.json explains itself, and refuses what it does not know by name.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const root = join(import.meta.dirname, '../..')
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>
}
/** Without options of their own. */
const plain = ['check', 'check:manifests', 'coverage', 'format']

t.setTimeout(240_000)

for (const [name, command] of Object.entries(scripts).filter(([name]) => !plain.includes(name))) {
  t.test(`npm run ${name}`, async (t) => {
    const run = (word: string) => {
      const [, ...args] = command.split(' ')
      return spawnSync(process.execPath, [...args, word], { cwd: root, encoding: 'utf8', timeout: 60_000 })
    }
    const help = run('--help')
    t.equal(help.status, 0, help.stderr)
    t.match(help.stdout, /^Usage: npm /)
    const wrong = run('--no-such-option')
    t.equal(wrong.status, 2, wrong.stdout)
    t.match(wrong.stderr, /^error: --no-such-option: .*\(ERR_FLAG_\w+\)$/m)
    t.equal(wrong.stdout, '', 'before anything is done')
  })
}
