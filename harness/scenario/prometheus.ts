// Reads one figure from a pod's /metrics.

/** Milliseconds a pod has to answer; a frozen one does not. */
const scrapeTimeoutMs = 2_000

/** The sum of a metric over its labels; null where the pod does not answer or does not have it. */
export async function readGauge(adminUrl: string, name: string): Promise<number | null> {
  try {
    const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(scrapeTimeoutMs) })
    return response.ok ? sumOf(await response.text(), name) : null
  } catch {
    return null
  }
}

/** The sum of a metric's samples in Prometheus text format 0.0.4; null where there is none. */
export function sumOf(text: string, name: string): number | null {
  const values = text
    .split('\n')
    .filter((line) => line.startsWith(name) && (line[name.length] === ' ' || line[name.length] === '{'))
    .map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0)
}
