// Tests of results.json: what is written is read back, and what does not match is refused by name.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Static } from '@sinclair/typebox'
import t from 'tap'
import { GauntletError } from '../../contracts/errors.ts'
import type { Results } from '../../contracts/results.ts'
import { schemaText } from '../cli.ts'
import { hostile } from '../testing/hostile.ts'
import { sampleResults } from '../testing/sample.ts'
import { parseResults, problemsOfResults, renderJson } from './json.ts'
import type { ResultsSchema } from './results-schema.ts'

/** Mutable, with every key required: a key that only one side has shows, also an optional one. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]-?: Plain<T[Key]> }
    : T

/** The message of what reading `value` throws. */
function refusal(value: unknown): string {
  try {
    parseResults(typeof value === 'string' ? value : JSON.stringify(value))
  } catch (error) {
    if (error instanceof GauntletError && error.code === 'ERR_RESULTS') return error.message
    throw error
  }
  return 'accepted'
}

t.test('every sample matches the schema and is read back as it was', async (t) => {
  for (const kind of ['pass', 'fail', 'invalid', 'interrupted', 'broken'] as const) {
    const results = sampleResults(kind)
    t.strictSame(parseResults(renderJson(results)), JSON.parse(JSON.stringify(results)), kind)
  }
  t.strictSame(problemsOfResults(JSON.parse(renderJson(hostile(sampleResults('fail'))))), [])
})

t.test('refuses what is no results.json of this version', async (t) => {
  t.match(refusal('{'), /is not JSON/)
  t.match(refusal('null'), /schemaVersion: got none/)
  t.match(refusal({ ...sampleResults('pass'), schemaVersion: 2 }), /schemaVersion: got 2, use .* version 1/)
})

t.test('names every field that does not match, at once', async (t) => {
  const results = sampleResults('pass')
  const [first, ...rest] = results.scenarios
  const message = refusal({
    ...results,
    verdict: 'MAYBE',
    extra: 1,
    scenarios: [{ ...first, endedAt: null, loads: [{ name: 'x' }] }, ...rest],
  })
  t.match(message, /verdict: got "MAYBE", use PASS or FAIL or INVALID/)
  t.match(message, /extra: is unknown here/)
  t.match(message, /scenarios\.0\.endedAt: got null/)
  t.match(message, /scenarios\.0\.loads\.0\.load: is missing/)
})

t.test('the published schema is that of the code', async (t) => {
  const file = join(import.meta.dirname, '../../docs/reference/results.schema.json')
  const how = 'else: node reports/cli.ts schema > docs/reference/results.schema.json, then npm run format'
  t.strictSame(JSON.parse(await readFile(file, 'utf8')), JSON.parse(schemaText()), how)
})

t.test('the schema and the contract have the same fields', async (t) => {
  // One of these two lines fails to compile where they differ.
  const schemaFitsContract = (value: Plain<Static<typeof ResultsSchema>>): Plain<Results> => value
  const contractFitsSchema = (value: Plain<Results>): Plain<Static<typeof ResultsSchema>> => value
  t.equal(schemaFitsContract.length, contractFitsSchema.length)
})
