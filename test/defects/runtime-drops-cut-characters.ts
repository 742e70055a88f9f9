// The runtime's reader of event streams drops a chunk whose end cuts a character (as Stepflow's own).

import type { Defect } from './defect.ts'

export const defect: Defect = {
  role: 'runtime',
  file: 'system/wire/sse.ts',
  what: 'a chunk of a stream that begins or ends within a character is lost',
  checker: 'none-hangs',
  scenario: 'smoke',
  edits: [
    {
      find: `      characters ??= new StringDecoder('utf8')
      take(characters.write(chunk as Buffer))
`,
      replace: `      let text = ''
      try {
        text = new TextDecoder('utf-8', { fatal: true }).decode(chunk)
      } catch {
        return
      }
      take(text)
      characters = null
`,
    },
  ],
  // Ours escapes what is not ASCII, for the sake of such readers; others write UTF-8.
  also: {
    role: 'component-server',
    file: 'system/component-server/connection.ts',
    edits: [
      {
        find: `    const event = encodeEvent(json)
`,
        replace: `    const event = encodeEvent === undefined ? '' : Buffer.from(\`data: \${json}\\n\\n\`).toString('latin1')
`,
      },
    ],
  },
}
