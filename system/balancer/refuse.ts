// The answers the balancer gives itself: always JSON-RPC errors that echo the request's id.

/** Why a request could not be delivered; `data.reason` of code -32000. */
export type Reason =
  | 'unknown'
  | 'gone'
  | 'no_backend'
  | 'reset'
  | 'timeout'
  | 'bad_request'
  | 'bad_answer'
  | 'limit'

const reasonPhrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  413: 'Content Too Large',
  414: 'URI Too Long',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** The JSON-RPC error object of a refusal, one line. `id` is raw JSON. */
export function errorMessage(id: string, reason: Reason, message: string, data: object = {}): string {
  // -32600 says that the request itself is at fault, -32000 that it could not be delivered.
  const code = reason === 'bad_request' || reason === 'limit' ? -32600 : -32000
  const error = JSON.stringify({ code, message: asciiOnly(message), data: { reason, ...data } })
  return `{"jsonrpc":"2.0","id":${id},"error":${error}}`
}

/** A whole HTTP answer as latin1 text. `head` leaves the body out, as the answer to HEAD must. */
export function refusalText(
  status: number,
  body: string,
  close: boolean,
  extra: string = '',
  head: boolean = false,
): string {
  const allow = status === 405 ? 'Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n' : ''
  return (
    `HTTP/1.1 ${status} ${reasonPhrases[status] ?? 'Error'}\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\nCache-Control: no-store\r\n${allow}${extra}` +
    `${close ? 'Connection: close\r\n' : ''}\r\n${head ? '' : body}`
  )
}

/** The SSE event that ends a stream whose pod is lost. */
export function errorEvent(id: string, reason: Reason, message: string, data: object = {}): string {
  return `data: ${errorMessage(id, reason, message, data)}\n\n`
}

/** Messages go out as latin1 text; an address or id in them might not be. */
function asciiOnly(text: string): string {
  return text.replace(/[^ -~]/g, '?')
}
