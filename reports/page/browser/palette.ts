// The colours of the charts: read from the style sheet, so that light, dark and print have one source.

export interface Palette {
  readonly lines: readonly string[]
  readonly ink: string
  readonly muted: string
  readonly grid: string
  readonly paper: string
  readonly fail: string
  readonly plan: string
  readonly fault: string
  readonly faultInk: string
  readonly window: string
}

/** The palette in force now. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement)
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim()
  return {
    lines: [0, 1, 2, 3, 4, 5].map((index) => read(`line-${index}`)),
    ink: read('ink'),
    muted: read('muted'),
    grid: read('grid'),
    paper: read('paper'),
    fail: read('fail'),
    plan: read('plan'),
    fault: read('fault'),
    faultInk: read('fault-ink'),
    window: read('window'),
  }
}

/** The colour of a line: from the palette by number, or by what it means. */
export function colourOf(palette: Palette, colour: number | 'fail' | 'plan'): string {
  return typeof colour === 'number' ? (palette.lines[colour] ?? palette.ink) : palette[colour]
}
