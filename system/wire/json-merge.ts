// JSON merge patch (RFC 7396) on JSON text.

import { type Json, kindOf, members, objectOf } from './json.ts'

/** `patch` laid over `target`: null removes, objects merge, all else replaces. */
export function mergePatch(target: Json, patch: Json): Json {
  if (kindOf(patch) !== 'object') return patch
  const result = new Map<string, Json>(members(target))
  for (const [key, value] of members(patch)) {
    if (value === 'null') result.delete(key)
    else result.set(key, mergePatch(result.get(key) ?? ('null' as Json), value))
  }
  return objectOf(result)
}
