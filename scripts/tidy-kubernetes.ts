// What the tests on Kubernetes leave as it was: a system or a cluster that was not there before them is taken away.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Objects of tests have it, with any value. */
export const testLabel = 'stepflow-gauntlet/test'

/** What can be asked and done; a test gives its own. */
export interface Machine {
  /** Whether the kit beside the project has its cluster up. */
  readonly kitIsUp: () => boolean
  /** Whether kubectl reaches a cluster that has the system. */
  readonly systemIsThere: () => boolean
  readonly kitDown: () => boolean
  /** Removes what tests made outside of a namespace of the system, and did not come to remove. */
  readonly removeTestObjects: () => boolean
  readonly undeploy: () => boolean
}

/** Looks at what is there, and returns what tidies up afterwards; that is false where something stays. */
export function tidyKubernetes(machine: Machine = thisMachine()): () => boolean {
  const kitWasUp = machine.kitIsUp()
  const systemWasThere = machine.systemIsThere()
  return () => {
    // The cluster takes all that is in it along.
    if (!kitWasUp && machine.kitIsUp()) return machine.kitDown()
    const removed = machine.removeTestObjects()
    if (!systemWasThere && machine.systemIsThere()) return machine.undeploy() && removed
    return removed
  }
}

function thisMachine(): Machine {
  const root = join(import.meta.dirname, '..')
  const done = (program: string, args: readonly string[]): boolean =>
    spawnSync(program, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  return {
    kitIsUp: () => existsSync(join(root, '../shared/kube/down')) && existsSync('/sys/class/net/kubekit0'),
    systemIsThere: () => {
      const words = ['get', 'namespace', 'stepflow-demo', '--request-timeout=5s']
      return spawnSync('kubectl', words).status === 0
    },
    removeTestObjects: () => {
      const here = (words: readonly string[]): boolean =>
        done('kubectl', ['delete', ...words, '-l', testLabel, '--wait=false', '--ignore-not-found'])
      if (spawnSync('kubectl', ['get', '--raw', '/readyz', '--request-timeout=5s']).status !== 0) return true
      return (
        here(['apiservices,clusterroles,clusterrolebindings,namespaces']) &&
        here(['hpa,roles,rolebindings', '-A'])
      )
    },
    kitDown: () => done(join(root, '../shared/kube/down'), []),
    undeploy: () => done(process.execPath, [join(root, 'harness/cli/deploy.ts'), 'undeploy']),
  }
}
