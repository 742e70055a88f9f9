import t from 'tap'
import { parseHistory } from './parse.ts'

const started = '{"at":1,"kind":"process.started","witness":"runtime","pod":"runtime-1","pid":7,"wallMs":0}\n'
const ended = '{"at":5,"kind":"run.ended","runId":"r1","status":"completed","inFlight":0}\n'
const file = 'runtime-1'

t.test('gives each record the witness and pod of its process', async (t) => {
  t.match(parseHistory(started + ended, { file }), {
    records: [{ kind: 'process.started' }, { kind: 'run.ended', witness: 'runtime', pod: 'runtime-1' }],
    characters: started.length + ended.length,
    lines: 2,
  })
})

t.test('reads a record that is the array of its values', async (t) => {
  const lines = '["run.ended",5,"r1","completed",0]\n["execute.answered",6,"q","success",null]\n'
  const author = { witness: 'runtime', pod: 'runtime-1' }
  t.strictSame(parseHistory(started + lines, { file }).records.slice(1), [
    { at: 5, kind: 'run.ended', runId: 'r1', status: 'completed', inFlight: 0, ...author },
    { at: 6, kind: 'execute.answered', requestId: 'q', outcome: 'success', ...author },
  ])
})

t.test('leaves a torn last line for the next time', async (t) => {
  const first = parseHistory(started + ended.slice(0, 20), { file })
  t.equal(first.records.length, 1)
  t.equal(first.characters, started.length)
  const second = parseHistory(ended, { file, linesBefore: first.lines, author: first.author! })
  t.match(second.records, [{ runId: 'r1', pod: 'runtime-1' }])
})

t.test('reads on after a line that a kill tore and the next process continued', async (t) => {
  const { records } = parseHistory(started + ended.slice(0, 20) + started.replace('1,', '9,'), { file })
  t.match(records, [{ at: 1 }, { at: 9, kind: 'process.started' }])
})

t.test('refuses any other bad line, with file and line', async (t) => {
  const cases = [
    ['{"at":2,\n', /runtime-1 line 2: is no JSON/],
    ['7\n', /line 2: is no record/],
    ['{"at":"2","kind":"run.ended"}\n', /line 2: has no time/],
    ['{"at":2,"kind":"run.lost"}\n', /line 2: has an unknown kind, run\.lost/],
    ['["run.lost",2]\n', /line 2: has an unknown kind, run\.lost/],
    ['["pod.state",2]\n', /line 2: has an unknown kind, pod\.state/],
    ['[]\n', /line 2: has an unknown kind, undefined/],
    ['["run.ended",2,"r1","completed"]\n', /line 2: has 2 values, where run\.ended has 3/],
    ['["run.ended",null,"r1","completed",0]\n', /line 2: has no time/],
  ] as const
  for (const [line, message] of cases) {
    t.throws(() => parseHistory(started + line + ended, { file }), { code: 'ERR_HISTORY', message })
  }
  t.throws(() => parseHistory(ended, { file }), {
    message: /line 1: run\.ended stands before process\.started/,
  })
})
