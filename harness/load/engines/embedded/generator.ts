// Offers a load: sends each arrival at its planned time or when a user is free, and takes down what comes back.
//
// Latency counts from the planned start, so a stall of the system or of the generator itself is in it.
// Its cost for each request is measured by bench/harness/load/embedded.ts.

import { performance } from 'node:perf_hooks'
import { noAnswer } from '../../../../contracts/history.ts'
import type { LoadProgress, LoadResult } from '../../../../contracts/load.ts'
import { monotonicUs as nowUs } from '../../../clock.ts'
import type { LoadPlan } from '../../options.ts'
import { paceOf } from '../../profiles/index.ts'
import type { ClosedPace, OpenPace } from '../../profiles/pace.ts'
import { type Answer, expectationOf, readAnswer } from './answers.ts'
import { openClientHistory } from './client-history.ts'
import { type Connections, openConnections, type Reply } from './connections.ts'
import { makeRequests } from './requests.ts'
import { Tally } from './tally.ts'

/** Housekeeping: time-outs, seconds, history, progress. */
const tickMs = 50
const progressMs = 250
const trimMs = 1_000
/** A timer's resolution is 1 ms; within this rest of the way the loop spins, at about 3 % of a core at 300/s. */
const spinUs = 300
/** A user whose run was refused waits so long: a dead target must not make a closed load spin. */
const refusedPauseMs = 10

/** An arrival that was sent and has not ended. */
interface OpenArrival {
  readonly request: string
  readonly inputIndex: number
  readonly plannedUs: number
  cancel: () => boolean
}

/**
 * Offers the load until the profile is done and every arrival has ended. `flowId` is the flow's of a `runs`
 * target. When `stop` aborts, sends no more; when `interrupt` does, it also ends what is open as unknown.
 */
export async function generate(
  plan: LoadPlan,
  flowId: string,
  signals: Signals,
  onProgress: (progress: LoadProgress) => void,
): Promise<LoadResult> {
  const connections = openConnections(new URL(plan.target.url).origin)
  try {
    return await new Promise((resolve, reject) => {
      new Generator(plan, flowId, connections, onProgress, resolve, reject).start(signals)
    })
  } finally {
    await connections.close()
  }
}

export interface Signals {
  readonly interrupt: AbortSignal
  readonly stop: AbortSignal
}

class Generator {
  readonly #plan: LoadPlan
  readonly #connections: Connections
  readonly #requests: ReturnType<typeof makeRequests>
  readonly #expectation: ReturnType<typeof expectationOf>
  readonly #pace: OpenPace | ClosedPace
  readonly #startUs: number
  readonly #tally: Tally
  readonly #history: ReturnType<typeof openClientHistory>
  readonly #onProgress: (progress: LoadProgress) => void
  readonly #resolve: (result: LoadResult) => void
  readonly #reject: (error: unknown) => void
  readonly #utilization = performance.eventLoopUtilization()
  /** In the order they were sent, so the first one's deadline is the next. */
  readonly #open = new Set<OpenArrival>()
  #sequence = 0
  #nextUs: number | null = null
  #exhausted = false
  #ended = false
  #interrupted = false
  /** Since the start, where the load was ended before its profile was. */
  #stoppedUs: number | null = null
  #pump: NodeJS.Timeout | undefined
  #ticker: NodeJS.Timeout | undefined
  #nextTickUs = 0
  #nextProgressUs = 0
  #nextTrimUs = 0

  constructor(
    plan: LoadPlan,
    flowId: string,
    connections: Connections,
    onProgress: (progress: LoadProgress) => void,
    resolve: (result: LoadResult) => void,
    reject: (error: unknown) => void,
  ) {
    this.#plan = plan
    this.#connections = connections
    this.#requests = makeRequests(plan.target, plan.workload, flowId)
    this.#expectation = expectationOf(plan.workload.expected)
    this.#pace = paceOf(plan.profile)
    this.#onProgress = onProgress
    this.#resolve = resolve
    this.#reject = reject
    this.#startUs = nowUs()
    this.#history = openClientHistory(plan.historyFile, this.#startUs)
    this.#tally = new Tally(this.#startUs)
  }

  start({ interrupt, stop }: Signals): void {
    this.#nextTickUs = this.#startUs + tickMs * 1000
    this.#ticker = setInterval(() => this.#guard(() => this.#tick()), tickMs)
    if (interrupt.aborted) this.#interrupt()
    else interrupt.addEventListener('abort', () => this.#guard(() => this.#interrupt()), { once: true })
    if (stop.aborted) this.#endEarly()
    else stop.addEventListener('abort', () => this.#guard(() => this.#endEarly()), { once: true })
    if (this.#pace.model === 'open') this.#nextUs = this.#pace.next()
    this.#guard(() => this.#advance())
  }

  /** Sends what is due and arranges to be called again. */
  #advance(): void {
    if (this.#ended) return
    if (!this.#exhausted) {
      if (this.#pace.model === 'open') this.#sendDue(this.#pace)
      else this.#fill(this.#pace)
    }
    this.#endIfDone()
  }

  #sendDue(pace: OpenPace): void {
    let now = nowUs()
    while (this.#nextUs !== null && this.#startUs + this.#nextUs <= now) {
      const plannedUs = this.#startUs + Math.floor(this.#nextUs)
      if (this.#open.size < this.#plan.maxOpen) this.#send(plannedUs, now)
      else {
        this.#tally.drop(plannedUs)
        this.#sequence++
      }
      this.#nextUs = pace.next()
      now = nowUs()
    }
    if (this.#nextUs === null) {
      // The last step may be a pause: the load lasts as long as its profile says.
      const restUs = this.#startUs + pace.durationUs - now
      if (restUs <= 0) this.#exhausted = true
      else this.#later(restUs)
    } else this.#later(this.#startUs + this.#nextUs - now)
  }

  #later(restUs: number): void {
    if (restUs < spinUs) setImmediate(() => this.#guard(() => this.#advance()))
    else {
      const ms = Math.min(2 ** 31 - 1, Math.max(1, Math.floor(restUs / 1000)))
      this.#pump = setTimeout(() => this.#guard(() => this.#advance()), ms)
    }
  }

  #fill(pace: ClosedPace): void {
    for (let now = nowUs(); ; now = nowUs()) {
      const elapsedUs = now - this.#startUs
      if (this.#sequence >= pace.count || elapsedUs >= pace.durationUs) {
        this.#exhausted = true
        return
      }
      const started =
        elapsedUs >= pace.rampUs ? pace.limit : 1 + Math.floor((pace.limit * elapsedUs) / pace.rampUs)
      if (this.#open.size >= Math.min(started, this.#plan.maxOpen)) {
        if (started < pace.limit) this.#wakeForUser((started * pace.rampUs) / pace.limit - elapsedUs)
        return
      }
      this.#send(now, now)
    }
  }

  /** One timer at a time: answers call #fill much more often than users start. */
  #wakeForUser(restUs: number): void {
    if (this.#pump !== undefined) return
    this.#pump = setTimeout(
      () => {
        this.#pump = undefined
        this.#guard(() => this.#advance())
      },
      Math.max(1, Math.ceil(restUs / 1000)),
    )
  }

  #send(plannedUs: number, now: number): void {
    const sequence = this.#sequence++
    const inputIndex = sequence % this.#plan.workload.inputs.length
    const request = `${this.#plan.requestPrefix}${sequence}`
    const arrival: OpenArrival = { request, inputIndex, plannedUs, cancel: () => false }
    this.#open.add(arrival)
    this.#tally.sent(plannedUs, now)
    this.#history.offered({ at: now, request, workload: this.#plan.workload.name, planned: plannedUs })
    const body = this.#requests.body(inputIndex, request)
    arrival.cancel = this.#connections.post(this.#requests.path, this.#requests.headers, body, (reply) =>
      this.#guard(() => this.#replied(arrival, reply)),
    )
  }

  #replied(arrival: OpenArrival, reply: Reply): void {
    const answer =
      reply.kind === 'answer'
        ? readAnswer(
            this.#plan.target.kind,
            arrival.inputIndex,
            this.#expectation,
            reply.status,
            reply.contentType,
            reply.body,
          )
        : ({ outcome: reply.kind === 'refused' ? 'refused' : 'unknown', error: reply.error } as const)
    this.#end(arrival, answer, false)
    if (this.#pace.model === 'open') this.#endIfDone()
    else if (answer.outcome !== 'refused') this.#advance()
    else setTimeout(() => this.#guard(() => this.#advance()), refusedPauseMs)
  }

  #end(arrival: OpenArrival, answer: Answer, timedOut: boolean): void {
    const at = nowUs()
    this.#open.delete(arrival)
    this.#tally.end(arrival.plannedUs, at, {
      outcome: answer.outcome,
      timedOut,
      correct: answer.correct,
      error: answer.error,
    })
    this.#history.answered({ at, request: arrival.request, ...answer })
  }

  #tick(): void {
    if (this.#ended) return
    const now = nowUs()
    // In the closed model nothing is planned, so the housekeeping's own lateness is the generator's lag.
    if (this.#pace.model === 'closed') this.#tally.lagged(now, now - this.#nextTickUs)
    this.#nextTickUs = now + tickMs * 1000
    this.#tally.tick(now)
    const deadlineUs = now - this.#plan.timeoutMs * 1000
    for (const arrival of this.#open) {
      if (arrival.plannedUs > deadlineUs) break
      const sent = arrival.cancel()
      const error = `${sent ? noAnswer : 'no connection within'} ${this.#plan.timeoutMs} ms`
      this.#end(arrival, { outcome: sent ? 'unknown' : 'refused', error }, sent)
    }
    this.#history.flush()
    if (now >= this.#nextProgressUs) {
      this.#nextProgressUs = now + progressMs * 1000
      this.#onProgress(this.#progress())
    }
    if (now >= this.#nextTrimUs) {
      this.#nextTrimUs = now + trimMs * 1000
      this.#connections.trim()
    }
    if (this.#pace.model === 'closed') this.#advance()
    else this.#endIfDone()
  }

  #interrupt(): void {
    this.#interrupted = true
    this.#exhausted = true
    for (const arrival of this.#open) {
      const sent = arrival.cancel()
      this.#end(arrival, { outcome: sent ? 'unknown' : 'refused', error: 'interrupted' }, false)
    }
    this.#endIfDone()
  }

  #endEarly(): void {
    if (this.#exhausted) return
    this.#stoppedUs = nowUs() - this.#startUs
    this.#exhausted = true
    this.#endIfDone()
  }

  #progress(): LoadProgress {
    const { offered, answered, open, ended } = this.#tally
    return { offered, answered, open, failed: answered - ended.completed }
  }

  #endIfDone(): void {
    if (this.#ended || !this.#exhausted || this.#open.size > 0) return
    this.#stop()
    const endedAt = nowUs()
    this.#onProgress(this.#progress())
    this.#resolve(this.#result(endedAt))
  }

  #result(endedAt: number): LoadResult {
    const { durationUs } = this.#pace
    const tookUs = endedAt - this.#startUs
    const wholeUs = this.#interrupted || !Number.isFinite(durationUs) ? tookUs : durationUs
    const offeredUs = this.#stoppedUs ?? wholeUs
    // Ended at once it still took a moment, so that rates are numbers.
    const seconds = Math.max(offeredUs, 1) / 1e6
    const counted = this.#tally.result(this.#startUs + offeredUs)
    const planned =
      this.#pace.model === 'closed'
        ? null
        : this.#interrupted || this.#stoppedUs !== null
          ? counted.offered + counted.dropped
          : this.#pace.planned
    return {
      engine: 'embedded',
      workload: this.#plan.workload.name,
      profile: this.#plan.profile,
      startedAt: this.#startUs,
      endedAt,
      planned,
      offeredRps: planned === null ? null : planned / seconds,
      achievedRps: counted.completed / seconds,
      generatorUtilization: performance.eventLoopUtilization(this.#utilization).utilization,
      ...counted,
    }
  }

  #stop(): void {
    this.#ended = true
    clearTimeout(this.#pump)
    clearInterval(this.#ticker)
    this.#history.close()
  }

  /** A bug in here must end the load with its error, not be swallowed by a socket's callback. */
  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (!this.#ended) this.#stop()
      this.#reject(error)
    }
  }
}
