// What the process itself holds, under the names that Node programs commonly use; read when asked for, at no cost before.

import { readdirSync } from 'node:fs'
import { Gauge, type Registry } from 'prom-client'

/** Adds memory, open files and timers to a registry. */
export function addProcessMetrics(registry: Registry): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  gauge('process_resident_memory_bytes', 'Resident memory in bytes', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'Heap in use in bytes', () => process.memoryUsage().heapUsed)
  gauge('nodejs_external_memory_bytes', 'Memory outside of the heap in bytes', () => {
    return process.memoryUsage().external
  })
  gauge('process_open_fds', 'Open file descriptors', countFiles)
  new Gauge({
    name: 'nodejs_active_resources',
    help: 'What keeps the event loop alive, by type',
    labelNames: ['type'],
    registers: [registry],
    collect() {
      this.reset()
      for (const type of process.getActiveResourcesInfo()) this.inc({ type })
    },
  })
}

/** Linux only; elsewhere 0. */
function countFiles(): number {
  try {
    // The listing itself holds one.
    return readdirSync('/proc/self/fd').length - 1
  } catch {
    return 0
  }
}
