import { test } from 'tap'
import { createImage, createLayer, fullName, type ImageSettings } from './oci.ts'

const settings: ImageSettings = {
  architecture: 'amd64',
  user: '10001:10001',
  workingDirectory: '/app',
  env: { PATH: '/usr/bin' },
  entrypoint: ['node'],
  command: ['main.ts'],
  labels: {},
}
const layer = (text: string) =>
  createLayer('project', [{ kind: 'file', path: 'app/main.ts', mode: 0o644, data: Buffer.from(text) }])

test('the same files give the same digest and archive, others another', async (t) => {
  const [one, two, other] = ['a', 'a', 'b'].map((text) => createImage([layer(text)], settings))
  t.equal(one?.digest, two?.digest)
  t.ok(one?.archive(['x:1']).equals(two?.archive(['x:1']) ?? Buffer.alloc(0)))
  t.not(one?.digest, other?.digest)
})

test('a change of the settings is another image', async (t) => {
  const image = createImage([layer('a')], settings)
  t.not(createImage([layer('a')], { ...settings, user: '0:0' }).digest, image.digest)
})

test('completes short names as engines do', async (t) => {
  t.equal(fullName('a:1'), 'docker.io/library/a:1')
  t.equal(fullName('a/b:1'), 'docker.io/a/b:1')
  t.equal(fullName('localhost:5000/b:1'), 'localhost:5000/b:1')
})
