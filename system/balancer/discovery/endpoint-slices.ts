// Pods of a Service by the Kubernetes API: its EndpointSlices, listed once and watched from then on.

import { readFile } from 'node:fs/promises'
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Log } from '../../program/log.ts'
import type { Name } from './names.ts'
import type { Found, PodSource, SourceCounts } from './source.ts'

/** How the API is reached. */
export interface KubernetesApi {
  /** e.g. `https://10.43.0.1:443`. */
  readonly base: string
  /** Read anew for each request: the token is rotated. */
  readonly token: () => Promise<string>
  /** PEM of the authority that signed the API's certificate. */
  readonly ca: string | undefined
}

export interface ServiceName {
  readonly service: string
  readonly namespace: string
}

export interface EndpointSliceOptions extends ServiceName {
  readonly api: KubernetesApi
  /** The Service's port, which says which port of the slices is meant where they have several. */
  readonly port: number
  /** Finds pods while the API cannot be used (no permission, no answer). */
  readonly fallback: PodSource
  readonly counts: SourceCounts
  readonly log: Log
  /** Before the API is tried again after a failure, ms; default 1,000, doubled up to 30 s. */
  readonly retryMs?: number
}

/** The parts of an EndpointSlice that matter here. */
export interface EndpointSlice {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string }
  readonly ports?: readonly { readonly port?: number }[]
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[]
    readonly conditions?: {
      readonly ready?: boolean
      readonly serving?: boolean
      readonly terminating?: boolean
    }
  }[]
}

const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount'
const maxRetryMs = 30_000
/** The API ends a watch by itself after this, s; we begin anew. */
const watchSeconds = 300
const answerTimeoutMs = 10_000
/** A watch that lasts this much longer than it should has lost its other end. */
const watchGraceMs = 30_000
/** A watch that ends sooner is begun anew after the pause of a failure: the API, or a proxy before it, cannot do it. */
const leastWatchMs = 1_000
/** A line of a watch is one slice: a hundred endpoints. */
const maxLineChars = 4 * 1_048_576

/** The API of the cluster this process runs in; null outside of one. */
export async function inClusterApi(
  env: Readonly<Record<string, string | undefined>> = process.env,
  folder = accountFolder,
): Promise<KubernetesApi | null> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (host === undefined || port === undefined) return null
  const token = (): Promise<string> => readFile(`${folder}/token`, 'utf8').then((text) => text.trim())
  try {
    await token()
    const ca = await readFile(`${folder}/ca.crt`, 'utf8')
    return { base: `https://${host.includes(':') ? `[${host}]` : host}:${port}`, token, ca }
  } catch {
    return null
  }
}

/** `service.namespace.svc...` taken apart; null for any other name. */
export function parseServiceName(host: string): ServiceName | null {
  const match = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\..+)?$/.exec(host)
  return match === null ? null : { service: match[1]!, namespace: match[2]! }
}

/**
 * Pods of `slices`. Ready ones take new work; one that terminates but still serves is there for callbacks; one
 * that does neither is not there.
 */
export function podsOfSlices(slices: Iterable<EndpointSlice>, port: number): readonly Found[] {
  const found = new Map<string, Found>()
  for (const slice of slices) {
    const ports = slice.ports ?? []
    const podPort = ports.find((one) => one.port === port)?.port ?? ports[0]?.port ?? port
    for (const { addresses = [], conditions = {} } of slice.endpoints ?? []) {
      // Absent means true, and an absent `serving` means as `ready` does (discovery.k8s.io/v1).
      const ready = conditions.ready ?? true
      const terminating = conditions.terminating ?? false
      if (!ready && !(terminating && (conditions.serving ?? ready))) continue
      for (const host of addresses) {
        const before = found.get(host)
        // While a slice is being rewritten an endpoint may stand in two.
        if (before === undefined || before.terminating)
          found.set(host, { host, port: podPort, terminating: terminating || !ready })
      }
    }
  }
  return [...found.values()]
}

export class EndpointSliceSource implements PodSource {
  readonly #options: EndpointSliceOptions
  #update: (found: readonly Found[]) => void = () => {}
  #slices = new Map<string, EndpointSlice>()
  #watching: IncomingMessage | null = null
  #timer: NodeJS.Timeout | null = null
  #retryMs: number
  #fellBack = false
  #closed = false

  constructor(options: EndpointSliceOptions) {
    this.#options = options
    this.#retryMs = options.retryMs ?? 1_000
  }

  start(update: (found: readonly Found[]) => void): void {
    this.#update = update
    void this.#goOn()
  }

  async refresh(): Promise<void> {
    if (this.#fellBack) await this.#options.fallback.refresh()
    else await this.#list().catch(() => {})
  }

  close(): void {
    this.#closed = true
    this.#watching?.destroy()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#options.fallback.close()
  }

  async #goOn(): Promise<void> {
    const { log, counts, retryMs = 1_000, service, namespace } = this.#options
    let waitMs = 0
    try {
      const version = await this.#list()
      const sinceMs = performance.now()
      await this.#watch(version)
      if (performance.now() - sinceMs < leastWatchMs) waitMs = retryMs
      this.#retryMs = retryMs
    } catch (error) {
      if (this.#closed) return
      counts.discoveryFailures++
      log.warn(
        { service, namespace, error: error instanceof Error ? error.message : String(error) },
        'watching pods failed',
      )
      // What was found stays in force. Where nothing ever was, DNS has to do.
      if (this.#slices.size === 0 && !this.#fellBack) {
        this.#fellBack = true
        this.#options.fallback.start((found) => {
          if (this.#fellBack) this.#update(found)
        })
      }
      waitMs = this.#retryMs
      this.#retryMs = Math.min(maxRetryMs, this.#retryMs * 2)
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#goOn(), waitMs)
  }

  /** Reads all slices; returns the version to watch from. */
  async #list(): Promise<string> {
    this.#options.counts.discoveries++
    const answer = await this.#get('')
    let text = ''
    for await (const part of answer) text += String(part)
    const list = JSON.parse(text) as { metadata?: { resourceVersion?: string }; items?: EndpointSlice[] }
    this.#slices = new Map((list.items ?? []).map((slice) => [slice.metadata?.name ?? '', slice]))
    this.#tell()
    return list.metadata?.resourceVersion ?? ''
  }

  /** Follows changes until the API ends the watch; rejects where it cannot go on from `version`. */
  async #watch(version: string): Promise<void> {
    const answer = await this.#get(
      `&watch=true&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${encodeURIComponent(version)}`,
    )
    this.#watching = answer
    const lost = setTimeout(
      () => answer.destroy(new Error('the watch does not end')),
      watchSeconds * 1_000 + watchGraceMs,
    ).unref()
    let rest = ''
    try {
      for await (const part of answer) {
        const lines = (rest + String(part)).split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > maxLineChars) throw new Error('an endless line')
        for (const line of lines) if (line !== '') this.#change(JSON.parse(line))
      }
    } finally {
      clearTimeout(lost)
      this.#watching = null
      answer.destroy()
    }
  }

  #change({
    type,
    object,
  }: {
    readonly type: string
    readonly object: EndpointSlice & { readonly message?: string }
  }): void {
    if (type === 'BOOKMARK') return
    // 410 Gone: the version is too old; a new list is due.
    if (type === 'ERROR') throw new Error(object.message ?? 'the API ended the watch')
    this.#options.counts.discoveries++
    const name = object.metadata?.name ?? ''
    if (type === 'DELETED') this.#slices.delete(name)
    else this.#slices.set(name, object)
    this.#tell()
  }

  #tell(): void {
    if (this.#closed) return
    const found = podsOfSlices(this.#slices.values(), this.#options.port)
    // As with DNS: an empty answer is more often a mistake than the truth.
    if (found.length === 0) return
    if (this.#fellBack) {
      this.#fellBack = false
      this.#options.fallback.close()
    }
    this.#update(found)
  }

  async #get(query: string): Promise<IncomingMessage> {
    const { api, service, namespace } = this.#options
    const selector = encodeURIComponent(`kubernetes.io/service-name=${service}`)
    const url = new URL(
      `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${selector}${query}`,
      api.base,
    )
    const token = await api.token()
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp
      const outgoing = send(url, {
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
        ...(api.ca === undefined ? {} : { ca: api.ca }),
      })
      outgoing.setSocketKeepAlive(true, answerTimeoutMs)
      const timer = setTimeout(() => outgoing.destroy(new Error('the API is silent')), answerTimeoutMs)
      outgoing.on('error', (error) => {
        clearTimeout(timer)
        reject(error)
      })
      outgoing.on('response', (answer) => {
        clearTimeout(timer)
        answer.setEncoding('utf8')
        if (answer.statusCode === 200) resolve(answer)
        else {
          answer.destroy()
          reject(new Error(`the API answered ${answer.statusCode}`))
        }
      })
      outgoing.end()
    })
  }
}

/** A source for `name` where it is a Service of this cluster; null where it is not, or this is no cluster. */
export function endpointSliceSource(
  api: KubernetesApi | null,
  name: Name,
  fallback: () => PodSource,
  counts: SourceCounts,
  log: Log,
): PodSource | null {
  const service = api === null ? null : parseServiceName(name.host)
  if (api === null || service === null) return null
  return new EndpointSliceSource({ api, ...service, port: name.port, fallback: fallback(), counts, log })
}
