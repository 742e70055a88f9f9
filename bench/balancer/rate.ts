// Small JSON-RPC POSTs as fast as they go: rate and CPU time a request, interleaved with the peers.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
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
}

/** @throws GauntletError ERR_ENVIRONMENT where wrk is missing or requests failed */
export async function measureRate(peer: Peer, seconds: number, clients: number): Promise<RateRound> {
  const script = join(import.meta.dirname, 'post.lua')
  const pids = peer.pids()
  const before = {
    cpu: cpuUs(pids),
    own: coreTimes(balancerCore),
    load: coreTimes(loadCore),
    at: performance.now(),
  }
  const wrk = ['wrk', '-t1', `-c${clients}`, `-d${seconds}s`, '-s', script, `http://127.0.0.1:${peer.port}/`]
  const { stdout } = await promisify(execFile)('taskset', ['-c', String(loadCore), ...wrk]).catch(
    (error: unknown) => {
      throw new GauntletError('ERR_ENVIRONMENT', 'cannot be run', {
        field: 'wrk',
        fix: 'install it, e.g. apt-get install wrk',
        cause: error,
      })
    },
  )
  const usedUs = cpuUs(pids) - before.cpu
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  const rps = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  if (/Non-2xx|Socket errors/.test(stdout) || !(requests > 0)) {
    throw new GauntletError('ERR_ENVIRONMENT', `${peer.name} had failing requests:\n${stdout}`, {
      field: 'wrk',
    })
  }
  return {
    rps,
    cpuUsPerRequest: usedUs / requests,
    balancerCores: usedUs / 1_000 / (performance.now() - before.at),
    balancerCoreBusy: busyShare(before.own, coreTimes(balancerCore)),
    loadCoreBusy: busyShare(before.load, coreTimes(loadCore)),
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
