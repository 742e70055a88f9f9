// The balancer's parsers against llhttp: thousands of inputs here, millions by `npm run fuzz:balancer`.

import t from 'tap'
import { checkAnswer, checkRequests, makeAnswer, makeRequests, readRequests } from '../fuzz/heads.ts'
import { Random } from '../fuzz/random.ts'
import { startWhole } from '../fuzz/whole.ts'

const count = 10_000
/** Through a whole balancer. */
const wholeCount = 300

t.test('reads requests as llhttp does, however they are cut, and writes them unmistakably', async (t) => {
  for (let seed = 0; seed < count; seed++) {
    const random = new Random(seed)
    const bytes = makeRequests(random)
    const problem = checkRequests(bytes, random)
    if (problem !== null) t.fail(`seed ${seed}: ${problem}`, { input: bytes.toString('latin1') })
  }
  t.pass(`${count} inputs`)
})

t.test('reads answers as llhttp does', async (t) => {
  for (let seed = 0; seed < count; seed++) {
    const random = new Random(seed)
    const bytes = makeAnswer(random)
    const problem = checkAnswer(bytes, random)
    if (problem !== null) t.fail(`seed ${seed}: ${problem}`, { input: bytes.toString('latin1') })
  }
  t.pass(`${count} inputs`)
})

t.test('makes inputs of every fate', async (t) => {
  const fates = new Map<string, number>()
  for (let seed = 0; seed < 3_000; seed++) {
    const bytes = makeRequests(new Random(seed))
    const { forwarded, refusal } = readRequests(bytes, bytes.length)
    const fate = refusal === null ? 'all forwarded' : String(refusal.status)
    fates.set(fate, (fates.get(fate) ?? 0) + 1)
    if (forwarded.length > 1) fates.set('several', (fates.get('several') ?? 0) + 1)
  }
  for (const fate of ['all forwarded', 'several', '400', '405', '501', '505']) {
    t.ok((fates.get(fate) ?? 0) > 10, `${fate}: ${fates.get(fate)}`)
  }
})

const broken: Record<string, (bytes: Buffer, cut: number) => ReturnType<typeof readRequests>> = {
  'takes the length although the body is chunked': (bytes, cut) =>
    readRequests(
      Buffer.from(bytes.toString('latin1').replace(/transfer-encoding/gi, 'X-Ignored-Field-1'), 'latin1'),
      cut,
    ),
  'joins folded lines': (bytes, cut) =>
    readRequests(Buffer.from(bytes.toString('latin1').replace(/\r\n /g, ' , '), 'latin1'), cut),
  'takes a bare LF for a line end': (bytes, cut) =>
    readRequests(Buffer.from(bytes.toString('latin1').replace(/(?<!\r)\n/g, '\r\n'), 'latin1'), cut),
  'reads differently at a cut': (bytes, cut) =>
    cut < bytes.length ? { ...readRequests(bytes, cut), refusal: null } : readRequests(bytes, cut),
}

for (const [name, read] of Object.entries(broken)) {
  t.test(`finds a parser that ${name}`, async (t) => {
    for (let seed = 0; seed < count; seed++) {
      const random = new Random(seed)
      if (checkRequests(makeRequests(random), random, read) !== null) return t.pass(`seed ${seed}`)
    }
    t.fail('not found')
  })
}

t.test('a pod gets through a whole balancer what was read, and no more', async (t) => {
  const check = await startWhole(t)
  for (let seed = 0; seed < wholeCount; seed++) {
    const random = new Random(seed)
    const bytes = makeRequests(random)
    const problem = await check(bytes, random)
    if (problem !== null) t.fail(`seed ${seed}: ${problem}`, { input: bytes.toString('latin1') })
  }
  t.pass(`${wholeCount} inputs`)
})

t.test('finds a balancer that forwards another request than the one that was read', async (t) => {
  const check = await startWhole(t, broken['takes a bare LF for a line end']!)
  for (let seed = 0; seed < wholeCount; seed++) {
    const random = new Random(seed)
    if ((await check(makeRequests(random), random)) !== null) return t.pass(`seed ${seed}`)
  }
  t.fail('not found')
})
