// The mcp plugin: tools of a Model Context Protocol server, launched and spoken to over its standard streams.

import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { GauntletError } from '../../../contracts/errors.ts'
import type { Log } from '../../program/log.ts'
import { kindOf, toJson } from '../../wire/json.ts'
import type { CallOutcome, Plugin } from './plugin.ts'

export interface McpOptions {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly log: Log
}

/** ms the handshake may take, and a tool: the step's own deadline is the real one. */
const startTimeoutMs = 30_000
const toolTimeoutMs = 30 * 60_000

export function createMcpPlugin(options: McpOptions): Plugin {
  const { name, command, args, env, cwd, log } = options
  let client: Client | null = null
  const connected = (): Client => {
    if (client === null) throw new Error('not started')
    return client
  }
  return {
    async start(signal) {
      // Loaded here, for it takes longer than all the rest of the runtime, and few have such a plugin.
      const sdk = await import('@modelcontextprotocol/sdk/client/index.js')
      const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js')
      client = new sdk.Client({ name: 'stepflow', version: '0.9.0' })
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
      } catch (error) {
        await client.close()
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
      try {
        const result = await connected().callTool(
          {
            name: tool,
            ...(kindOf(call.input) === 'object' ? { arguments: JSON.parse(call.input) } : {}),
          },
          undefined,
          { signal: cancelled.signal, timeout: call.timeouts.stepMs ?? toolTimeoutMs },
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
          details: {},
        }
      }
    },
    async components() {
      const { tools } = await connected().listTools()
      return tools.map((tool) => ({
        component: `/${tool.name}`,
        ...(tool.description === undefined ? {} : { description: tool.description }),
        inputSchema: toJson(tool.inputSchema),
        ...(tool.outputSchema === undefined ? {} : { outputSchema: toJson(tool.outputSchema) }),
      }))
    },
    close: async () => client?.close(),
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
