// What the tools find, and which of it is accepted: k8s/accepted-findings.yaml, a reason for each.

import { parse } from 'yaml'

export interface Finding {
  readonly tool: string
  /** The tool's own name of the check. */
  readonly check: string
  /** The rendering it is in. */
  readonly overlay: string
  /** `Kind/name`. */
  readonly object: string
  readonly text: string
}

export interface Accepted {
  readonly tool: string
  readonly check: string
  /** Undefined: all. */
  readonly overlays?: readonly string[]
  readonly objects?: readonly string[]
  readonly reason: string
}

export interface Sorted {
  readonly open: readonly Finding[]
  readonly accepted: readonly Finding[]
  /** Entries whose tool was run and found nothing of the kind: they are to be taken out. */
  readonly stale: readonly Accepted[]
}

/** @throws Error where an entry has no reason, or no tool or check */
export function parseAccepted(text: string): readonly Accepted[] {
  const list = parse(text) as readonly Accepted[]
  for (const entry of list) {
    for (const key of ['tool', 'check', 'reason'] as const) {
      if (typeof entry[key] !== 'string' || entry[key].trim() === '')
        throw new Error(`k8s/accepted-findings.yaml: an entry without ${key}: ${JSON.stringify(entry)}`)
    }
  }
  return list
}

export function sortFindings(
  findings: readonly Finding[],
  accepted: readonly Accepted[],
  toolsRun: ReadonlySet<string>,
): Sorted {
  const covers = (entry: Accepted, finding: Finding): boolean =>
    entry.tool === finding.tool &&
    entry.check === finding.check &&
    (entry.overlays?.includes(finding.overlay) ?? true) &&
    (entry.objects?.includes(finding.object) ?? true)
  return {
    open: findings.filter((finding) => !accepted.some((entry) => covers(entry, finding))),
    accepted: findings.filter((finding) => accepted.some((entry) => covers(entry, finding))),
    stale: accepted.filter(
      (entry) => toolsRun.has(entry.tool) && !findings.some((finding) => covers(entry, finding)),
    ),
  }
}
