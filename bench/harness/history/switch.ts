// Loaded into a pod's program before its own code: turns its records off and on at each SIGUSR2.
//
// The change happens as the program loads the file, so the product has no flag for it. If it cannot be made, the program
// does not start.

import { registerHooks } from 'node:module'

const file = import.meta.resolve('../../../system/program/history.ts')
const property = '    enabled: true,\n'
let enabled = true

Object.defineProperty(globalThis, 'historyEnabled', { get: () => enabled })
process.on('SIGUSR2', () => {
  enabled = !enabled
})

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (url !== file) return loaded
    const source = String(loaded.source)
    if (source.split(property).length !== 2) throw new Error(`${url} does not say ${property.trim()} once`)
    return {
      ...loaded,
      source: source.replace(property, '    get enabled() { return globalThis.historyEnabled },\n'),
    }
  },
})
