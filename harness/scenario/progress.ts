// Live progress: one line that changes on a terminal, plain lines elsewhere.

export interface Progress {
  /** A lasting line. */
  say(text: string): void
  /** What goes on now: replaces itself on a terminal, is a line every `plainEveryMs` elsewhere. */
  now(text: string): void
  /** Takes the changing line away. */
  done(): void
}

/** Milliseconds between two plain progress lines. */
const plainEveryMs = 5_000

/** @param stream where it goes: standard error under --json, else standard output */
export function createProgress(stream: NodeJS.WriteStream, startedAtMs = performance.now()): Progress {
  const live = stream.isTTY === true
  let shown = false
  let lastPlain = performance.now()
  const clear = (): void => {
    if (live && shown) stream.write('\r\x1b[2K')
    shown = false
  }
  const stamp = (): string => `${((performance.now() - startedAtMs) / 1000).toFixed(1).padStart(5)}s`
  return {
    say(text) {
      clear()
      stream.write(`${stamp()}  ${text}\n`)
      lastPlain = performance.now()
    },
    now(text) {
      if (live) {
        clear()
        stream.write(`${stamp()}  ${text}`.slice(0, (stream.columns ?? 80) - 1))
        shown = true
      } else if (performance.now() - lastPlain >= plainEveryMs) {
        stream.write(`${stamp()}  ${text}\n`)
        lastPlain = performance.now()
      }
    },
    done: clear,
  }
}
