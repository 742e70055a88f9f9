// Where bars and their labels go so that none lies on another. No browser needed: widths are arguments.

export interface LaneItem {
  /** Pixels from the left edge of the plot. */
  readonly from: number
  readonly to: number
  readonly labelWidth: number
}

export interface PlacedItem {
  readonly lane: number
  readonly labelLeft: number
  /** Pixels the label may take. */
  readonly labelWidth: number
}

/** Pixels between two items of a lane, and between a bar and a label beside it. */
const gap = 6

/**
 * A lane for each item, first fit, and a place for its label: on the bar where it fits, else right of it,
 * else left of it, cut to the plot where it fits nowhere.
 */
export function placeInLanes(items: readonly LaneItem[], plotWidth: number): readonly PlacedItem[] {
  const lanes: { from: number; to: number }[][] = []
  return items.map((item) => {
    const width = Math.min(item.labelWidth, plotWidth)
    const labelLeft = leftOfLabel(item, width, plotWidth)
    const from = Math.min(item.from, labelLeft)
    const to = Math.max(item.to, labelLeft + width)
    const free = lanes.findIndex((taken) =>
      taken.every((one) => to + gap <= one.from || one.to + gap <= from),
    )
    const lane = free === -1 ? lanes.push([]) - 1 : free
    lanes[lane]?.push({ from, to })
    return { lane, labelLeft, labelWidth: width }
  })
}

function leftOfLabel({ from, to }: LaneItem, width: number, plotWidth: number): number {
  if (to - from >= width + 2 * gap) return from + gap
  if (to + gap + width <= plotWidth) return to + gap
  if (from - gap - width >= 0) return from - gap - width
  return Math.max(0, plotWidth - width)
}

export interface PlacedTag {
  readonly x: number
  /** `3`, or `3–5` where several fall together. */
  readonly text: string
}

/** Tags of faults at the top of a chart; those nearer than `nearest` pixels to each other become one. */
export function placeTags(
  faults: readonly { readonly number: number; readonly x: number }[],
  nearest: number,
): readonly PlacedTag[] {
  const groups: { x: number; first: number; last: number }[] = []
  for (const { number, x } of [...faults].sort((a, b) => a.x - b.x)) {
    const group = groups.at(-1)
    if (group !== undefined && x - group.x < nearest) {
      group.first = Math.min(group.first, number)
      group.last = Math.max(group.last, number)
    } else {
      groups.push({ x, first: number, last: number })
    }
  }
  return groups.map(({ x, first, last }) => ({ x, text: first === last ? `${first}` : `${first}–${last}` }))
}
