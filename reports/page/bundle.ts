// The browser side as one script: TypeScript modules stripped of their types, each a function of its imports.

import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, resolve } from 'node:path'

const importPattern = /^import\s*(?:\{([^}]*)\}\s*from\s*)?['"]([^'"]+)['"];?[ \t]*$/gm
const exportPattern = /^export (?=(?:const|let|(?:async )?function|class)\s+([A-Za-z_$][\w$]*))/gm

/**
 * Joins `entry` and what it imports, each module once and after those it imports. It takes what this project
 * writes: named imports of relative files, and exports that stand before a declaration.
 * @throws Error for anything else, naming the file
 */
export function bundle(entry: string): string {
  const parts: string[] = []
  const names = new Map<string, string>()
  const add = (file: string): string => {
    const known = names.get(file)
    if (known !== undefined) return known
    // Named before its imports are read, so that a circle of imports ends; it fails when it runs, as in a browser.
    const name = `module${names.size}`
    names.set(file, name)
    const code = stripped(readFileSync(file, 'utf8'))
    const imported = code.replace(importPattern, (_all, specifiers: string | undefined, target: string) => {
      if (!target.startsWith('.')) throw new Error(`${file}: imports ${target}, which a page cannot load`)
      const from = add(join(dirname(file), target))
      const taken = (specifiers ?? '').replace(/\b([\w$]+)\s+as\s+([\w$]+)/g, '$1: $2').trim()
      return taken === '' ? '' : `const { ${taken.replace(/,$/, '')} } = ${from}`
    })
    const exported = [...imported.matchAll(exportPattern)].map(([, one]) => one)
    const body = imported.replace(exportPattern, '').trim()
    const left = /^(?:import|export)\b.*$/m.exec(body)
    if (left !== null) throw new Error(`${file}: cannot join ${left[0]}`)
    parts.push(`const ${name} = (() => {\n${body}\nreturn { ${exported.join(', ')} }\n})()`)
    return name
  }
  add(resolve(entry))
  return `(() => {\n'use strict'\n${parts.join('\n')}\n})()\n`
}

/** The types taken out, without Node's warning that doing so is new: it would stand in a user's terminal. */
function stripped(code: string): string {
  const emitWarning = process.emitWarning
  process.emitWarning = () => {}
  try {
    // Types leave blanks behind; whole blank lines go.
    return stripTypeScriptTypes(code)
      .replace(/[ \t]+$/gm, '')
      .replace(/\n{2,}/g, '\n')
  } finally {
    process.emitWarning = emitWarning
  }
}
