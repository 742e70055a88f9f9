// Writes an experiment as the file that reads back as the same: what a search has found is kept and run again.

import { stringify } from 'yaml'
import type { Experiment, PlacedFault, Trigger } from '../experiments/model.ts'

/** @param notes comment lines on top: where it comes from, how often it failed */
export function experimentText(experiment: Experiment, notes: readonly string[]): string {
  const { name, description, loads, steady, stop, blastRadius, during, after, checkers } = experiment
  const document = {
    name,
    description,
    duration: `${experiment.durationMs}ms`,
    ...(Object.keys(experiment.replicas).length === 0 ? {} : { replicas: experiment.replicas }),
    load: loads,
    ...(steady.length === 0 ? {} : { steady }),
    ...(experiment.faults.length === 0 ? {} : { faults: experiment.faults.map(faultOf) }),
    ...(stop.length === 0 ? {} : { stop }),
    blastRadius,
    expect: {
      ...(during.length === 0 ? {} : { during }),
      ...(after.length === 0 ? {} : { after }),
      recoverWithin: `${experiment.recoverWithinMs}ms`,
      ...(checkers.length === 0 ? {} : { checkers }),
    },
  }
  return `${notes.map((line) => `# ${line}\n`).join('')}${stringify(document)}`
}

function faultOf({
  name,
  fault,
  role,
  pods,
  trigger,
  forMs,
  settings,
}: PlacedFault): Record<string, unknown> {
  return {
    name,
    fault,
    on: { role, pods },
    ...triggerOf(trigger),
    for: `${forMs}ms`,
    ...(Object.keys(settings).length === 0 ? {} : { with: settings }),
  }
}

function triggerOf(trigger: Trigger): Record<string, unknown> {
  switch (trigger.kind) {
    case 'at':
      return { at: `${trigger.atMs}ms` }
    case 'count':
      return { when: `${trigger.least} ${trigger.what}` }
    case 'after':
      return { after: trigger.fault }
    case 'moment':
      return {
        when: { ...(trigger.step === undefined ? {} : { step: trigger.step }), event: trigger.event },
      }
  }
}
