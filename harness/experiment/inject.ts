// Injects a fault into a trial: chooses its victims, records what was seen of it, and judges it where it did not land.

import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Fault, faults } from '../../chaos/faults/index.ts'
import { healLeftovers, type Journal, openJournal } from '../../chaos/faults/journal.ts'
import { type RunningFault, runFault } from '../../chaos/faults/run.ts'
import { settingsOf } from '../../chaos/faults/settings.ts'
import type { Pod, Role } from '../../contracts/cluster.ts'
import { GauntletError, GauntletErrors } from '../../contracts/errors.ts'
import type { CheckerResult } from '../../contracts/results.ts'
import type { JudgedTrial } from '../scenario/judged-trial.ts'

export interface FaultAim {
  /** Default component-server. */
  readonly role?: Role
  /** How many of the role's ready pods, chosen by the trial's seed; default 1 for faults on pods, else all. */
  readonly pods?: number | 'all'
  /** This very pod. */
  readonly pod?: string
  readonly settings?: Readonly<Record<string, unknown>>
  /** In reports; default the fault's name. */
  readonly name?: string
  /** Faults of the user's own, by name. */
  readonly faults?: Readonly<Record<string, Fault>>
  /** More victims than this are refused. */
  readonly mostPods?: number
  /** Numbers in [0, 1); default the trial's. */
  readonly random?: () => number
  /** Ends the wait for its effect; default the trial's signal. */
  readonly signal?: AbortSignal
}

export interface InjectedFault {
  /** Whether it was seen to take effect. If not, the trial is INVALID already. */
  readonly landed: boolean
  readonly victims: readonly Pod[]
  /** Names of the pods that count for the blast radius: those that it was done to themselves. */
  readonly pods: readonly string[]
  /** Undoes it and waits until that was seen; idempotent. */
  undo(): Promise<void>
}

/** What outlives this process is noted here: the same place for every harness of this user. */
const journalFolder = join(tmpdir(), `stepflow-gauntlet-faults-${userInfo().uid}`)
let journal: Journal | null = null
let open = 0

/** Undoes what earlier processes left; one line for each. */
export function healEarlier(): Promise<readonly string[]> {
  return healLeftovers(journalFolder)
}

/** @throws GauntletError ERR_CONFIG_FIELD, ERR_CONFIG_RANGE for a fault or a setting that there is not */
export async function injectFault(trial: JudgedTrial, name: string, aim: FaultAim): Promise<InjectedFault> {
  const fault = (aim.faults ?? faults)[name]
  if (fault === undefined) {
    const fix = `use ${Object.keys(aim.faults ?? faults).join(', ')}`
    throw new GauntletError('ERR_CONFIG_FIELD', `there is no fault ${name}`, {
      field: 'fault',
      value: name,
      fix,
    })
  }
  const { settings, problems } = settingsOf(fault.settings, aim.settings ?? {}, name)
  const [first, ...rest] = problems
  if (first !== undefined) throw new GauntletErrors([first, ...rest])
  const role = aim.role ?? 'component-server'
  const label = aim.name ?? name
  const victims = await choose(trial, fault, role, aim)
  if (aim.mostPods !== undefined && victims.length > aim.mostPods && fault.victim === 'pod') {
    trial.judge(didNotLand(label, `${victims.length} pods are more than the blast radius of ${aim.mostPods}`))
    return { landed: false, victims, pods: [], undo: async () => {} }
  }
  const target = {
    cluster: trial.cluster,
    role,
    pods: victims,
    random: aim.random ?? trial.random,
    signal: aim.signal ?? trial.signal,
    leaves: async (leftover: Parameters<Journal['note']>[0]) => {
      journal ??= openJournal(journalFolder)
      journal.note(leftover)
    },
  }
  open++
  const detail = [
    ...victims.slice(0, fault.victim === 'pod' ? 5 : 0).map((pod) => pod.name),
    ...Object.entries(settings).map(([key, value]) => `${key} ${String(value)}`),
  ].join(', ')
  const [victim] = victims
  let running: RunningFault | null = null
  const clear = await trial
    .chaos(
      label,
      {
        role,
        ...(victims.length === 1 && victim !== undefined && fault.victim === 'pod'
          ? { pod: victim.name }
          : {}),
        ...(detail === '' ? {} : { detail }),
      },
      async () => {
        running = await runFault(fault, target, settings)
        if (running.seen === null) throw new Unseen()
      },
    )
    .catch((error: unknown) => {
      if (error instanceof Unseen) return null
      throw error
    })
  const done = running as RunningFault | null
  trial.noteHealed(done?.kills() ?? [])
  if (clear === null) trial.judge(didNotLand(label, done?.problem ?? 'no evidence'))
  else trial.say(`${label}: ${done?.seen}`)
  let undone: Promise<void> | null = null
  const undo = async (): Promise<void> => {
    const gone = await done?.undo()
    trial.noteHealed(done?.kills() ?? [])
    if (gone?.seen !== null) clear?.()
    else if (!trial.signal.aborted) trial.judge(didNotLand(label, gone.problem ?? 'it is not gone'))
    open--
    if (open > 0) return
    journal?.close()
    journal = null
  }
  const pods = fault.victim === 'pod' ? victims.map((pod) => pod.name) : []
  return { landed: clear !== null, victims, pods, undo: () => (undone ??= undo()) }
}

class Unseen extends Error {}

async function choose(trial: JudgedTrial, fault: Fault, role: Role, aim: FaultAim): Promise<readonly Pod[]> {
  const ready = await trial.readyPods(role)
  if (aim.pod !== undefined) return ready.filter(({ name }) => name === aim.pod)
  const count = aim.pods ?? (fault.victim === 'pod' ? 1 : 'all')
  if (count === 'all' || fault.victim === 'role') return trial.cluster.pods(role)
  const random = aim.random ?? trial.random
  // By name: which pod was ready first is not the same in each trial, and its number is.
  const left = [...ready]
  return Array.from({ length: Math.min(count, ready.length) }, () => {
    const [one] = left.splice(Math.floor(random() * left.length), 1)
    return one!
  })
}

/** A fault that nobody saw proves nothing about the system. */
function didNotLand(name: string, reason: string): CheckerResult {
  return {
    kind: 'checker',
    name: `fault ${name}`,
    claim: 'Each fault takes effect and is gone after it was undone',
    outcome: 'unknown',
    reason,
    examined: 1,
  }
}
