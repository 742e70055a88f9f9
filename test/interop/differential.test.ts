// The real runtime and ours side by side: the same flows, requests and cases must give the same, deviations aside.
//
// INTEROP_RUNS (default 400) flows and as many broken requests are drawn from INTEROP_SEED (default 1).

import fc from 'fast-check'
import t from 'tap'
import { cases } from './cases.ts'
import { Deviations } from './deviations.ts'
import type { Difference } from './exchange.ts'
import { brokenCases, flowCases } from './generate.ts'
import { Pair, runScript, type Script } from './pair.ts'
import { findStepflow } from './real-stepflow.ts'

t.setTimeout(600_000)
const { skip, real } = await findStepflow()

/** ms after which a search for the smallest failing flow ends. */
const searchMs = 120_000

/** ms that the real runtime has where it should not hang. */
const patientMs = 60_000

await t.test('the real runtime and ours give the same', { skip }, async (t) => {
  const deviations = new Deviations()
  const drawing = {
    numRuns: Number(process.env['INTEROP_RUNS'] ?? 400),
    seed: Number(process.env['INTEROP_SEED'] ?? 1),
    interruptAfterTimeLimit: searchMs,
    markInterruptAsFailure: true,
  }
  await using shared = await Pair.start(real())

  /** Differences that no row allows. */
  const unexplained = async (pair: Pair, name: string, script: Script): Promise<Difference[]> => {
    const look = async (patienceMs?: number): Promise<Difference[]> =>
      (await pair.differences(script, patienceMs)).filter(
        (difference) => !deviations.allows(name, difference),
      )
    const left = await look()
    // Where nothing says that the real one hangs, the machine may have been busy.
    return left.some(({ real }) => real === 'no answer') ? look(patientMs) : left
  }
  const assertAlike = async (script: Script): Promise<void> => {
    const left = await unexplained(shared, 'generated', script)
    if (left.length > 0) throw new Error(JSON.stringify(left.slice(0, 5), null, 2))
  }

  await t.test('results, errors and diagnostics of generated flows', async () => {
    const property = fc.asyncProperty(flowCases, ({ flow, input, variables, overrides }) => {
      const fields = Object.entries({ variables, overrides }).filter(([, text]) => text !== undefined)
      return assertAlike(
        runScript(flow, { input, more: fields.map(([key, text]) => `"${key}":${text},`).join('') }),
      )
    })
    await fc.assert(property, drawing)
  })

  await t.test('what is said of broken requests', async () => {
    const property = fc.asyncProperty(brokenCases, ({ path, body }) =>
      assertAlike(async (side) => void (await side.send({ method: 'POST', path, body }))),
    )
    await fc.assert(property, drawing)
  })

  for (const { name, options, script } of cases) {
    await t.test(name, async (t) => {
      if (options === undefined) {
        t.same(await unexplained(shared, name, script), [])
        return
      }
      await using pair = await Pair.start(real(), options)
      t.same(await unexplained(pair, name, script), [])
    })
  }

  await t.test('every row of the table is used', async (t) => {
    t.comment(
      `note: seed ${drawing.seed}: ${drawing.numRuns} flows, as many broken requests, ${cases.length} cases; ` +
        `${deviations.size} deviations allowed, ${deviations.unused().length} of them unused`,
    )
    t.same(deviations.unused(), [])
    const names = new Set(cases.map(({ name }) => name))
    t.same(
      [...deviations.cases()].filter((name) => !names.has(name)),
      [],
      'and names a case',
    )
  })
})
