// The node agent: keeps the wanted pods running, and its DNS and Services in step with them.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PodEvent, Role } from '../../../contracts/cluster.ts'
import type { DnsEffect } from '../../../contracts/hooks.ts'
import { makeFolder, sweepFolders } from '../../temporary-folder.ts'
import { type Block, type Endpoint, proxiedRoles, Slots } from './addresses.ts'
import { type Claim, claimBlock } from './claim.ts'
import { nextStep, strategies, type Wanted } from './controller.ts'
import { serveDns } from './dns-server.ts'
import { staleZone, type Zone } from './dns-zone.ts'
import { hasParentDeathSignal } from './launch.ts'
import { Links } from './links.ts'
import { podName, randomName, revisionName } from './names.ts'
import { podFiles, temporaryFolder } from './pod-files.ts'
import { PodProcess } from './pod-process.ts'
import { programOf } from './program.ts'
import { type Booted, type BootPlan, type PodStatus, Refused } from './protocol.ts'
import { type ServiceProxy, startServiceProxy } from './service-proxy.ts'
import { roles } from './settings.ts'

export interface AgentOptions {
  readonly plan: BootPlan
  readonly random: () => number
  readonly log: (event: string, fields: object) => void
  readonly onPod: (event: PodEvent, status: PodStatus) => void
  /** Of a change that the Pod does not show. */
  readonly onStatus: (name: string, status: PodStatus) => void
}

/** µs of CLOCK_MONOTONIC. */
function now(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

export class NodeAgent {
  readonly booted: Booted
  /** The proxies on the way to pods. */
  readonly links: Links
  readonly #options: AgentOptions
  readonly #claim: Claim
  readonly #slots: Slots
  readonly #pods = new Map<string, { readonly process: PodProcess; readonly slot: number }>()
  readonly #wanted = new Map<Role, Wanted>()
  readonly #services = new Map<Role, ServiceProxy>()
  /** Pods as last told, by name, as JSON. */
  readonly #reported = new Map<string, string>()
  readonly #zone: Zone
  #dns: { readonly effect: DnsEffect; readonly zone: Zone } | null = null
  #stopping = false
  #reconcileQueued = false

  /**
   * Claims addresses, starts DNS, Services and all pods; does not wait for them.
   * @throws Refused ERR_ENVIRONMENT, ERR_CLUSTER
   */
  static async boot(options: AgentOptions): Promise<NodeAgent> {
    const { plan, random } = options
    const { settings } = plan
    const claim = await claimBlock(settings.addressing, random)
    assertFits(Object.values(plan.replicas), claim.block)
    if (plan.directory === null) sweepFolders(tmpdir())
    const directory = plan.directory ?? makeFolder(tmpdir(), randomName(8, random))
    try {
      return new NodeAgent(options, claim, directory)
    } catch (error) {
      if (plan.directory === null) rmSync(directory, { recursive: true, force: true })
      throw error
    }
  }

  private constructor(options: AgentOptions, claim: Claim, directory: string) {
    const { plan } = options
    const { block } = claim
    this.#options = options
    this.#claim = claim
    this.#slots = new Slots(block.capacity)
    this.links = new Links({
      log: options.log,
      changed: (role) => this.#services.get(role)?.update(this.#ready(role)),
    })
    for (const folder of ['logs', 'history', 'config', 'scratch']) {
      mkdirSync(join(directory, folder), { recursive: true })
    }
    writeFileSync(runtimeConfigFile(directory), plan.runtimeConfig)
    const services: Partial<Record<Role, string>> = {}
    for (const role of proxiedRoles) {
      const address = block.service(role)
      services[role] = `${address.address}:${address.port}`
      this.#services.set(
        role,
        startServiceProxy({ address, refuseWhenEmpty: block.addressing === 'own', log: options.log }),
      )
    }
    this.booted = {
      directory,
      dns: `${block.dns.address}:${block.dns.port}`,
      services,
      addressing: block.text,
      parentDeathSignal: plan.settings.parentDeathSignal && hasParentDeathSignal(),
    }
    this.#zone = {
      service: (role: Role) => this.#services.get(role)?.address ?? null,
      ready: (role: Role) => this.#ready(role),
      all: (role: Role) => this.#endpoints(role, () => true),
    }
    serveDns(claim.tcp, claim.udp, options.random, () => ({
      zone: this.#dns?.zone ?? this.#zone,
      effect: this.#dns?.effect ?? null,
    }))
    for (const role of roles) {
      this.#wanted.set(role, {
        replicas: plan.replicas[role],
        revision: revisionName(options.random),
        strategy: strategies[role],
      })
    }
    this.#reconcile()
  }

  /** @throws Refused ERR_CLUSTER where so many pods do not fit into the block */
  scale(role: Role, replicas: number): void {
    const counts = roles.map((one) => (one === role ? replicas : this.#wantedOf(one).replicas))
    assertFits(counts, this.#claim.block)
    this.#wanted.set(role, { ...this.#wantedOf(role), replicas })
    this.#reconcile()
  }

  /** Gives the role a new revision, to which the controller then moves pod by pod. */
  rollout(role: Role): string {
    const revision = revisionName(this.#options.random)
    this.#wanted.set(role, { ...this.#wantedOf(role), revision })
    this.#reconcile()
    return revision
  }

  /** Resolves when the pod's process is gone. */
  async delete(name: string, gracePeriodMs: number | null): Promise<void> {
    const pod = this.#find(name)
    pod.terminate(gracePeriodMs ?? this.#options.plan.settings.gracePeriodMs)
    await pod.gone
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#find(name).signal(signal)
  }

  holdUnready(name: string, held: boolean): void {
    this.#find(name).holdUnready(held)
  }

  nodeArgs(name: string, args: readonly string[]): void {
    this.#find(name).nodeArgs(args)
  }

  breakDns(effect: DnsEffect | null): void {
    const { block } = this.#claim
    const gone = block.pod('component-server', block.capacity - 1)
    this.#dns = effect && {
      effect,
      zone:
        effect.kind === 'stale'
          ? staleZone(this.#zone, { address: gone.address, port: gone.port })
          : this.#zone,
    }
  }

  /** Kills every process now; for an exit handler. */
  killAll(): void {
    this.#stopping = true
    for (const { process } of this.#pods.values()) process.kill()
  }

  /** Ends everything and removes the folder, if it is the cluster's own. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const { process } of this.#pods.values()) process.terminate(0)
    for (const service of this.#services.values()) service.close()
    this.links.close()
    this.#claim.tcp.close()
    this.#claim.udp.close()
    await Promise.all([...this.#pods.values()].map(({ process }) => process.gone))
    this.removeFolder()
  }

  removeFolder(): void {
    if (this.#options.plan.directory === null) {
      rmSync(this.booted.directory, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  #wantedOf(role: Role): Wanted {
    return this.#wanted.get(role)!
  }

  #find(name: string): PodProcess {
    const found = this.#pods.get(name)
    if (found !== undefined) return found.process
    throw new Refused({ code: 'ERR_CLUSTER', problem: 'no such pod, or gone by now', field: name })
  }

  #ready(role: Role): readonly Endpoint[] {
    return this.#endpoints(role, ({ ready }) => ready)
  }

  #endpoints(role: Role, fits: (pod: PodProcess) => boolean): readonly Endpoint[] {
    return [...this.#pods.values()]
      .filter(({ process }) => process.spec.role === role && fits(process))
      .flatMap(({ process }) => {
        const { name, at } = process.spec
        if (!this.#options.plan.links.includes(role)) return [{ address: at.address, port: at.port }]
        return this.links.entrance(name) ?? []
      })
  }

  #reconcile(): void {
    if (this.#stopping) return
    for (const role of roles) {
      const pods = [...this.#pods.values()]
        .filter(({ process }) => process.spec.role === role)
        .map(({ process }) => ({
          ...process.pod,
          revision: process.spec.revision,
          terminating: process.terminating,
        }))
      const wanted = this.#wantedOf(role)
      const step = nextStep(pods, wanted)
      for (const name of step.remove) {
        this.#pods.get(name)?.process.terminate(this.#options.plan.settings.gracePeriodMs)
      }
      for (let i = 0; i < step.create; i++) this.#create(role, wanted.revision)
    }
  }

  #create(role: Role, revision: string): void {
    const slot = this.#slots.take()
    // Terminating pods hold addresses too; the next one that is gone brings the controller back here.
    if (slot === undefined) return
    const { plan, random } = this.#options
    const { directory, dns, parentDeathSignal } = this.booted
    const name = podName(role, revision, random)
    const at = this.#claim.block.pod(role, slot)
    const files = podFiles(directory, name)
    mkdirSync(temporaryFolder(directory, name), { recursive: true })
    const program = programOf({
      plan,
      role,
      podName: name,
      at,
      dns,
      files,
      temporaryFolder: temporaryFolder(directory, name),
      runtimeConfigFile: runtimeConfigFile(directory),
      parentEnv: process.env,
    })
    const pod = new PodProcess({
      spec: { name, role, revision, at, files, ...program },
      settings: plan.settings,
      parentDeathSignal,
      now,
      changed: (changed) => this.#changed(changed),
    })
    this.#pods.set(name, { process: pod, slot })
    if (plan.links.includes(role))
      this.links.open({ pod: name, role, upstream: at, listen: this.#claim.block.link(role, slot) })
    this.#report(pod, 'added', pod.createdAt)
    pod.start()
  }

  #changed(pod: PodProcess): void {
    const { name, role } = pod.spec
    if (pod.isGone) {
      const slot = this.#pods.get(name)?.slot
      if (slot !== undefined) this.#slots.release(slot)
      this.#pods.delete(name)
      this.links.drop(name)
    }
    // Before anyone hears of it, so that who reacts to the event finds DNS and Services as it says.
    this.#services.get(role)?.update(this.#ready(role))
    this.#report(pod, pod.isGone ? 'gone' : 'changed', now())
    this.#queueReconcile()
  }

  #report(pod: PodProcess, kind: PodEvent['kind'], at: number): void {
    const text = JSON.stringify(pod.pod)
    const known = this.#reported.get(pod.spec.name) === text
    if (kind === 'gone') this.#reported.delete(pod.spec.name)
    else this.#reported.set(pod.spec.name, text)
    if (known && kind === 'changed') this.#options.onStatus(pod.spec.name, pod.status)
    else this.#options.onPod({ at, kind, pod: pod.pod }, pod.status)
  }

  /** After the current step is complete: a change may be reported from its middle. */
  #queueReconcile(): void {
    if (this.#reconcileQueued) return
    this.#reconcileQueued = true
    queueMicrotask(() => {
      this.#reconcileQueued = false
      this.#reconcile()
    })
  }
}

function assertFits(counts: readonly number[], block: Block): void {
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (total <= block.capacity) return
  throw new Refused({
    code: 'ERR_CLUSTER',
    problem: `${total} pods do not fit (${block.text})`,
    field: 'replicas',
    fix: `use ${block.capacity} or fewer in all`,
  })
}

function runtimeConfigFile(directory: string): string {
  return join(directory, 'config', 'stepflow-config.yml')
}
