// Node's compile cache for agent and pods: halves the CPU time of a program's start, so of a boot or scale-up.

import { fileURLToPath } from 'node:url'

/** With the other caches of this working copy, not in a temporary folder: it is meant to stay. */
const folder = fileURLToPath(
  new URL('../../../node_modules/.cache/stepflow-gauntlet/compile', import.meta.url),
)

/** Preloaded into pods: a pod that ends by SIGKILL would never write what it compiled. */
export const flushFile = fileURLToPath(new URL('./flush-compile-cache.ts', import.meta.url))

/**
 * The variable that turns the cache on, or nothing: coverage of cached functions is inexact (Node's docs,
 * module.enableCompileCache).
 */
export function compileCacheEnv(
  parentEnv: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const off = parentEnv['NODE_V8_COVERAGE'] !== undefined || parentEnv['NODE_DISABLE_COMPILE_CACHE'] === '1'
  return off ? {} : { NODE_COMPILE_CACHE: parentEnv['NODE_COMPILE_CACHE'] ?? folder }
}
