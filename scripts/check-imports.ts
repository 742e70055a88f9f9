// Checks every import between folders against scripts/import-rules.json: the layout's directions, held by a program.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')

/** By folder: the folders or files it may import; `*` is everything. Its own folder is always allowed. */
export type ImportRules = Readonly<Record<string, readonly string[]>>

export interface SourceFile {
  /** Relative to the project's root. */
  readonly path: string
  readonly text: string
}

const importPattern =
  /(?:^|[\s;])(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?\s*['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]/g

/** Relative imports of a file, as paths from the project's root. */
export function importsOf(file: SourceFile): readonly string[] {
  return [...file.text.matchAll(importPattern)].map((match) =>
    relative(root, join(root, dirname(file.path), match[1] ?? match[2] ?? '')),
  )
}

/** One line for each import that the rules do not allow, and for each folder that has no rule. */
export function importViolations(files: readonly SourceFile[], rules: ImportRules): readonly string[] {
  const folders = Object.keys(rules).sort((a, b) => b.length - a.length)
  const folderOf = (path: string): string | undefined => folders.find((folder) => isWithin(path, folder))
  return files.flatMap((file) => {
    // Tests beside the code may use the project's own means of testing, and what they test.
    if (/\.test\.ts$/.test(file.path)) return []
    const from = folderOf(file.path)
    if (from === undefined) return [`${file.path}: its folder has no rule in scripts/import-rules.json`]
    const allowed = [from, ...(rules[from] ?? [])]
    return importsOf(file)
      .filter((target) => !allowed.some((place) => place === '*' || isWithin(target, place)))
      .map((target) => `${file.path}: ${from} may not import ${target}`)
  })
}

function isWithin(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`)
}

/** All source files that git knows or would add. */
export function sourceFiles(): readonly SourceFile[] {
  const list = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts', '*.mjs'], {
    cwd: root,
    encoding: 'utf8',
  })
  return list
    .split('\n')
    .filter((path) => path !== '')
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

if (import.meta.main) {
  const rules = JSON.parse(
    readFileSync(join(import.meta.dirname, 'import-rules.json'), 'utf8'),
  ) as ImportRules
  const files = sourceFiles()
  const violations = importViolations(files, rules)
  for (const line of violations) console.error(line)
  console.log(`imports: ${files.length} files, ${violations.length} violations`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
