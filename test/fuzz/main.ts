// Nightly: `npm run fuzz:balancer -- --count 2000000 --seed 7` compares the balancer's parsers with llhttp.

import { exitCodes } from '../../contracts/exit-codes.ts'
import { helpText, parseFlags } from '../../system/program/flags.ts'
import { runMain } from '../../system/program/shutdown.ts'
import { checkAnswer, checkRequests, makeAnswer, makeRequests } from './heads.ts'
import { Random } from './random.ts'
import { startWhole } from './whole.ts'

const flags = {
  count: { kind: 'whole', default: 2_000_000, min: 1, max: 1e12, help: 'Inputs of each kind' },
  seed: { kind: 'whole', default: 1, min: 0, max: 4_294_967_295, help: 'Seed of the first input' },
} as const

/** One in so many inputs also goes through a whole balancer. */
const wholeEvery = 50

/** Findings printed before it gives up. */
const maxFindings = 20

runMain(async () => {
  const values = parseFlags(flags, process.argv.slice(2))
  if (values === 'help') {
    process.stdout.write(
      helpText(
        'npm run fuzz:balancer -- [flags]',
        'Compares the balancer with llhttp on made-up inputs.',
        flags,
      ),
    )
    return
  }
  const closers: (() => unknown)[] = []
  const whole = await startWhole({ teardown: (close) => closers.push(close) })
  let findings = 0
  const found = (kind: string, seed: number, problem: string, bytes: Buffer): void => {
    findings++
    process.stdout.write(
      `${kind} --seed ${seed}: ${problem}\n  ${JSON.stringify(bytes.toString('latin1'))}\n`,
    )
  }
  for (let index = 0; index < values.count && findings < maxFindings; index++) {
    const seed = (values.seed + index) >>> 0
    for (const [kind, make, check] of [
      ['request', makeRequests, checkRequests],
      ['answer', makeAnswer, checkAnswer],
    ] as const) {
      const random = new Random(seed)
      const bytes = make(random)
      const problem = check(bytes, random)
      if (problem !== null) found(kind, seed, problem, bytes)
    }
    if (index % wholeEvery !== 0) continue
    const random = new Random(seed)
    const bytes = makeRequests(random)
    const problem = await whole(bytes, random)
    if (problem !== null) found('whole', seed, problem, bytes)
  }
  for (const close of closers.reverse()) await close()
  process.stdout.write(
    `${values.count} inputs of each kind, one in ${wholeEvery} through a whole balancer too: ${findings} findings\n`,
  )
  process.exitCode = findings === 0 ? exitCodes.pass : exitCodes.fail
})
