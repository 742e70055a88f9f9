// results.json: written, and read back with every problem named.

import { GauntletError } from '../../contracts/errors.ts'
import { type Results, resultsSchemaVersion } from '../../contracts/results.ts'
import { raise, schemaProblems } from '../judge/problems.ts'
import { ResultsSchema } from './results-schema.ts'

/** The text of results.json. */
export function renderJson(results: Results): string {
  return `${JSON.stringify(results, null, 1)}\n`
}

/**
 * Reads the text of a results.json.
 * @throws GauntletErrors with every problem at once (ERR_RESULTS)
 */
export function parseResults(text: string, source = 'results.json'): Results {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new GauntletError('ERR_RESULTS', 'is not JSON', {
      field: source,
      fix: 'name a results.json',
      cause,
    })
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion
  if (version !== resultsSchemaVersion) {
    throw new GauntletError('ERR_RESULTS', `got ${JSON.stringify(version) ?? 'none'}`, {
      field: `${source}: schemaVersion`,
      value: version,
      fix: `use a results.json of schema version ${resultsSchemaVersion}`,
    })
  }
  raise(problemsOfResults(value, source))
  return value as Results
}

/** Every way in which a value, as JSON would carry it, does not match the schema of results.json. */
export function problemsOfResults(value: unknown, source = 'results'): readonly GauntletError[] {
  return schemaProblems(ResultsSchema, value, source, 'ERR_RESULTS')
}
