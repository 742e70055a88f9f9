// Results in which every text is an attack: what a pod's error, a flow's name or a user's file may hold.

import type { Results } from '../../contracts/results.ts'

/** Markup, scripts, ends of elements, of cells and of CDATA, control characters, and a link. */
export const attack =
  '</script></style></title><script>window.pwned=1</script><img src=x onerror="window.pwned=1">' +
  '<!--]]>\'"`|[x](javascript:window.pwned=1) @everyone https://evil.example/x ' +
  '\u0000\u0007\u001b[31m\u2028\u2029\u202e\ud800\ufffe\r\n'

/** Keys whose texts are of a closed set or a format of their own. */
const closed = new Set([
  'kind',
  'verdict',
  'outcome',
  'comparison',
  'engine',
  'phase',
  'role',
  'cluster',
  'startedAt',
  'histogram',
  'ifMissed',
])

/** What stands before a unit: those are of this project, and short. */
const shortAttack = '<b onclick=x>&"'

/** The same results with `attack` before every text. */
export function hostile(results: Results): Results {
  return attacked(results, '') as Results
}

function attacked(value: unknown, key: string): unknown {
  if (typeof value === 'string') {
    if (closed.has(key)) return value
    return key === 'unit' ? shortAttack + value : attack + value
  }
  if (Array.isArray(value)) return value.map((one) => attacked(one, key))
  if (typeof value !== 'object' || value === null) return value
  const record = key === 'clusterDescription' || key === 'tools'
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [record ? attack + name : name, attacked(one, name)]),
  )
}
