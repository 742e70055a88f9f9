// Heads as we write them: every forwarded message gets one framing and one form, whatever it came in.

import type { AnswerHead } from './answer.ts'
import { withoutFields } from './bytes.ts'
import { chunkedBody, type RequestHead } from './request.ts'

/** The head that goes to a pod. `extra` are further field lines, each ended by CRLF. */
export function writeRequestHead(head: RequestHead, extra = ''): string {
  const { method, target, fields, bodyBytes, hasHost } = head
  let framing = ''
  if (bodyBytes === chunkedBody) framing = 'Transfer-Encoding: chunked\r\n'
  else if (bodyBytes > 0 || method === 'POST' || method === 'PUT' || method === 'PATCH') {
    framing = `Content-Length: ${bodyBytes}\r\n`
  }
  const host = hasHost ? '' : 'Host: \r\n'
  return `${method} ${target} HTTP/1.1\r\n${host}${fields}${framing}X-Forwarded-By: stepflow-load-balancer\r\n${extra}\r\n`
}

/** The field line that names the balancer's `pod` to component servers (RFC 9110 7.6.3); they record it. */
export function viaLine(pod: string): string {
  return `Via: 1.1 ${pod.replaceAll(/[^\w.-]/g, '-')}\r\n`
}

/** Whether an answer's body goes to the client in chunks of ours. */
export function isChunkedTo(head: AnswerHead, toOldClient: boolean): boolean {
  return head.body !== 'none' && head.contentLength === -1 && !toOldClient
}

/**
 * The head that goes to the client.
 * @param routed the request's instance id, or null
 * @param close this is the last answer on the client's connection
 */
export function writeAnswerHead(
  head: AnswerHead,
  toOldClient: boolean,
  routed: string | null,
  close: boolean,
): string {
  // The usual kind: HTTP/1.1, no instance id, and the connection stays.
  if (toOldClient || routed !== null || close) return answerHead(head, toOldClient, routed, close)
  head.written ??= answerHead(head, false, null, false)
  return head.written
}

function answerHead(head: AnswerHead, toOldClient: boolean, routed: string | null, close: boolean): string {
  let { fields } = head
  if (head.stream) {
    fields = withoutFields(fields, ['cache-control', 'x-accel-buffering'])
    fields += 'X-Accel-Buffering: no\r\nCache-Control: no-cache\r\n'
  }
  if (routed !== null) {
    fields = `${withoutFields(fields, ['x-stepflow-routed-instance'])}X-Stepflow-Routed-Instance: ${routed}\r\n`
  }
  // RFC 9110 8.6: never with 204; a client that believed it would wait for a body, or take the next answer for it.
  if (head.contentLength !== -1 && head.status !== 204) fields += `Content-Length: ${head.contentLength}\r\n`
  else if (isChunkedTo(head, toOldClient)) fields += 'Transfer-Encoding: chunked\r\n'
  if (close) fields += 'Connection: close\r\n'
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${fields}\r\n`
}
