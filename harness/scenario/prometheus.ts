// Reads figures from a pod's /metrics.

/** Milliseconds a pod has to answer; a frozen one does not. */
const scrapeTimeoutMs = 2_000

/** The text of a pod's /metrics; null where it does not answer. */
export async function scrape(adminUrl: string): Promise<string | null> {
  try {
    const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(scrapeTimeoutMs) })
    return response.ok ? await response.text() : null
  } catch {
    return null
  }
}

/** The sum of a metric over its labels; null where the pod does not answer or does not have it. */
export async function readGauge(adminUrl: string, name: string): Promise<number | null> {
  const text = await scrape(adminUrl)
  return text === null ? null : sumOf(text, name)
}

/** The sum of a metric's samples in Prometheus text format 0.0.4; null where there is none. */
export function sumOf(text: string, name: string, label = ''): number | null {
  const values = samplesOf(text, name).filter(({ labels }) => labels.includes(label))
  return values.length === 0 ? null : values.reduce((sum, { value }) => sum + value, 0)
}

/** The samples of a metric, with their labels as they stand there. */
export function samplesOf(
  text: string,
  name: string,
): readonly { readonly labels: string; readonly value: number }[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(name) && (line[name.length] === ' ' || line[name.length] === '{'))
    .map((line) => {
      const end = line.lastIndexOf(' ')
      return { labels: line.slice(name.length, end), value: Number(line.slice(end + 1)) }
    })
}
