// TLS on either side: what it is configured with, and certificates that are read anew when their files change.

import { readFile, stat } from 'node:fs/promises'
import { type ConnectionOptions, createSecureContext, type SecureContextOptions } from 'node:tls'
import { GauntletError } from '../../contracts/errors.ts'
import type { Log } from '../program/log.ts'

/** Files of one side; a side without any speaks plainly. */
export interface TlsFiles {
  readonly cert: string | null
  readonly key: string | null
  /** Authorities that the peer's certificate must come from. On the clients' side: ask for one (mTLS). */
  readonly ca: string | null
}

/** PEM texts of one side. Can go to another thread. */
export interface TlsTexts {
  readonly cert: string | null
  readonly key: string | null
  readonly ca: string | null
}

export interface TlsSettings {
  /** Towards clients; null: plain. */
  readonly clients: TlsTexts | null
  /** Towards pods; null: plain. */
  readonly pods: (TlsTexts & { readonly serverName: string | null }) | null
}

export const noTls: TlsSettings = { clients: null, pods: null }

/** How often files are looked at, ms. */
const watchMs = 1_000

/** What a secure context is made of. Certificates older than TLS 1.2 are nobody's wish. */
export function contextOptions({ cert, key, ca }: TlsTexts): SecureContextOptions {
  return {
    minVersion: 'TLSv1.2',
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(ca === null ? {} : { ca }),
  }
}

/** How to connect to pods; null: plainly. They are dialled by address, so the name to expect is a setting. */
export function podTlsOptions(pods: TlsSettings['pods']): ConnectionOptions | null {
  if (pods === null) return null
  const { serverName } = pods
  return {
    secureContext: createSecureContext(contextOptions(pods)),
    ALPNProtocols: ['http/1.1'],
    // Without a name to expect, a certificate of the right authority has to do.
    ...(serverName === null ? { checkServerIdentity: () => undefined } : { servername: serverName }),
  }
}

/**
 * Reads the files of one side and checks that they fit together.
 * @throws GauntletError ERR_CONFIG_READ, ERR_CONFIG_FIELD
 */
export async function readTls(files: TlsFiles, flag: string): Promise<TlsTexts> {
  const read = async (file: string | null): Promise<string | null> => {
    if (file === null) return null
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new GauntletError('ERR_CONFIG_READ', `cannot read ${file}: ${code}`, {
        field: flag,
        fix: 'name a PEM file',
      })
    }
  }
  const texts = { cert: await read(files.cert), key: await read(files.key), ca: await read(files.ca) }
  if ((texts.cert === null) !== (texts.key === null)) {
    throw new GauntletError('ERR_CONFIG_FIELD', 'has a certificate or a key without the other', {
      field: flag,
      fix: 'name both',
    })
  }
  try {
    createSecureContext(contextOptions(texts))
  } catch (error) {
    throw new GauntletError('ERR_CONFIG_FIELD', error instanceof Error ? error.message : String(error), {
      field: flag,
      fix: 'name PEM files that belong together',
      cause: error,
    })
  }
  return texts
}

/**
 * Calls `changed` when any of `files` was replaced. If what it does fails (files that do not fit together: the
 * second is not there yet), it is called again at the next look, and the old certificates stay.
 * @returns what ends the watch
 */
export function watchFiles(
  files: readonly string[],
  changed: () => Promise<void>,
  log: Log,
  everyMs = watchMs,
): () => void {
  let seen = ''
  let failed = ''
  const look = async (): Promise<void> => {
    const stats = await Promise.all(files.map((file) => stat(file).catch(() => null)))
    const now = stats.map((one) => (one === null ? 'none' : `${one.mtimeMs} ${one.ino} ${one.size}`)).join()
    if (seen === '') seen = now
    if (now === seen) return
    try {
      await changed()
      seen = now
      failed = ''
      log.info({ files }, 'certificates replaced')
    } catch (error) {
      if (failed !== now) log.error({ error: String(error) }, 'certificates not replaced, the old ones stay')
      failed = now
    }
  }
  let looking = look()
  const timer = setInterval(() => {
    looking = looking.then(look)
  }, everyMs).unref()
  return () => clearInterval(timer)
}
