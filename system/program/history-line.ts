// A history record as a line of JSON, in ASCII.
//
// Written out for what programs record of each request: these few run between two events of a run, each time cold, where
// JSON.stringify takes several times as long (docs/benchmarks.md, History).

import type { NewRecord } from './history.ts'

/** `record` at `at`, µs, with its line feed. */
export function lineOf(at: number, record: NewRecord): string {
  switch (record.kind) {
    case 'run.accepted':
      return `{"at":${at},"kind":"run.accepted","runId":${text(record.runId)},"flowId":${text(record.flowId)},"inFlight":${record.inFlight}}\n`
    case 'run.ended':
      return `{"at":${at},"kind":"run.ended","runId":${text(record.runId)},"status":"${record.status}","inFlight":${record.inFlight}}\n`
    case 'step.started':
      return `{"at":${at},"kind":"step.started","runId":${text(record.runId)},"stepId":${text(record.stepId)},"item":${record.item},"component":${text(record.component)}}\n`
    case 'call.sent':
      return `{"at":${at},"kind":"call.sent","runId":${text(record.runId)},"stepId":${text(record.stepId)},"item":${record.item},"attempt":${record.attempt},"requestId":${text(record.requestId)}}\n`
    case 'call.answered':
      return `{"at":${at},"kind":"call.answered","requestId":${text(record.requestId)},"status":${record.status},"stream":${record.stream}${field('instanceId', record.instanceId)}}\n`
    case 'callback.received':
      return `{"at":${at},"kind":"callback.received","requestId":${text(record.requestId)},"callbackId":${text(record.callbackId)},"method":${text(record.method)}${field('instanceId', record.instanceId)}}\n`
    case 'callback.replied':
      return `{"at":${at},"kind":"callback.replied","requestId":${text(record.requestId)},"callbackId":${text(record.callbackId)}${field('instanceId', record.instanceId)},"status":${record.status}${field('error', record.error)}}\n`
    case 'step.result':
      return `{"at":${at},"kind":"step.result","runId":${text(record.runId)},"stepId":${text(record.stepId)},"item":${record.item},"attempt":${record.attempt}${field('requestId', record.requestId)},"outcome":"${record.outcome}"${field('instanceId', record.instanceId)}${field('error', record.error)}}\n`
    case 'request.routed':
      return `{"at":${at},"kind":"request.routed"${field('backend', record.backend)}${field('pinned', record.pinned)}${field('instanceId', record.instanceId)},"stream":${record.stream},"status":${record.status}${field('reason', record.reason)}}\n`
    case 'execute.received':
      return `{"at":${at},"kind":"execute.received","requestId":${text(record.requestId)},"component":${text(record.component)},"attempt":${record.attempt}${field('runId', record.runId)}${field('stepId', record.stepId)},"stream":${record.stream}${field('via', record.via)}}\n`
    case 'execute.answered':
      return `{"at":${at},"kind":"execute.answered","requestId":${text(record.requestId)},"outcome":"${record.outcome}"${field('error', record.error)}}\n`
    case 'callback.sent':
      return `{"at":${at},"kind":"callback.sent","requestId":${text(record.requestId)},"callbackId":${text(record.callbackId)},"method":${text(record.method)}}\n`
    case 'callback.resolved':
      return `{"at":${at},"kind":"callback.resolved","callbackId":${text(record.callbackId)},"roundTripUs":${record.roundTripUs},"outcome":"${record.outcome}"${field('via', record.via)}}\n`
    default:
      return `${ascii(JSON.stringify({ at, ...record }))}\n`
  }
}

function text(value: string): string {
  return isPlain(value) ? `"${value}"` : ascii(JSON.stringify(value))
}

/** Whether JSON text holds it as it is, and it is ASCII; ids are short, so this is done before a regular expression begins. */
function isPlain(value: string): boolean {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
  }
  return true
}

function field(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${text(value)}`
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
