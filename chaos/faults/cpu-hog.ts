// Fault cpu-hog: processes beside the system that take all the CPU they can get, as a noisy neighbour does.

import { type ChildProcess, spawn } from 'node:child_process'
import { Type } from '@sinclair/typebox'
import { defineFault } from './fault.ts'

/** Spins until its parent is gone or its time is over, and tells how much CPU it got. */
const program = `
const parent = process.ppid, until = Date.now() + Number(process.argv[1])
let told = 0
while (Date.now() < until && process.ppid === parent) {
  for (let i = 0; i < 1e6; i++) {}
  const { user } = process.cpuUsage()
  if (user - told > 50000) require('fs').writeSync(1, (told = user) + '\\n')
}`

/** However it ends: no hog lives longer. */
const longestMs = 600_000
/** CPU time, µs, that shows that it competes. */
const leastUs = 100_000

export const cpuHog = defineFault({
  name: 'cpu-hog',
  what: 'Other processes on the machine take all the CPU they can get',
  lane: 'resources',
  victim: 'role',
  settings: Type.Object(
    { processes: Type.Integer({ minimum: 1, maximum: 64, default: 2, description: 'How many' }) },
    { additionalProperties: false },
  ),
  supports: ({ kind }) => (kind === 'local' ? null : 'the pods run on other machines than this one'),
  on({ leaves }, { processes }) {
    const hogs: { readonly child: ChildProcess; usedUs: number }[] = []
    const isOver = ({ child }: { readonly child: ChildProcess }): boolean =>
      child.exitCode !== null || child.signalCode !== null
    return {
      async inject() {
        for (let i = 0; i < processes; i++) {
          const child = spawn(process.execPath, ['-e', program, String(longestMs)], {
            stdio: ['ignore', 'pipe', 'ignore'],
          })
          const hog = { child, usedUs: 0 }
          child.stdout.setEncoding('utf8').on('data', (text: string) => {
            hog.usedUs = Number(text.trim().split('\n').at(-1)) || hog.usedUs
          })
          child.on('error', () => {})
          hogs.push(hog)
          if (child.pid !== undefined) await leaves({ kind: 'process', pid: child.pid })
        }
      },
      async observed() {
        const used = hogs.map(({ usedUs }) => usedUs)
        if (used.length === 0 || used.some((us) => us < leastUs)) return null
        return `they took ${(used.reduce((sum, us) => sum + us, 0) / 1e6).toFixed(1)} s of CPU`
      },
      async undo() {
        for (const { child } of hogs) child.kill('SIGKILL')
      },
      async cleared() {
        return hogs.every(isOver) ? 'they are gone' : null
      },
    }
  },
})
