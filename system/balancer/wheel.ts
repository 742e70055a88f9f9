// One coarse timer for thousands of connections: arming a deadline is storing a number.

/** Granularity of every connection deadline, ms. */
export const tickMs = 50

const slots = 2048

/** Milliseconds of CLOCK_MONOTONIC, which threads share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}

/** Something with one deadline at a time. */
export abstract class Timed {
  /** Tick of the deadline; 0: none, -1: it is being called. */
  due = 0
  /** Tick in whose slot this stands; 0: in none. */
  armedFor = 0
  before: Timed | null = null
  after: Timed | null = null
  abstract onDeadline(): void
}

/**
 * A timer wheel. Pushing a deadline back costs nothing: it stays in its slot and moves on when that comes up.
 */
export class Wheel {
  /** The machine's monotonic clock, to the tick; the same in every thread. */
  nowMs = monotonicMs()
  #tick = 1
  readonly #heads: (Timed | null)[] = new Array<Timed | null>(slots).fill(null)
  #interval: NodeJS.Timeout | null = null

  /** Lets the wheel turn by itself; it does not keep the process alive. */
  start(): void {
    let last = monotonicMs()
    this.#interval ??= setInterval(() => {
      const now = monotonicMs()
      const ticks = Math.floor((now - last) / tickMs)
      last += ticks * tickMs
      this.nowMs = now
      // After a long stall (a stopped process) each slot needs one visit only.
      this.advance(Math.min(ticks, slots), ticks)
    }, tickMs).unref()
  }

  stop(): void {
    if (this.#interval !== null) clearInterval(this.#interval)
    this.#interval = null
  }

  /** Calls `onDeadline` of `timed` in `delayMs`, unless armed anew or disarmed before. */
  arm(timed: Timed, delayMs: number): void {
    const due = this.#tick + Math.max(1, Math.ceil(delayMs / tickMs))
    timed.due = due
    if (timed.armedFor !== 0) {
      if (due >= timed.armedFor) return
      this.#unlink(timed)
    }
    this.#link(timed, Math.min(due, this.#tick + slots - 1))
  }

  disarm(timed: Timed): void {
    timed.due = 0
    if (timed.armedFor !== 0) this.#unlink(timed)
  }

  /** As `disarm`, but leaves it in its slot: right where it will be armed again soon. */
  hold(timed: Timed): void {
    timed.due = 0
  }

  /** Turns the wheel by `visits` slots, the clock by `ticks`. Tests call it; `start` calls it by the clock. */
  advance(visits: number, ticks: number = visits): void {
    const skipped = ticks - visits
    for (let turn = 0; turn < visits; turn++) {
      this.#tick += turn === 0 ? 1 + skipped : 1
      this.#visit(this.#tick % slots)
    }
  }

  #visit(slot: number): void {
    let timed = this.#heads[slot] ?? null
    this.#heads[slot] = null
    let due: Timed[] | null = null
    while (timed !== null) {
      const after: Timed | null = timed.after
      timed.before = timed.after = null
      timed.armedFor = 0
      if (timed.due !== 0) {
        if (timed.due <= this.#tick) {
          timed.due = -1
          due ??= []
          due.push(timed)
        } else this.#link(timed, Math.min(timed.due, this.#tick + slots - 1))
      }
      timed = after
    }
    if (due === null) return
    for (const one of due) {
      // One that was called before may have disarmed or armed this one.
      if (one.due !== -1) continue
      one.due = 0
      one.onDeadline()
    }
  }

  #link(timed: Timed, tick: number): void {
    const slot = tick % slots
    const head = this.#heads[slot] ?? null
    timed.armedFor = tick
    timed.before = null
    timed.after = head
    if (head !== null) head.before = timed
    this.#heads[slot] = timed
  }

  #unlink(timed: Timed): void {
    if (timed.before === null) this.#heads[timed.armedFor % slots] = timed.after
    else timed.before.after = timed.after
    if (timed.after !== null) timed.after.before = timed.before
    timed.before = timed.after = null
    timed.armedFor = 0
  }
}
