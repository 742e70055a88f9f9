import { execFileSync } from 'node:child_process'
import { test } from 'tap'
import { writeTar } from './tar.ts'

test('writes what tar reads: files, folders, links and long paths', async (t) => {
  const long = `${'a'.repeat(90)}/${'b'.repeat(90)}`
  const archive = writeTar([
    { kind: 'folder', path: 'd', mode: 0o755 },
    { kind: 'file', path: 'd/f', mode: 0o640, data: Buffer.from('hello') },
    { kind: 'link', path: 'd/l', target: 'f' },
    { kind: 'file', path: long, mode: 0o644, data: Buffer.alloc(600, 'x') },
  ])
  const listing = execFileSync('tar', ['-tv', '--numeric-owner', '-f', '-'], {
    input: archive,
    encoding: 'utf8',
  })
  t.match(listing, /^drwxr-xr-x .* d\/$/m)
  t.match(listing, /^-rw-r----- .* 5 .* d\/f$/m)
  t.match(listing, /d\/l -> f$/m)
  t.match(listing, `600 `)
  t.match(listing, long)
  t.equal(execFileSync('tar', ['-xOf', '-', 'd/f'], { input: archive, encoding: 'utf8' }), 'hello')
})

test('refuses a path that no field holds', async (t) => {
  t.throws(() => writeTar([{ kind: 'folder', path: 'x'.repeat(200), mode: 0o755 }]), {
    code: 'ERR_CONFIG_RANGE',
  })
})
