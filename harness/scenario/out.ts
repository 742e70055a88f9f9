// The folder of the reports, made and tried before anything is measured: its results must have somewhere to go.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'

/**
 * Makes the folder where it is missing, and a file system entry in it, which is removed again.
 * @param path absolute
 * @throws GauntletError ERR_ENVIRONMENT
 */
export async function prepareOut(path: string): Promise<void> {
  try {
    await makeFolders(path)
    await rm(await mkdtemp(join(path, '.trying-')), { recursive: true })
  } catch (error) {
    throw new GauntletError('ERR_ENVIRONMENT', `cannot be written to: ${(error as Error).message}`, {
      field: '--out',
      value: path,
      fix: 'name a folder that can be written to',
      cause: error,
    })
  }
}

/** One by one: below /proc, mkdir(2) says ENOENT for a parent that is there, and Node's recursive one never ends. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path) throw error
    await makeFolders(parent)
    await mkdir(path)
  }
}
