// summary.md: the verdict for a pull request or a CI job's summary page, which refuses more than 1 MiB.

import type { Results } from '../../contracts/results.ts'
import { type Reason, reasonsOf } from '../judge/verdict.ts'
import { formatDurationMs, oneLine, plural, sentence } from '../words.ts'
import { scenarioRows, targetRows, verdictSentence } from './summary.ts'

/** Bytes; step summaries of 1 MiB and more are rejected by the service that shows them. */
const maxBytes = 1_048_575
const maxReasons = 100
const maxRows = 1_000
const icons = {
  PASS: '✅',
  FAIL: '❌',
  INVALID: '⚠️',
  'not measured': '➖',
  'met earlier': '➖',
  'short earlier': '➖',
} as const

/** The text; always under 1 MiB. */
export function renderMarkdown(results: Results): string {
  const reasons = reasonsOf(results)
  const { environment } = results
  const lines = [
    `# ${icons[results.verdict]} ${results.verdict}: ${escapeMarkdown(results.suite)}`,
    '',
    `${escapeMarkdown(verdictSentence(results))} Measured in ${formatDurationMs(results.durationMs)} from ${escapeMarkdown(results.startedAt)}, seed ${results.seed}.`,
    '',
    ...reasons.slice(0, maxReasons).flatMap(reasonLines),
    ...(reasons.length > maxReasons
      ? [`… and ${plural(reasons.length - maxReasons, 'reason')} more in results.json.`, '']
      : []),
    '## Scenarios',
    '',
    ...table(
      ['scenario', 'verdict', 'checks', 'runs', 'failed', 'p50', 'p99', 'time'],
      'llrrrrrr',
      scenarioRows(results).map((row) =>
        Object.values({ ...row, verdict: `${icons[row.verdict]} ${row.verdict}` }),
      ),
    ),
    '',
    'Latency is from the planned start of a run to the last byte of its answer.',
    '',
    ...targetsSection(results),
    '## Environment',
    '',
    ...table(['', ''], 'll', [
      ['cluster', environment.cluster],
      ...Object.entries(environment.clusterDescription),
      ['machine', `${environment.cpuModel}, ${plural(environment.cpus, 'core')}, ${environment.platform}`],
      ['Node', environment.node],
      ['commit', environment.commit ?? 'unknown'],
      ['command', results.command],
    ]),
    '',
  ]
  return cut(lines)
}

function reasonLines(reason: Reason): readonly string[] {
  const where = [reason.scenario, reason.name].filter((part) => part !== undefined).join(' · ')
  return [
    `**${reason.verdict}${where === '' ? '' : ` ${escapeMarkdown(where)}`}**: ${escapeMarkdown(sentence(reason.claim))} ${escapeMarkdown(sentence(reason.reason))}`,
    '',
    ...reason.examples.slice(0, 5).map((example) => `- ${codeSpan(oneLine(example, 300))}`),
    ...(reason.examples.length > 0 ? [''] : []),
    `Replay: ${codeSpan(oneLine(reason.replay))}`,
    '',
  ]
}

function table(
  titles: readonly string[],
  alignment: string,
  rows: readonly (readonly string[])[],
): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(titles),
    line([...alignment].map((side) => (side === 'r' ? '---:' : '---'))),
    ...rows.slice(0, maxRows).map((row) => line(row.map((cell) => escapeMarkdown(cell)))),
    ...(rows.length > maxRows
      ? [line([`${rows.length - maxRows} more`, ...titles.slice(1).map(() => '')])]
      : []),
  ]
}

/** Text that no renderer takes for markup, a link, a mention or the end of a cell. */
export function escapeMarkdown(text: string): string {
  return oneLine(text, 1_000)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('@', '&#64;')
    .replace(/[\\`*_{}[\]#|~!]/g, '\\$&')
    .replaceAll('://', ':&#47;&#47;')
}

function codeSpan(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : ''
  return `${fence}${pad}${text}${pad}${fence}`
}

/** Whole lines as long as they fit. */
function cut(lines: readonly string[]): string {
  const note = '\n… cut: the whole is in results.json.\n'
  let bytes = Buffer.byteLength(note)
  const kept: string[] = []
  for (const line of lines) {
    bytes += Buffer.byteLength(line) + 1
    if (bytes > maxBytes) return `${kept.join('\n')}${note}`
    kept.push(line)
  }
  return kept.join('\n')
}

/** Nothing where no target belongs to what was run. */
function targetsSection(results: Results): readonly string[] {
  const rows = targetRows(results).map((row) =>
    Object.values({ ...row, result: `${icons[row.result]} ${row.result}` }),
  )
  if (rows.length === 0) return []
  return ['## Targets', '', ...table(['target', 'measured', 'wanted', 'result'], 'lrll', rows), '']
}
