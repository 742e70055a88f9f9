// A scenario on one time axis: loads, windows, faults and pods in seconds since its start. No browser needed.

import type { ChaosEvent } from '../../../contracts/history.ts'
import type { LoadSecond, Profile } from '../../../contracts/load.ts'
import type { NamedLoad, PodActivity, ScenarioResult } from '../../../contracts/results.ts'

/** One second of a load; `x` is its middle. */
export interface LoadPoint extends LoadSecond {
  readonly x: number
  /** Seconds that it counts: less than 1 where the load ended within it. */
  readonly width: number
}

/** The loads of one name: rounds of a scenario that takes turns count as one line. */
export interface LoadLine {
  readonly name: string
  readonly points: readonly LoadPoint[]
}

/** A named stretch of the scenario. */
export interface TimelineWindow {
  readonly name: string
  readonly from: number
  readonly to: number
}

/** A fault or an operation on the cluster, as a bar: `number` from 1 in the order of time. */
export interface TimelineFault {
  readonly number: number
  readonly name: string
  readonly pod: string | null
  readonly detail: string | null
  readonly requested: number
  /** Null: it was never seen to be in effect. */
  readonly observed: number | null
  /** Null: it was never seen to be gone. */
  readonly cleared: number | null
}

export interface PodLine {
  readonly pod: string
  readonly short: string
  readonly role: PodActivity['role']
  readonly calls: number
  /** Calls of its busiest second. */
  readonly highest: number
  readonly points: readonly { readonly x: number; readonly calls: number }[]
  /** Null: never ready. */
  readonly readyFrom: number | null
  /** Null: ready at the end. */
  readonly readyUntil: number | null
}

export interface SeriesLine {
  readonly name: string
  readonly unit: string
  readonly target: number | null
  readonly points: readonly { readonly x: number; readonly value: number | null }[]
}

export interface Timeline {
  /** Length of the axis, seconds. */
  readonly seconds: number
  /** Seconds that one point stands for. */
  readonly grain: number
  readonly loads: readonly LoadLine[]
  readonly series: readonly SeriesLine[]
  readonly windows: readonly TimelineWindow[]
  readonly faults: readonly TimelineFault[]
  readonly pods: readonly PodLine[]
}

/** Puts everything of a scenario on its time axis. */
export function timelineOf(scenario: ScenarioResult): Timeline {
  const since = (at: number): number => Math.max(0, (at - scenario.startedAt) / 1e6)
  const loads = loadLines(scenario.loads, since)
  const series = (scenario.series ?? []).map((one) => ({
    name: one.name,
    unit: one.unit,
    target: one.target ?? null,
    points: one.values.map((value, second) => ({ x: since(one.startedAt) + second + 0.5, value })),
  }))
  const lived = since(scenario.endedAt)
  const ends = [...loads, ...series].flatMap(({ points }) => (points.at(-1)?.x ?? 0) + 0.5)
  const seconds = Math.max(0.1, lived, ...ends, ...scenario.events.map((event) => since(event.at)))
  return {
    seconds,
    grain: 1,
    loads,
    series,
    windows: windowsOf(scenario, since, seconds),
    faults: faultsOf(scenario, since),
    pods: podLines(scenario.pods, since, lived),
  }
}

function loadLines(loads: readonly NamedLoad[], since: (at: number) => number): readonly LoadLine[] {
  const names = [...new Set(loads.map(({ name }) => name))]
  return names.map((name) => ({
    name,
    points: loads
      .filter((one) => one.name === name)
      .flatMap(({ load }) => {
        const lasted = Math.min(plannedSeconds(load.profile), (load.endedAt - load.startedAt) / 1e6)
        return load.seconds.map((second) => ({
          ...second,
          x: since(load.startedAt) + second.second + 0.5,
          width: Math.min(1, Math.max(0.1, lasted - second.second)),
        }))
      })
      .sort((a, b) => a.x - b.x),
  }))
}

/** How long a profile offers load; a burst until it is done. */
function plannedSeconds(profile: Profile): number {
  if (profile.kind === 'burst') return Number.POSITIVE_INFINITY
  if (profile.kind !== 'steps') return profile.durationMs / 1_000
  return profile.steps.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1_000
}

function windowsOf(
  scenario: ScenarioResult,
  since: (at: number) => number,
  seconds: number,
): readonly TimelineWindow[] {
  const starts = scenario.events
    .filter((event) => event.kind === 'window')
    .map((event) => ({ name: event.window, from: since(event.at) }))
    .sort((a, b) => a.from - b.from)
  return starts.map(({ name, from }, index) => ({ name, from, to: starts[index + 1]?.from ?? seconds }))
}

type OpenFault = { -readonly [Key in keyof TimelineFault]: TimelineFault[Key] } & {
  readonly event: ChaosEvent
}

/** Phases of one fault put together: those of the same name and pod, else of the same name. */
function faultsOf(scenario: ScenarioResult, since: (at: number) => number): readonly TimelineFault[] {
  const faults: OpenFault[] = []
  const events = scenario.events.filter((event) => event.kind === 'chaos').sort((a, b) => a.at - b.at)
  for (const event of events) {
    const x = since(event.at)
    const open = faults.filter(
      (fault) =>
        fault.name === event.name && (event.phase === 'observed' ? fault.observed : fault.cleared) === null,
    )
    const known =
      event.phase === 'requested'
        ? undefined
        : (open.findLast((fault) => fault.pod === (event.pod ?? null)) ??
          open.findLast(() => event.pod === undefined))
    const fault = known ?? {
      number: faults.length + 1,
      name: event.name,
      pod: event.pod ?? null,
      detail: null,
      requested: x,
      observed: null,
      cleared: null,
      event,
    }
    if (known === undefined) faults.push(fault)
    if (event.phase === 'observed') fault.observed = x
    if (event.phase === 'cleared') fault.cleared = x
    if (fault.detail === null) fault.detail = event.detail ?? null
  }
  return faults.map(({ event: _, ...fault }) => fault)
}

/** The order of roles: those that do the work first. */
const roles = ['component-server', 'balancer', 'runtime'] as const

function podLines(
  pods: readonly PodActivity[],
  since: (at: number) => number,
  lived: number,
): readonly PodLine[] {
  const shortened = (role: PodActivity['role']): readonly (readonly [string, string])[] => {
    const names = pods.flatMap((pod) => (pod.role === role ? pod.pod : []))
    return shortNames(names).map((short, index) => [names[index] ?? short, short])
  }
  const shorts = new Map(roles.flatMap(shortened))
  // A pod that was gone before the scenario began has nothing to show.
  const there = pods.filter((pod) => pod.calls > 0 || pod.readyUntil === null || since(pod.readyUntil) > 0)
  return roles
    .flatMap((role) => there.filter((pod) => pod.role === role))
    .map((pod) => ({
      pod: pod.pod,
      short: shorts.get(pod.pod) ?? pod.pod,
      role: pod.role,
      calls: pod.calls,
      highest: pod.callsPerSecond.reduce((best, calls) => Math.max(best, calls), 0),
      // A second that the end of the scenario cut would look like a loss.
      points: pod.callsPerSecond
        .map((calls, second) => ({ x: second + 0.5, calls }))
        .filter(({ x }) => x + 0.5 <= lived + 0.01),
      readyFrom: pod.readyFrom === null ? null : since(pod.readyFrom),
      readyUntil: pod.readyUntil === null ? null : since(pod.readyUntil),
    }))
}

/** Grains, seconds: what people count in. */
const grains = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600] as const
/** More points than this on a chart are a block, not a line. */
const maxPoints = 400

/** The finest grain with which `span` seconds make a line that can be read. */
export function grainFor(span: number): number {
  return grains.find((grain) => span / grain <= maxPoints) ?? 3_600
}

/**
 * The same timeline with one point for each `grain` seconds: the highest of latency, failures, open runs and
 * lag, so that no second that stands out is lost; the mean of everything else.
 */
export function grained(timeline: Timeline, grain: number): Timeline {
  if (grain === 1) return timeline
  const together = <Point extends { readonly x: number }>(
    points: readonly Point[],
    merge: (some: readonly Point[]) => Omit<Point, 'x'>,
  ): readonly (Omit<Point, 'x'> & { readonly x: number })[] => {
    const groups = new Map<number, Point[]>()
    for (const point of points) {
      const group = groups.get(Math.floor(point.x / grain))
      if (group === undefined) groups.set(Math.floor(point.x / grain), [point])
      else group.push(point)
    }
    return [...groups].map(([key, some]) => ({ ...merge(some), x: (key + 0.5) * grain }))
  }
  return {
    ...timeline,
    grain,
    loads: timeline.loads.map(({ name, points }) => ({ name, points: together(points, mergedSecond) })),
    series: timeline.series.map((series) => ({
      ...series,
      points: together(series.points, (some) => ({ value: mean(some.map(({ value }) => value)) })),
    })),
    pods: timeline.pods.map((pod) => ({
      ...pod,
      points: together(pod.points, (some) => ({ calls: mean(some.map(({ calls }) => calls)) ?? 0 })),
    })),
  }
}

function mergedSecond(points: readonly LoadPoint[]): Omit<LoadPoint, 'x'> {
  const meanOf = (value: (point: LoadPoint) => number): number => mean(points.map(value)) ?? 0
  const highest = (value: (point: LoadPoint) => number | null): number | null =>
    points.reduce<number | null>((best, point) => {
      const one = value(point)
      return one === null ? best : Math.max(best ?? one, one)
    }, null)
  return {
    second: points[0]?.second ?? 0,
    width: meanOf(({ width }) => width),
    planned: meanOf(({ planned }) => planned),
    offered: meanOf(({ offered }) => offered),
    completed: meanOf(({ completed }) => completed),
    failed: highest(({ failed }) => failed) ?? 0,
    open: highest(({ open }) => open) ?? 0,
    p50Ms: highest(({ p50Ms }) => p50Ms),
    p99Ms: highest(({ p99Ms }) => p99Ms),
    lagMs: highest(({ lagMs }) => lagMs) ?? 0,
  }
}

function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

/** What one point of the charts stands for, in words; nothing where it is a single second. */
export function grainWords(grain: number): string {
  if (grain === 1) return ''
  const span = grain < 60 ? `${grain} s` : `${grain / 60} min`
  return `One point stands for ${span}: the highest second of latency, failures and open runs, the mean of the others. Zoom in to see single seconds.`
}

/** The last part of each name (`x2x8q`), or the whole names where those are not all different. */
export function shortNames(names: readonly string[]): readonly string[] {
  const shorts = names.map((name) => name.slice(name.lastIndexOf('-') + 1))
  const clear = new Set(shorts).size === new Set(names).size && shorts.every((short) => short !== '')
  return clear ? shorts : names
}

/** Seconds since the start as the axis and the tables write them: `4.2 s`, `12:05`, `1:02:05`. */
export function formatSecond(second: number, axisSeconds: number): string {
  if (axisSeconds <= 180) return `${Math.round(second * 100) / 100} s`
  const whole = Math.round(second)
  const [hours, minutes, seconds] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}
