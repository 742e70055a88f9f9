// The head of an answer: text to what the client needs of it. Pure and strict.

import { BadMessage, type Framing, type Head } from './parser.ts'

/** What the client needs of an answer's head. */
export interface AnswerHead extends Head {
  readonly status: number
  readonly contentType: string
  readonly instanceId: string | undefined
  /** Whether the connection may serve another request afterwards. */
  readonly keepAlive: boolean
}

const noBody: Framing = { kind: 'length', bytes: 0 }

/**
 * @param text the head without its last empty line
 * @returns null for an interim answer: the one proper is still to come (RFC 9110 15.2)
 * @throws BadMessage
 */
export function parseAnswerHead(text: string): AnswerHead | null {
  const lines = text.split('\r\n')
  const status = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(lines[0] ?? '')
  if (status === null) throw new BadMessage('status line is malformed')
  let length: string | undefined
  let coding: string | undefined
  let connection = ''
  let contentType = ''
  let instanceId: string | undefined
  for (let index = 1; index < lines.length; index++) {
    const field = lines[index] as string
    const colon = field.indexOf(':')
    if (colon < 1 || field.includes('\n') || field.includes('\r')) {
      throw new BadMessage('header field is malformed')
    }
    switch (field.slice(0, colon).toLowerCase()) {
      case 'content-length': {
        const value = field.slice(colon + 1).trim()
        if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value)) {
          throw new BadMessage('Content-Length is malformed')
        }
        length = value
        break
      }
      case 'transfer-encoding':
        coding =
          coding === undefined
            ? field
                .slice(colon + 1)
                .trim()
                .toLowerCase()
            : 'several'
        break
      case 'connection':
        connection += `,${field.slice(colon + 1).toLowerCase()}`
        break
      case 'content-type':
        contentType = field.slice(colon + 1).trim()
        break
      case 'stepflow-instance-id':
        instanceId = field.slice(colon + 1).trim()
        break
      default:
        break
    }
  }
  if (coding !== undefined && (coding !== 'chunked' || length !== undefined)) {
    throw new BadMessage('framing is ambiguous or unknown')
  }
  const code = Number(status[2])
  if (code < 200) return null
  const framing: Framing =
    code === 204 || code === 304
      ? noBody
      : coding !== undefined
        ? { kind: 'chunked' }
        : length !== undefined
          ? { kind: 'length', bytes: Number(length) }
          : { kind: 'until-close' }
  const closes = /[,\s]close(?:$|[,\s])/.test(connection)
  return {
    status: code,
    contentType,
    instanceId,
    keepAlive: status[1] === '1' && framing.kind !== 'until-close' && !closes,
    framing,
  }
}

/** Heads that are remembered, and characters of the longest: servers repeat theirs, by pod, length and second. */
const maxRemembered = 64
const maxRememberedChars = 1_024

/** Reads heads as `parseAnswerHead` does, and those that come again byte for byte only once. */
export function createAnswerHeadReader(): (text: string) => AnswerHead | null {
  const known = new Map<string, AnswerHead>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const head = parseAnswerHead(text)
    if (head === null || text.length > maxRememberedChars) return head
    if (known.size === maxRemembered) known.clear()
    known.set(text, head)
    return head
  }
}
