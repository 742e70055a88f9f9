// What machine and tools a trial ran with, for the report.

import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import type { Cluster } from '../../contracts/cluster.ts'
import type { LoadResult } from '../../contracts/load.ts'
import type { EnvironmentInfo } from '../../contracts/results.ts'

export function describeEnvironment(
  cluster: Pick<Cluster, 'kind' | 'description'>,
  engine: LoadResult['engine'],
): EnvironmentInfo {
  return {
    cluster: cluster.kind,
    clusterDescription: cluster.description,
    platform: `${process.platform} ${release()} ${process.arch}`,
    cpuModel: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    commit: firstLine('git', ['rev-parse', '--short', 'HEAD']),
    engine,
    tools: {},
  }
}

function firstLine(command: string, args: readonly string[]): string | null {
  try {
    return (
      execFileSync(command, args, {
        encoding: 'utf8',
        timeout: 3_000,
        stdio: ['ignore', 'pipe', 'ignore'],
        cwd: import.meta.dirname,
      }).split('\n')[0] ?? null
    )
  } catch {
    return null
  }
}
