// A pod that is killed in the middle of its work: whatever it had said to anybody is on record, and nothing else is torn.

import t, { type Test } from 'tap'
import type { HistoryRecord } from '../../contracts/history.ts'
import { startLocalCluster } from '../../harness/cluster/local/index.ts'
import { parseHistory } from '../../harness/history/parse.ts'

t.setTimeout(60_000)
const cluster = await startLocalCluster(
  { replicas: { runtime: 1, balancer: 1, 'component-server': 1 } },
  { preStopMs: 50 },
)
t.teardown(() => cluster.stop())
const post = async (url: string, body: object): Promise<Record<string, unknown>> => {
  const answer = await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
  })
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, unknown>
}

/** Keeps twenty requests open until they fail, and kills the pod in their middle. Returns what was answered. */
async function killUnder(pod: string, request: (id: string) => Promise<string>): Promise<Set<string>> {
  const answered = new Set<string>()
  let killing = false
  const user = async (user: number): Promise<void> => {
    for (let n = 0; ; n++) {
      const id = await request(`${user}-${n}`).catch((error: unknown) => {
        if (!killing) throw error
        return null
      })
      if (id === null) return
      answered.add(id)
      // Well under way: the kill comes while the others' requests are anywhere.
      if (answered.size === 500) {
        killing = true
        void cluster.deletePod(pod, { gracePeriodSeconds: 0 })
      }
    }
  }
  await Promise.all(Array.from({ length: 20 }, (_, i) => user(i)))
  return answered
}

/** Every line that ends is a whole record; only a last one may be torn. */
async function recordsOf(t: Test, pod: string): Promise<readonly HistoryRecord[]> {
  const text = await cluster.history(pod)
  const { records, characters } = parseHistory(text, { file: pod })
  t.comment(`${records.length} records, ${characters === text.length ? 'none' : 'the last one'} torn`)
  return records
}

const onlyPod = async (role: 'runtime' | 'balancer' | 'component-server') => {
  const [pod] = await cluster.waitReady(role)
  if (pod === undefined) throw new Error(`no ${role}`)
  return pod
}

const call = (url: string) => async (id: string) => {
  const params = {
    ...{ component: '/double', input: { value: 1 }, attempt: 1 },
    observability: { step_id: 's', run_id: id },
  }
  const answer = await post(url, { jsonrpc: '2.0', id, method: 'components/execute', params })
  return String(answer['id'])
}

t.test('balancer: each answer that arrived is on record as routed', async (t) => {
  const pod = await onlyPod('balancer')
  const answered = await killUnder(pod.name, call(cluster.podUrl(pod)))
  const routed = (await recordsOf(t, pod.name)).filter(
    (record) => record.kind === 'request.routed' && record.status === 200,
  )
  t.ok(routed.length >= answered.size, `${answered.size} answers arrived, ${routed.length} are on record`)
})

t.test(
  'component server: each answer that arrived is on record as given, and as received before',
  async (t) => {
    const pod = await onlyPod('component-server')
    const answered = await killUnder(pod.name, call(cluster.podUrl(pod)))
    const records = await recordsOf(t, pod.name)
    const received = new Set<string>()
    const given = new Set<string>()
    for (const record of records) {
      if (record.kind === 'execute.received') received.add(record.requestId)
      if (record.kind !== 'execute.answered') continue
      if (!received.has(record.requestId)) t.fail(`${record.requestId} was answered before it was received`)
      given.add(record.requestId)
    }
    t.same(
      [...answered].filter((id) => !given.has(id)),
      [],
      `${answered.size} answers arrived, ${given.size} are on record`,
    )
  },
)

t.test('runtime: each run that was answered is on record as ended', async (t) => {
  const pod = await onlyPod('runtime')
  const url = cluster.podUrl(pod)
  const step = { id: 's', component: '/builtin/put_blob', input: { data: 1 } }
  const { flowId } = await post(`${url}/api/v1/flows`, { flow: { steps: [step], output: { $step: 's' } } })
  const answered = await killUnder(pod.name, async () => {
    return String((await post(`${url}/api/v1/runs`, { flowId, input: [{}] }))['runId'])
  })
  const ended = new Set<string>()
  for (const record of await recordsOf(t, pod.name)) if (record.kind === 'run.ended') ended.add(record.runId)
  t.same(
    [...answered].filter((id) => !ended.has(id)),
    [],
    `${answered.size} runs were answered, ${ended.size} are on record`,
  )
})
