// Nightly: `npm run fuzz:balancer -- --count 2000000 --seed 7` compares the balancer's parsers with llhttp.

import { exitCodes } from '../../contracts/exit-codes.ts'
import { helpText, parseFlags } from '../../system/program/flags.ts'
import { runMain } from '../../system/program/shutdown.ts'
import { checkAnswer, checkRequests, makeAnswer, makeRequests } from './heads.ts'
import { Random } from './random.ts'

const flags = {
  count: { kind: 'whole', default: 2_000_000, min: 1, max: 1e12, help: 'Inputs of each kind' },
  seed: { kind: 'whole', default: 1, min: 0, max: 4_294_967_295, help: 'Seed of the first input' },
} as const

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
  let findings = 0
  for (let index = 0; index < values.count && findings < maxFindings; index++) {
    const seed = (values.seed + index) >>> 0
    for (const [kind, make, check] of [
      ['request', makeRequests, checkRequests],
      ['answer', makeAnswer, checkAnswer],
    ] as const) {
      const random = new Random(seed)
      const bytes = make(random)
      const problem = check(bytes, random)
      if (problem === null) continue
      findings++
      process.stdout.write(
        `${kind} --seed ${seed}: ${problem}\n  ${JSON.stringify(bytes.toString('latin1'))}\n`,
      )
    }
  }
  process.stdout.write(`${values.count} inputs of each kind, ${findings} findings\n`)
  process.exitCode = findings === 0 ? exitCodes.pass : exitCodes.fail
})
