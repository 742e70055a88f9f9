import { test } from 'tap'
import { progressOf, troubleOf } from './workloads.ts'

const workload = (status: object, generation = 2) => ({
  kind: 'Deployment',
  metadata: { name: 'a', generation },
  spec: { replicas: 3 },
  status: { observedGeneration: 2, ...status },
})

test('a workload is done when all its pods are new and ready, and no old one is left', async (t) => {
  t.same(progressOf(workload({ replicas: 3, updatedReplicas: 3, readyReplicas: 3 })), {
    done: true,
    text: 'Deployment a: 3 of 3 ready',
  })
  t.same(progressOf(workload({ replicas: 4, updatedReplicas: 3, readyReplicas: 3 })), {
    done: false,
    text: 'Deployment a: 3 of 3 ready, 1 old',
  })
  t.equal(progressOf(workload({ replicas: 3, updatedReplicas: 3, readyReplicas: 2 })).done, false)
})

test('a status of before the last change counts for nothing', async (t) => {
  t.equal(progressOf(workload({ replicas: 3, updatedReplicas: 3, readyReplicas: 3 }, 3)).done, false)
})

test('tells what waiting will not mend, and why', async (t) => {
  const waits = (reason: string, more: object = {}) => ({
    metadata: { name: 'p' },
    status: { containerStatuses: [{ name: 'c', state: { waiting: { reason, message: 'm' } }, ...more }] },
  })
  t.equal(troubleOf(waits('ErrImageNeverPull')), 'p: c waits: ErrImageNeverPull: m')
  t.equal(
    troubleOf(
      waits('CrashLoopBackOff', {
        restartCount: 2,
        lastState: { terminated: { exitCode: 2, reason: 'Error' } },
      }),
    ),
    'p: c waits: CrashLoopBackOff, 2 restarts, ended with exit code 2 (Error): m',
  )
  t.equal(troubleOf(waits('ContainerCreating')), null)
  const condition = { type: 'PodScheduled', status: 'False', message: '0/1 nodes: Insufficient cpu' }
  t.equal(
    troubleOf({ metadata: { name: 'p' }, status: { conditions: [condition] } }),
    'p: 0/1 nodes: Insufficient cpu',
  )
})
