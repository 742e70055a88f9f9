// `npm run check:manifests`: renders k8s/ and has every tool that is here look at it.
//
//   render.ts  the renderings   tools.ts  the tools   findings.ts  which findings are accepted

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dashboard, dashboardFile } from './dashboard.ts'
import { type Finding, parseAccepted, sortFindings } from './findings.ts'
import { renderAll } from './render.ts'
import { cache, installs, tools } from './tools.ts'

const help = `Usage: npm run check:manifests [-- --install]

Renders every overlay and component of k8s/ and checks it with the tools that are here: ${tools.map(({ name }) => name).join(', ')}.
A tool that is missing is named, with how to get it; REQUIRE=checkov,... makes that a failure.
--install fetches those that package registries have into the cache folder. Exit code 1: findings; 2: no kubectl.
`

async function main(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return 0
  }
  if (args.includes('--install')) {
    mkdirSync(cache, { recursive: true })
    for (const [program, ...rest] of installs) {
      console.log(`$ ${program} ${rest.join(' ')}`)
      spawnSync(program, rest, { stdio: 'inherit' })
    }
  }
  const root = join(import.meta.dirname, '../..')
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'))
  try {
    return await checkAll(root, folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    console.error('kubectl is not on the PATH: it renders the manifests')
    return 2
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function checkAll(root: string, folder: string): Promise<number> {
  const rendered = renderAll(root, folder)
  const count = rendered.reduce((sum, { objects }) => sum + objects.length, 0)
  console.log(`rendered: ${rendered.length} kustomizations, ${count} objects`)
  const findings: Finding[] = []
  const ran = new Set<string>()
  const required = (process.env['REQUIRE'] ?? '').split(',')
  let lacking = 0
  for (const tool of tools) {
    const missing = tool.missing()
    if (missing !== null) {
      console.log(`${tool.name}: not run, ${missing}; get it: ${tool.get}`)
      if (required.includes(tool.name)) lacking++
      continue
    }
    const startedAt = performance.now()
    const found = await tool.check({ root, folder, rendered })
    findings.push(...found)
    ran.add(tool.name)
    console.log(
      `${tool.name}: ${found.length} findings (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
    )
  }
  if (JSON.stringify(JSON.parse(readFileSync(dashboardFile, 'utf8'))) !== JSON.stringify(dashboard())) {
    findings.push({
      ...{ tool: 'dashboard', check: 'generated', overlay: 'observability', object: 'dashboard.json' },
      text: 'is not what scripts/manifests/dashboard.ts makes; run it',
    })
  }
  const list = parseAccepted(readFileSync(join(root, 'k8s/accepted-findings.yaml'), 'utf8'))
  const { open, accepted, stale } = sortFindings(findings, list, ran)
  for (const { tool, check, overlay, object, text } of open) {
    console.log(`FINDING ${tool} ${check} ${overlay} ${object}: ${text}`)
  }
  for (const { tool, check } of stale)
    console.log(`STALE ${tool} ${check}: nothing needs that entry any more`)
  console.log(
    `${open.length} findings, ${accepted.length} accepted by ${list.length} entries, ${stale.length} stale entries, ${ran.size} of ${tools.length} tools run`,
  )
  return open.length + stale.length + lacking > 0 ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2))
