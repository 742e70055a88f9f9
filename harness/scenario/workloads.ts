// The built-in workloads: flows of scenarios/flows with seeded inputs and the results they must give.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { GauntletError } from '../../contracts/errors.ts'
import type { Workload } from '../../contracts/load.ts'

const flowFolder = join(import.meta.dirname, '../../scenarios/flows')

/** What a workload needs to be made: how many different inputs, and where chance comes from. */
export interface WorkloadOptions {
  /** Number of different inputs; arrivals beyond it use them again. Default 1,000. */
  readonly inputs?: number
  /** Of `hold`: how long each stream stays open between its callbacks, ms. Default 250. */
  readonly holdMs?: number
  /**
   * Of `bidirectional`: characters, three bytes each in UTF-8, that its data has besides, so that events come in
   * several pieces and cut within characters. Default 0.
   */
  readonly padChars?: number
}

interface Case {
  readonly input: unknown
  readonly expected: unknown
}

/** Unique in a trial, so that a result of another run is never mistaken for this one's. */
type Nonce = (index: number) => string

/** F(0) = 0, F(1) = 1, up to F(30), the largest that the component takes. */
const fibonacciNumbers: readonly number[] = Array.from({ length: 31 }).reduce<number[]>(
  (numbers) => [...numbers, numbers.length < 2 ? numbers.length : numbers.at(-1)! + numbers.at(-2)!],
  [],
)

const makers = {
  double: (index, _nonce, random) => {
    const value = Math.floor(random() * 1e6) * 1000 + (index % 1000)
    return { input: { value }, expected: value * 2 }
  },
  bidirectional: (index, nonce, _random, { padChars = 0 }) => {
    const pad = padChars === 0 ? {} : { pad: '界'.repeat(padChars) }
    const data = { nonce: nonce(index), text: 'grüße, 世界', list: [1, 2, 3], ...pad }
    return { input: { data }, expected: data }
  },
  parallel: (index, nonce) => {
    const id = nonce(index)
    const input = { first: { id, part: 1 }, second: { id, part: 2 }, third: { id, part: 3 } }
    return { input, expected: input }
  },
  batch: (index, nonce, random) => {
    const [a, b] = [Math.floor(random() * 1000), index]
    const id = nonce(index)
    return { input: { a, b, id }, expected: { id, sum: (2 * a) ** 2 + b } }
  },
  hold: (index, nonce, _random, { holdMs = 250 }) => {
    const data = { nonce: nonce(index) }
    return { input: { data, hold_ms: holdMs }, expected: data }
  },
  fibonacci: (index) => {
    // 3 to 10 ms of CPU each, so that a moderate rate is a load.
    const n = 27 + (index % 3)
    return { input: { n }, expected: fibonacciNumbers[n] }
  },
} as const satisfies Record<
  string,
  (index: number, nonce: Nonce, random: () => number, options: WorkloadOptions) => Case
>

export type WorkloadName = keyof typeof makers

/** A built-in workload; the same `random` gives the same inputs. */
export function builtInWorkload(
  name: WorkloadName,
  random: () => number,
  options: WorkloadOptions = {},
): Workload {
  const tag = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0')
  const cases = Array.from({ length: options.inputs ?? 1000 }, (_, index) =>
    makers[name](index, (i) => `${name}-${tag}-${i}`, random, options),
  )
  return {
    name,
    flow: parse(readFileSync(join(flowFolder, `${name}.yaml`), 'utf8')),
    inputs: cases.map(({ input }) => input),
    expected: cases.map(({ expected }) => expected),
  }
}

/**
 * A user's own workload, from `--flow`, `--inputs` and `--expect`.
 * @throws GauntletError ERR_CONFIG_READ, ERR_CONFIG_SYNTAX, ERR_CONFIG_FIELD
 */
export function userWorkload(
  flowFile: string,
  inputsFile: string | null,
  expectFile: string | null,
): Workload {
  const flow = readDocument('--flow', flowFile)
  if (flow === null || typeof flow !== 'object' || !('steps' in flow) || !Array.isArray(flow.steps)) {
    throw new GauntletError('ERR_CONFIG_FIELD', 'has no list of steps', {
      field: `--flow ${flowFile}`,
      fix: 'write a Stepflow flow document with `steps` and `output`',
    })
  }
  const inputs = inputsFile === null ? [{}] : readList('--inputs', inputsFile)
  const expected = expectFile === null ? undefined : readList('--expect', expectFile)
  if (expected !== undefined && expected.length !== inputs.length) {
    throw new GauntletError(
      'ERR_CONFIG_FIELD',
      `has ${expected.length} results for ${inputs.length} inputs`,
      {
        field: `--expect ${expectFile}`,
        fix: 'write one expected result for each input',
      },
    )
  }
  const name = 'name' in flow && typeof flow.name === 'string' ? flow.name : 'flow'
  return { name, flow, inputs, ...(expected === undefined ? {} : { expected }) }
}

function readList(option: string, file: string): readonly unknown[] {
  const list = readDocument(option, file)
  if (Array.isArray(list) && list.length > 0) return list
  throw new GauntletError('ERR_CONFIG_FIELD', 'is no list with members', {
    field: `${option} ${file}`,
    fix: 'write a JSON array, one member for each run',
  })
}

function readDocument(option: string, file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_READ', 'cannot be read', {
      field: `${option} ${file}`,
      fix: 'name a file that is there',
      cause,
    })
  }
  try {
    return parse(text)
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_SYNTAX', `is no YAML or JSON: ${String(cause).split('\n')[0]}`, {
      field: `${option} ${file}`,
      fix: 'mend the file',
      cause,
    })
  }
}
