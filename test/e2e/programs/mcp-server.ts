// A Model Context Protocol server of two tools, for the tests of the runtime's mcp plugin.

import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'

const server = new Server({ name: 'test', version: '1' }, { capabilities: { tools: {} } })
const inputSchema = { type: 'object' as const, properties: { text: { type: 'string' } } }

server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [
    { name: 'shout', description: 'In capitals', inputSchema },
    { name: 'fail', description: 'Fails', inputSchema },
  ],
}))

server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
  if (params.name === 'die') process.exit(3)
  if (params.name === 'hang') return new Promise<never>(() => {})
  if (params.name === 'fail') return { isError: true, content: [{ type: 'text', text: 'no' }] }
  const text = `${String(params.arguments?.['text']).toUpperCase()} ${process.env['GREETING'] ?? ''}`
  return { content: [{ type: 'text', text }] }
})

await server.connect(new StdioServerTransport())
