import { appendFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Pod } from '../../contracts/cluster.ts'
import { createHistoryCollector } from './collect.ts'

const started = (pod: string, at: number) =>
  `{"at":${at},"kind":"process.started","witness":"component-server","pod":"${pod}","pid":7,"wallMs":0}\n`
const foreign = (at: number) => `{"at":${at},"kind":"callback.foreign","callbackId":"b${at}"}\n`

t.test('merges pods, clients and harness, and reads on where it stopped', async (t) => {
  const file = `${t.testdir()}/client.ndjson`
  const texts = new Map([['pod-a', started('pod-a', 1) + foreign(5)]])
  const cluster = {
    allPods: async () => [...texts.keys()].map((name) => ({ name }) as Pod),
    history: async (name: string) => texts.get(name) ?? '',
  }
  const collector = createHistoryCollector()
  const harness = [
    { at: 3, kind: 'chaos', name: 'kill', phase: 'requested', pod: 'pod-a' },
    { at: 4, kind: 'window', scenario: 's', window: 'w' },
  ] as const
  const collect = () => collector.collect({ cluster, clientFiles: [file], harness })

  const places = (history: Awaited<ReturnType<typeof collect>>) =>
    history.map(({ at, kind, witness, pod }) => `${at} ${kind} ${witness} ${pod}`)
  t.same(places(await collect()), [
    '1 process.started component-server pod-a',
    '3 chaos harness pod-a',
    '4 window harness harness',
    '5 callback.foreign component-server pod-a',
  ])

  texts.set('pod-a', `${texts.get('pod-a')}${foreign(7)}{"at":8,`)
  texts.set('pod-b', started('pod-b', 6))
  writeFileSync(file, started('client', 2))
  t.same(
    (await collect()).map(({ at }) => at),
    [1, 2, 3, 4, 5, 6, 7],
  )
  appendFileSync(file, 'nonsense\n')
  await t.rejects(collect(), { code: 'ERR_HISTORY', message: /client\.ndjson line 2/ })
})
