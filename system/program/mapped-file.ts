// A file as memory of this process: what is stored there outlives the process, without a system call.

import { closeSync, openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The parts of koffi that are used here. */
interface Koffi {
  load(library: null): { func(prototype: string): (...args: readonly unknown[]) => unknown }
  view(pointer: unknown, bytes: number): ArrayBuffer
}

/** PROT_READ | PROT_WRITE, the same number on Linux and macOS. */
const readWrite = 3
/** MAP_SHARED, the same number on Linux and macOS. */
const shared = 1
/** MAP_FAILED: -1 as an address. */
const failed = 2n ** 64n - 1n

/** Null where the package that calls C functions is not installed, or not for this machine. */
export function loadKoffi(): Koffi | null {
  if (process.platform !== 'linux' && process.platform !== 'darwin') return null
  try {
    return createRequire(import.meta.url)('koffi') as Koffi
  } catch {
    return null
  }
}

/**
 * Makes `file` anew, `bytes` long and all zeros, and maps it until the process ends; null where this machine cannot.
 * @throws the system's error if the file cannot be written
 */
export function mapFile(file: string, bytes: number): ArrayBuffer | null {
  const koffi = loadKoffi()
  if (koffi === null) return null
  const fd = openSync(file, 'w+', 0o600)
  try {
    // Written out, so that there is room for it: a store into a page without any would end the process by SIGBUS.
    writeSync(fd, new Uint8Array(bytes))
    const mmap = koffi
      .load(null)
      .func('void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)')
    const address = mmap(null, bytes, readWrite, shared, fd, 0)
    return address === null || address === failed ? null : koffi.view(address, bytes)
  } finally {
    closeSync(fd)
  }
}
