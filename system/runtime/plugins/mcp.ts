// The mcp plugin: tools of a Model Context Protocol server, launched and spoken to over its standard streams.

import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { GauntletError } from '../../../contracts/errors.ts'
import type { Log } from '../../program/log.ts'
import { outgoing } from '../../program/outgoing.ts'
import { kindOf, toJson } from '../../wire/json.ts'
import { awaitProgram } from './await-program.ts'
import type { CallOutcome, CallTimeouts, Plugin } from './plugin.ts'
import { Restarts } from './restarts.ts'

export interface McpOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  /** Of a tool's call only `stepMs` counts: there is one answer, without parts. */
  readonly timeouts: CallTimeouts
  readonly log: Log
}

/** ms the handshake may take, and by default a tool. */
const startTimeoutMs = 30_000
const toolTimeoutMs = 30 * 60_000

export function createMcpPlugin(options: McpOptions): Plugin {
  const { name, command, timeouts, log } = options
  const closing = new AbortController()
  const restarts = new Restarts<Client>({
    launch: async (signal) => {
      const client = await launch(options, signal)
      client.onclose = () => {
        if (closing.signal.aborted) return
        log.warn({ plugin: name, restartMs: restarts.waitMs }, 'MCP server died, starting it again')
        restarts.again()
      }
      return client
    },
    closing: closing.signal,
    onFailed: (error) => log.warn({ plugin: name, error: textOf(error) }, 'MCP server does not start'),
  })
  const connected = (): Promise<Client> => restarts.current ?? Promise.reject(new Error('not started'))

  return {
    remote: true,
    async start(signal) {
      try {
        await restarts.start(signal)
      } catch (error) {
        throw new GauntletError('ERR_PLUGIN', `error initializing plugin: ${textOf(error)}`, {
          field: `plugins.${name}`,
          value: command,
          fix: 'see what the command says',
          cause: error,
        })
      }
    },
    async execute(call): Promise<CallOutcome> {
      // The last segment: tools have no folders.
      const tool = call.component.slice(call.component.lastIndexOf('/') + 1)
      const cancelled = new AbortController()
      call.onCancel(() => cancelled.abort())
      const stepMs = call.timeouts.stepMs ?? timeouts.stepMs ?? toolTimeoutMs
      const startedAt = performance.now()
      const waited = await awaitProgram(connected(), call, stepMs)
      if ('broken' in waited) return waited.broken
      const client = waited.program
      try {
        outgoing.before?.()
        const result = await client.callTool(
          {
            name: tool,
            ...(kindOf(call.input) === 'object' ? { arguments: JSON.parse(call.input) } : {}),
          },
          undefined,
          { signal: cancelled.signal, timeout: Math.max(1, startedAt + stepMs - performance.now()) },
        )
        if (result['isError'] === true) {
          return {
            kind: 'failed',
            error: {
              code: 500,
              message: `Tool '${tool}' execution failed`,
              data: toJson(result['content'] ?? null),
            },
          }
        }
        return { kind: 'success', value: toJson(result['content'] ?? null) }
      } catch (error) {
        return {
          kind: 'broken',
          causes: [{ error: 'error executing component' }, { error: textOf(error) }],
          details: { reason: reasonOf(error, cancelled.signal) },
        }
      }
    },
    async components() {
      const { tools } = await (await connected()).listTools()
      return tools.map((tool) => ({
        component: `/${tool.name}`,
        ...(tool.description === undefined ? {} : { description: tool.description }),
        inputSchema: toJson(tool.inputSchema),
        ...(tool.outputSchema === undefined ? {} : { outputSchema: toJson(tool.outputSchema) }),
      }))
    },
    async close() {
      closing.abort()
      await (await restarts.current?.catch(() => null))?.close()
    },
  }
}

/** Starts the command and greets it. */
async function launch(
  { name, command, args, env, cwd, log }: McpOptions,
  signal: AbortSignal,
): Promise<Client> {
  // Loaded here, for it takes longer than all the rest of the runtime, and few have such a plugin.
  const sdk = await import('@modelcontextprotocol/sdk/client/index.js')
  const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js')
  const client = new sdk.Client({ name: 'stepflow', version: '0.9.0' })
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    cwd,
    stderr: 'pipe',
  })
  transport.stderr?.on('data', (chunk: Buffer) => {
    log.debug({ plugin: name, text: chunk.toString().trimEnd() }, 'MCP server says')
  })
  try {
    await client.connect(transport, { signal, timeout: startTimeoutMs })
    return client
  } catch (error) {
    await client.close()
    throw error
  }
}

/** JSON-RPC code by which the SDK says that an answer is late. */
const requestTimeoutCode = -32001

function reasonOf(error: unknown, cancelled: AbortSignal): string {
  if (cancelled.aborted) return 'cancelled'
  const isLate = error instanceof Error && 'code' in error && error.code === requestTimeoutCode
  return isLate ? 'deadline' : 'mcp'
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
