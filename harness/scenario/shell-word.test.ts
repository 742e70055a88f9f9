import { execFileSync } from 'node:child_process'
import t from 'tap'
import { shellWord } from './shell-word.ts'

t.test('a shell reads every word back as it was', async (t) => {
  const words = ['plain', 'a/b.mjs', 'with space', "it's", '$HOME', '', 'a\nb', '*', '~', '--x=1']
  const shown = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellWord).join(' ')}`], {
    encoding: 'utf8',
  })
  t.same(shown.split('\0').slice(0, -1), words)
})
