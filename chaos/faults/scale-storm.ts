// Fault scale-storm: the role's size changes again and again, before it could follow.

import { Type } from '@sinclair/typebox'
import { defineFault } from './fault.ts'
import { readyCount } from './pods.ts'

export const scaleStorm = defineFault({
  name: 'scale-storm',
  what: "The role's size changes at random again and again, faster than pods come and go",
  lane: 'operation',
  victim: 'role',
  landsWithinMs: 90_000,
  settings: Type.Object(
    {
      least: Type.Integer({ minimum: 1, maximum: 50, default: 1, description: 'Fewest pods' }),
      most: Type.Integer({ minimum: 1, maximum: 50, default: 5, description: 'Most pods' }),
      everyMs: Type.Integer({
        minimum: 100,
        maximum: 60_000,
        default: 700,
        description: 'Between two changes',
      }),
    },
    { additionalProperties: false },
  ),
  supports: () => null,
  on({ cluster, role, pods, random }, { least, most, everyMs }) {
    let timer: NodeJS.Timeout | undefined
    let problem: unknown = null
    let last = pods.length
    const changes: number[] = []
    const change = async (): Promise<void> => {
      // Another size than the last, so that each change is one.
      const sizes = Array.from({ length: Math.max(1, most - least + 1) }, (_, i) => least + i)
      const others = sizes.filter((size) => size !== last)
      last = others[Math.floor(random() * others.length)] ?? last
      changes.push(last)
      await cluster.scale(role, last).catch((error: unknown) => {
        problem = error
      })
    }
    return {
      async inject() {
        await change()
        timer = setInterval(() => void change(), everyMs)
      },
      async observed() {
        if (problem !== null) throw problem
        const now = new Set((await cluster.pods(role)).map((pod) => pod.name))
        const moved = pods.some((pod) => !now.has(pod.name)) || now.size > pods.length
        return changes.length >= 2 && moved ? `sizes ${changes.join(', ')}` : null
      },
      async undo() {
        clearInterval(timer)
        await cluster.scale(role, pods.length)
      },
      async cleared() {
        const now = await cluster.pods(role)
        const ready = await readyCount(cluster, role)
        return now.length === pods.length && ready === pods.length
          ? `${ready} pods of ${role}, all ready`
          : null
      },
    }
  },
})
