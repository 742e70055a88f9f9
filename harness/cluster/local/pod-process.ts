// One pod: runs its program, probes it, starts it again when it ends, and ends it the way Kubernetes does.

import type { ChildProcess } from 'node:child_process'
import type { Pod, PodPhase, Role } from '../../../contracts/cluster.ts'
import type { Ports } from './addresses.ts'
import { restartAfter } from './back-off.ts'
import { flushCoverage } from './coverage.ts'
import { launch, signalGroup } from './launch.ts'
import type { PodFiles } from './pod-files.ts'
import { afterProbe, notStarted, probe, type Readiness } from './probe.ts'
import { type PodStatus, Refused } from './protocol.ts'
import type { LocalSettings } from './settings.ts'

export interface PodSpec {
  readonly name: string
  readonly role: Role
  readonly revision: string
  readonly at: { readonly address: string } & Ports
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly files: PodFiles
}

export interface PodProcessOptions {
  readonly spec: PodSpec
  readonly settings: LocalSettings
  readonly parentDeathSignal: boolean
  /** µs of CLOCK_MONOTONIC. */
  readonly now: () => number
  /** Called after each change of `pod` or `status`. */
  readonly changed: (pod: PodProcess) => void
}

export class PodProcess {
  readonly spec: PodSpec
  readonly createdAt: number
  /** Resolves when the pod is deleted and its process gone. */
  readonly gone: Promise<void>

  readonly #options: PodProcessOptions
  #phase: PodPhase = 'Pending'
  #child: ChildProcess | null = null
  #startedAt = 0
  #readiness: Readiness = notStarted
  #readyAt: number | undefined
  #restarts = 0
  #nextBackOffMs = 0
  #lastExit: string | null = null
  #livenessFailures = 0
  #isHeldUnready = false
  #nodeArgs: readonly string[] = []
  /** Timers of probes, restart and termination, by what they wait for. */
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #isGone = false
  #resolveGone: () => void = () => {}

  constructor(options: PodProcessOptions) {
    this.#options = options
    this.spec = options.spec
    this.createdAt = options.now()
    this.gone = new Promise((resolve) => {
      this.#resolveGone = resolve
    })
  }

  get pod(): Pod {
    const { name, role, at } = this.spec
    return {
      name,
      role,
      address: at.address,
      port: at.port,
      adminPort: at.adminPort,
      phase: this.#phase,
      ready: this.ready,
      restarts: this.#restarts,
      createdAt: this.createdAt,
      ...(this.#readyAt === undefined ? {} : { readyAt: this.#readyAt }),
    }
  }

  get status(): PodStatus {
    return {
      revision: this.spec.revision,
      pid: this.#child?.pid ?? null,
      lastExit: this.#lastExit,
      notReady: this.ready ? null : this.#whyNotReady(),
    }
  }

  /** False from the moment it terminates, as an EndpointSlice has it. */
  get ready(): boolean {
    return this.#readiness.ready && !this.#isHeldUnready && !this.terminating
  }

  get terminating(): boolean {
    return this.#phase === 'Terminating' || this.#isGone
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Starts the program for the first time. */
  start(): void {
    this.#phase = 'Running'
    this.#launch()
    this.#changed()
  }

  /**
   * Begins the deletion: out of DNS and Services at once, then preStop, SIGTERM, grace period, SIGKILL.
   * Called again with a shorter grace period it hurries up. A grace period of 0 is SIGKILL now.
   */
  terminate(gracePeriodMs: number): void {
    if (this.#isGone) return
    const first = this.#phase !== 'Terminating'
    this.#phase = 'Terminating'
    this.#clear('readiness', 'liveness', 'startup', 'restart')
    if (this.#child === null) return void this.#end()
    if (gracePeriodMs === 0) {
      this.#clear('preStop', 'grace')
      this.#killPlanned()
    } else if (first) {
      this.#after('preStop', this.#options.settings.preStopMs, () => {
        // The program alone, as the container's first process; what it started is its own business.
        this.#child?.kill('SIGTERM')
        this.#after('grace', gracePeriodMs, () => this.#killPlanned())
      })
    } else if (this.#timers.has('grace')) {
      this.#after('grace', gracePeriodMs, () => this.#killPlanned())
    }
    if (first) this.#changed()
  }

  /** @throws Refused ERR_CLUSTER where no program runs at the moment */
  signal(signal: NodeJS.Signals): void {
    if (this.#child !== null) {
      if (signal === 'SIGKILL') return void this.#killPlanned()
      if (signal === 'SIGTERM' ? this.#child.kill(signal) : this.#signal(signal)) return
    }
    throw new Refused({
      code: 'ERR_CLUSTER',
      problem: `has no running program to send ${signal} to`,
      field: this.spec.name,
      fix: 'wait until it is ready',
    })
  }

  /** A fault: not ready, whatever the probes say. */
  holdUnready(held: boolean): void {
    this.#isHeldUnready = held
    this.#changed()
  }

  /** A fault: further arguments for Node from the next start in place on. */
  nodeArgs(args: readonly string[]): void {
    this.#nodeArgs = args
  }

  #whyNotReady(): string | null {
    if (this.terminating) return 'terminating'
    return this.#isHeldUnready ? 'held by a fault' : this.#readiness.reason
  }

  /** Kills now, whatever is lost by it: for the end of the agent's process. */
  kill(): void {
    this.#signal('SIGKILL')
  }

  #killPlanned(): void {
    const child = this.#child
    if (child === null) return
    // Where no coverage is taken there is no channel, and the kill happens in this turn.
    if (!child.connected) return void this.#signal('SIGKILL')
    void flushCoverage(child).then(() => {
      if (this.#child === child) this.#signal('SIGKILL')
    })
  }

  #signal(signal: NodeJS.Signals): boolean {
    const pid = this.#child?.pid
    return pid !== undefined && signalGroup(pid, signal)
  }

  #launch(): void {
    const { spec, parentDeathSignal, now } = this.#options
    this.#startedAt = now()
    this.#readiness = notStarted
    this.#livenessFailures = 0
    const child = launch({
      args: [...this.#nodeArgs, ...spec.args],
      env: spec.env,
      logFile: spec.files.logFile,
      parentDeathSignal,
    })
    this.#child = child
    child.once('exit', (code, signal) =>
      this.#ended(child, signal === null ? `exit code ${code}` : `killed by ${signal}`),
    )
    child.once('error', (error) => this.#ended(child, error.message))
    this.#after('startup', this.#options.settings.startupTimeoutMs, () => this.#signal('SIGKILL'))
    this.#probeReadiness(child)
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return
    // Whatever the program started ends with it, as in a container.
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
    this.#child = null
    this.#lastExit = how
    this.#clear('readiness', 'liveness', 'startup', 'preStop', 'grace')
    if (this.#phase === 'Terminating') return void this.#end()
    const { settings, now } = this.#options
    const restart = restartAfter(this.#nextBackOffMs, (now() - this.#startedAt) / 1000, settings)
    this.#nextBackOffMs = restart.nextMs
    this.#readiness = { ready: false, failures: 0, reason: `ended (${how})` }
    this.#changed()
    // Also without a pause not in this turn: listeners may delete the pod because of what they just saw.
    this.#after('restart', restart.delayMs, () => {
      this.#restarts++
      this.#launch()
      this.#changed()
    })
  }

  #end(): void {
    this.#isGone = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
    this.#phase = this.#lastExit === 'exit code 0' ? 'Succeeded' : 'Failed'
    this.#changed()
    this.#resolveGone()
  }

  #probeReadiness(child: ChildProcess): void {
    const { settings, spec } = this.#options
    const url = { address: spec.at.address, port: spec.at.adminPort, path: '/readyz' }
    void probe(url, settings.readinessTimeoutMs).then((result) => {
      if (this.#child !== child || this.terminating) return
      if (result.answered && this.#timers.has('startup')) {
        this.#clear('startup')
        this.#after('liveness', settings.livenessIntervalMs, () => this.#probeLiveness(child))
      }
      const before = this.#readiness
      this.#readiness = afterProbe(before, result, settings.readinessFailures)
      if (this.#readiness.ready) this.#readyAt ??= this.#options.now()
      const interval = this.#readiness.ready || before.ready ? 'readinessIntervalMs' : 'startupIntervalMs'
      this.#after('readiness', settings[interval], () => this.#probeReadiness(child))
      if (before.ready !== this.#readiness.ready || before.reason !== this.#readiness.reason) this.#changed()
    })
  }

  #probeLiveness(child: ChildProcess): void {
    const { settings, spec } = this.#options
    const url = { address: spec.at.address, port: spec.at.adminPort, path: '/livez' }
    void probe(url, settings.livenessTimeoutMs).then((result) => {
      if (this.#child !== child || this.terminating) return
      this.#livenessFailures = result.ok ? 0 : this.#livenessFailures + 1
      if (this.#livenessFailures >= settings.livenessFailures) this.#signal('SIGKILL')
      this.#after('liveness', settings.livenessIntervalMs, () => this.#probeLiveness(child))
    })
  }

  #after(what: string, delayMs: number, act: () => void): void {
    this.#clear(what)
    this.#timers.set(
      what,
      setTimeout(() => {
        this.#timers.delete(what)
        act()
      }, delayMs),
    )
  }

  #clear(...what: readonly string[]): void {
    for (const one of what) {
      clearTimeout(this.#timers.get(one))
      this.#timers.delete(one)
    }
  }

  #changed(): void {
    this.#options.changed(this)
  }
}
