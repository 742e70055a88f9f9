// Loads a user's own faults and checkers from the files that the command line names.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Checker, checkers } from '../../chaos/checkers/index.ts'
import { type Fault, faults } from '../../chaos/faults/index.ts'
import { GauntletError } from '../../contracts/errors.ts'

export interface Own {
  /** Those of the registry, and the user's. */
  readonly faults: Readonly<Record<string, Fault>>
  readonly checkers: Readonly<Record<string, Checker>>
}

/** @throws GauntletError ERR_CONFIG_READ, ERR_CONFIG_FIELD naming the file */
export async function loadOwn(faultFiles: readonly string[], checkerFiles: readonly string[]): Promise<Own> {
  const own = { faults: { ...faults }, checkers: {} as Record<string, Checker> }
  for (const file of faultFiles) {
    const fault = (await load(file, '--fault', 'fault', [
      'name',
      'supports',
      'on',
      'settings',
      'victim',
    ])) as Fault
    if (Object.hasOwn(own.faults, fault.name)) throw taken('--fault', file, fault.name)
    own.faults[fault.name] = fault
  }
  for (const file of checkerFiles) {
    const checker = (await load(file, '--checker', 'checker', ['name', 'claim', 'check'])) as Checker
    if (Object.hasOwn(checkers, checker.name) || Object.hasOwn(own.checkers, checker.name))
      throw taken('--checker', file, checker.name)
    own.checkers[checker.name] = checker
  }
  return own
}

async function load(file: string, flag: string, name: string, needs: readonly string[]): Promise<unknown> {
  let module: Record<string, unknown>
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as Record<string, unknown>
  } catch (cause) {
    throw new GauntletError('ERR_CONFIG_READ', `cannot be loaded: ${String(cause).split('\n')[0]}`, {
      field: `${flag} ${file}`,
      fix: 'name a module that loads',
      cause,
    })
  }
  const found = module[name] as Record<string, unknown> | undefined
  const missing = needs.filter((key) => found?.[key] === undefined)
  if (found !== undefined && missing.length === 0) return found
  throw new GauntletError(
    'ERR_CONFIG_FIELD',
    found === undefined ? `exports no ${name}` : `its ${name} lacks ${missing.join(', ')}`,
    {
      field: `${flag} ${file}`,
      fix: `export const ${name}, as docs/chaos.md has it`,
    },
  )
}

function taken(flag: string, file: string, name: string): GauntletError {
  return new GauntletError('ERR_CONFIG_FIELD', `there is a ${name} already`, {
    field: `${flag} ${file}`,
    value: name,
    fix: 'give it a name of its own',
  })
}
