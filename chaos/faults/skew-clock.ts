// Preloaded into a pod by the fault clock-skewed: wall-clock time is off by so many ms. Timers keep their pace.

const offsetMs = Number(new URL(import.meta.url).searchParams.get('ms') ?? 0)
const RealDate = Date

class SkewedDate extends RealDate {
  constructor(...parts: readonly unknown[]) {
    if (parts.length === 0) super(RealDate.now() + offsetMs)
    else super(...(parts as [number]))
  }

  static override now(): number {
    return RealDate.now() + offsetMs
  }
}

globalThis.Date = SkewedDate as DateConstructor
