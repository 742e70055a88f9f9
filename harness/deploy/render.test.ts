import { test } from 'tap'
import { harnessJob, resultsLine } from './job.ts'
import { parseObjects, toYaml, versionsOf, withImages, withNamespaceMarks } from './render.ts'

const images = [{ name: 'stepflow-gauntlet', tag: 'abc' }]

test('images of the project get the tags that were built, at any depth, others stay', async (t) => {
  const spec = {
    initContainers: [{ image: 'stepflow-gauntlet:0.1.0' }],
    containers: [
      { image: 'stepflow-gauntlet' },
      { image: 'stepflow-gauntlet@sha256:00' },
      { image: 'registry:5000/stepflow-gauntlet:0.1.0' },
      { image: 'stepflow-gauntlet-harness:1' },
    ],
  }
  t.same(withImages({ spec }, images), {
    spec: {
      initContainers: [{ image: 'stepflow-gauntlet:abc' }],
      containers: [
        { image: 'stepflow-gauntlet:abc' },
        { image: 'stepflow-gauntlet:abc' },
        { image: 'registry:5000/stepflow-gauntlet:0.1.0' },
        { image: 'stepflow-gauntlet-harness:1' },
      ],
    },
  })
})

test('objects come out as they went in, and the namespace alone is marked', async (t) => {
  const text = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n---\nkind: X\nmetadata: { name: b }\n'
  const objects = withNamespaceMarks(parseObjects(text), { labels: { l: 'v' }, annotations: { a: 'w' } })
  t.same(parseObjects(toYaml(objects)), [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'a', labels: { l: 'v' }, annotations: { a: 'w' } },
    },
    { kind: 'X', metadata: { name: 'b' } },
  ])
})

test('refuses what is no YAML', async (t) => {
  t.throws(() => parseObjects('a: [1'), { code: 'ERR_CONFIG_SYNTAX' })
})

test("the Job's pod asks for nothing that Pod Security's restricted profile refuses", async (t) => {
  const job = harnessJob({ name: 'a', namespace: 'b', image: 'c', args: ['scenarios/smoke.mjs'] })
  const text = JSON.stringify(job)
  t.match(text, '"runAsNonRoot":true')
  t.match(text, '"drop":["ALL"]')
  t.match(text, '"args":["scenarios/smoke.mjs","--cluster","kubernetes"')
})

test('results are found among lines of progress', async (t) => {
  t.equal(resultsLine('1 s  a\n{"schemaVersion":1,"suite":"x"}\n2 s  b\n'), '{"schemaVersion":1,"suite":"x"}')
  t.equal(resultsLine('no results'), null)
})

test('a status does not make another version of an object, a change of its specification does', async (t) => {
  const list = (generation: number, resourceVersion: string, hard = 20): string =>
    JSON.stringify({
      items: [
        { kind: 'Deployment', metadata: { name: 'a', namespace: 'n', generation, resourceVersion } },
        {
          kind: 'ResourceQuota',
          metadata: { name: 'q', resourceVersion },
          spec: { hard: { pods: hard } },
          status: { used: { pods: resourceVersion } },
        },
      ],
    })
  t.same(versionsOf(list(1, '7')), versionsOf(list(1, '8')))
  t.notSame(versionsOf(list(1, '7')), versionsOf(list(2, '7')))
  t.notSame(versionsOf(list(1, '7')), versionsOf(list(1, '7', 21)), 'also where it has no generation')
  t.equal(versionsOf('').size, 0)
})
