// Small JSON-RPC POSTs as fast as they go: rate and CPU time a request, interleaved with the peers.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { GauntletError } from '../../contracts/errors.ts'
import { balancerCore, loadCore, type Peer } from './peers.ts'
import { busyShare, coreTimes, cpuUs } from './proc.ts'

export interface RateRound {
  readonly rps: number
  readonly cpuUsPerRequest: number
  /** Of the balancer itself, in cores. */
  readonly balancerCores: number
  /** 0 to 1. */
  readonly balancerCoreBusy: number
  readonly loadCoreBusy: number
  /** What processes that are no part of this used meanwhile, in cores. */
  readonly foreignCores: number
}

/**
 * @param pods the pods' processes, whose CPU time is not foreign
 * @throws GauntletError ERR_ENVIRONMENT where wrk is missing or requests failed
 */
export async function measureRate(
  peer: Peer,
  seconds: number,
  clients: number,
  pods: readonly number[],
): Promise<RateRound> {
  const script = join(import.meta.dirname, 'post.lua')
  const pids = peer.pids()
  const look = () => ({
    cpu: cpuUs(pids),
    pods: cpuUs(pods),
    self: process.cpuUsage(),
    own: coreTimes(balancerCore),
    load: coreTimes(loadCore),
    at: performance.now(),
  })
  const before = look()
  const wrk = ['wrk', '-t1', `-c${clients}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${peer.port}/`]
  const child = spawn('taskset', ['-c', String(loadCore), ...wrk], { stdio: ['ignore', 'pipe', 'ignore'] })
  const closed = once(child, 'close')
  let stdout = ''
  child.stdout.on('data', (bytes) => {
    stdout += String(bytes)
  })
  // Its CPU time can be read only while it lives.
  let wrkUs = 0
  const timer = setInterval(() => {
    try {
      wrkUs = cpuUs([child.pid!])
    } catch {
      // It has just ended: the last reading stands.
    }
  }, 50)
  await closed
  clearInterval(timer)
  const after = look()
  const usedUs = after.cpu - before.cpu
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const rps = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0)) {
    throw new GauntletError('ERR_ENVIRONMENT', `${peer.name} had no answers, or failing ones:\n${stdout}`, {
      field: 'wrk',
      fix: 'install wrk, and leave the machine alone meanwhile',
    })
  }
  const cores = (us: number): number => us / 1_000 / (after.at - before.at)
  const busy = [busyShare(before.own, after.own), busyShare(before.load, after.load)] as const
  const self = process.cpuUsage(before.self)
  const known = usedUs + after.pods - before.pods + wrkUs + self.user + self.system
  return {
    rps,
    cpuUsPerRequest: usedUs / requests,
    balancerCores: cores(usedUs),
    balancerCoreBusy: busy[0],
    loadCoreBusy: busy[1],
    foreignCores: Math.max(0, busy[0] + busy[1] - cores(known)),
  }
}

/**
 * Whether a round says something of the balancer: it had its core to itself and used it up, or at least the
 * load's core was not what held it back.
 */
export function isTrusted(round: RateRound): boolean {
  if (round.balancerCores > 0.9) return true
  const disturbed = round.balancerCoreBusy - round.balancerCores > 0.1
  return !disturbed && round.loadCoreBusy <= 0.9
}

/** The rounds that say something; all of them where none does, which `untrusted` then tells. */
export function trustedOf(
  rounds: readonly RateRound[],
  isFine: (round: RateRound) => boolean,
): readonly RateRound[] {
  const fine = rounds.filter(isFine)
  return fine.length > 0 ? fine : rounds
}

/** Why figures from `rounds` cannot be trusted: most of them say nothing. Null: they can be. */
export function untrusted(
  what: string,
  rounds: readonly RateRound[],
  isFine: (round: RateRound) => boolean,
): string | null {
  if (rounds.length === 0) return `${what}: no round was measured`
  const bad = rounds.filter((round) => !isFine(round)).length
  if (bad * 2 <= rounds.length) return null
  return `${what}: the load was short of its core, or something else used the cores, in ${bad} of ${rounds.length} rounds`
}

/** Whether nothing else used the two cores to speak of. */
export function isUndisturbed(round: RateRound): boolean {
  return round.foreignCores < 0.2
}
