// Writes tar archives whose bytes depend on nothing but the entries: no times, no owners, sorted by the caller.

import { GauntletError } from '../contracts/errors.ts'

export type TarEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly kind: 'folder'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

const block = 512
/** The largest size that eleven octal digits hold. */
const mostBytes = 8 ** 11 - 1

/**
 * An ustar archive of the entries in the order given; owner is root, time the epoch's first second.
 * @throws GauntletError ERR_CONFIG_RANGE for a path that ustar cannot hold
 */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const parts: Uint8Array[] = []
  for (const entry of entries) {
    parts.push(header(entry))
    if (entry.kind !== 'file') continue
    parts.push(entry.data)
    const rest = entry.data.length % block
    if (rest > 0) parts.push(new Uint8Array(block - rest))
  }
  parts.push(new Uint8Array(2 * block))
  return Buffer.concat(parts)
}

function header(entry: TarEntry): Uint8Array {
  const bytes = Buffer.alloc(block)
  const { name, prefix } = splitPath(entry.kind === 'folder' ? `${entry.path}/` : entry.path)
  const size = entry.kind === 'file' ? entry.data.length : 0
  if (size > mostBytes) throw tooLong(entry.path, 'is larger than 8 GiB')
  bytes.write(name, 0)
  bytes.write(octal(entry.kind === 'link' ? 0o777 : entry.mode, 7), 100)
  bytes.write(octal(0, 7), 108)
  bytes.write(octal(0, 7), 116)
  bytes.write(octal(size, 11), 124)
  bytes.write(octal(1, 11), 136)
  bytes.write({ file: '0', link: '2', folder: '5' }[entry.kind], 156)
  if (entry.kind === 'link') {
    if (Buffer.byteLength(entry.target) > 100) throw tooLong(entry.path, 'links to a path that is too long')
    bytes.write(entry.target, 157)
  }
  bytes.write('ustar\0', 257)
  bytes.write('00', 263)
  bytes.write(prefix, 345)
  // The checksum counts its own field as spaces.
  bytes.fill(0x20, 148, 156)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${octal(sum, 6)}\0 `, 148)
  return bytes
}

/** A path as ustar's two fields: at most 155 bytes, a slash, at most 100. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' }
  for (let at = path.indexOf('/'); at > 0 && at < path.length - 1; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix }
  }
  throw tooLong(path, 'is too long for an archive')
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function tooLong(path: string, problem: string): GauntletError {
  return new GauntletError('ERR_CONFIG_RANGE', problem, { field: path, fix: 'shorten it' })
}
