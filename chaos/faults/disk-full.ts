// Fault disk-full: the pod's folder for temporary files has no room left. Where this machine lets us mount one (root).

import { execFile, spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { defineFault, noSettings } from './fault.ts'

const run = promisify(execFile)

/** Room of the folder while the fault is in place, KiB; filled to the last byte. */
const roomKib = 64

export const diskFull = defineFault({
  name: 'disk-full',
  what: "The pod's folder for temporary files (TMPDIR) has no room left",
  lane: 'resources',
  victim: 'pod',
  settings: noSettings,
  supports({ hooks }) {
    if (hooks?.temporaryFolder === undefined) return 'the pods have no folder that this machine can reach'
    const isRoot = process.getuid?.() === 0 && process.platform === 'linux'
    if (!isRoot || spawnSync('mount', ['--version'], { stdio: 'ignore' }).status !== 0)
      return 'mounting a small file system needs root on Linux'
    return null
  },
  on({ cluster, pods, leaves }) {
    const folders = pods.flatMap(({ name }) => cluster.hooks?.temporaryFolder?.(name) ?? [])
    const mounted = new Set<string>()
    return {
      async inject() {
        for (const folder of folders) {
          await leaves({ kind: 'mount', path: folder })
          mounted.add(folder)
          await run('mount', ['-t', 'tmpfs', '-o', `size=${roomKib}k`, 'stepflow-gauntlet', folder])
          if (tryToWrite(folder, roomKib * 2_048) === null) throw new Error(`${folder} could not be filled`)
        }
      },
      async observed() {
        const codes = folders.map((folder) => tryToWrite(folder, 1))
        return codes.length > 0 && codes.every((code) => code === 'ENOSPC')
          ? 'writing there gives ENOSPC'
          : null
      },
      async undo() {
        for (const folder of mounted) {
          await unmount(folder)
          mounted.delete(folder)
        }
      },
      async cleared() {
        return folders.every((folder) => tryToWrite(folder, 1) === null) ? 'writing there works' : null
      },
    }
  },
})

/** Takes a mount away, also one that is in use; idempotent. */
export async function unmount(folder: string): Promise<void> {
  await run('umount', ['-l', folder]).catch(() => {})
}

/** Null: so many bytes could be written, and are gone again; else the error's code. What does not fit stays. */
function tryToWrite(folder: string, bytes: number): string | null {
  const file = join(folder, `fault-${bytes}`)
  try {
    writeFileSync(file, Buffer.alloc(bytes, 'x'))
    rmSync(file)
    return null
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
