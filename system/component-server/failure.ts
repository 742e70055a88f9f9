// What a failed call answers: a JSON-RPC code and message, and how any thrown value becomes one.

import { rpcCodes } from '../wire/jsonrpc.ts'

/**
 * Thrown by a component to choose its JSON-RPC error. Anything else that it throws answers code -32003.
 *
 * @example throw new ComponentError('amount: got -1, use 0 or more', { code: -32005, data: { field: 'amount' } })
 */
export class ComponentError extends Error {
  /** Default -32003, execution. The protocol's others: -32002 validation, -32004 runtime, -32005 value. */
  readonly code: number
  /** Anything JSON can hold; default `{}`. */
  readonly data: unknown

  constructor(message: string, options: { readonly code?: number; readonly data?: unknown } = {}) {
    super(message)
    this.name = 'ComponentError'
    this.code = options.code ?? rpcCodes.execution
    this.data = options.data ?? {}
  }
}

export interface Failure {
  readonly code: number
  readonly message: string
  readonly data: unknown
}

/** The failure that a thrown value answers; the prefix is that of Stepflow's worker. */
export function failureOf(thrown: unknown): Failure {
  const code = thrown instanceof ComponentError ? thrown.code : rpcCodes.execution
  const data = thrown instanceof ComponentError ? thrown.data : {}
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
  return { code, message: code === rpcCodes.execution ? `Component execution failed: ${text}` : text, data }
}
