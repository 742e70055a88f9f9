// The file in which a program's records wait before they are appended to its history, and what of it a reader takes.
//
// Two numbers, then lines: how many bytes of lines there are, and their place, which is the history's length as long as
// none of them is there. So whoever reads first this file and then the history, at any moment and after a SIGKILL between
// any two stores, has each record once.

/** Bytes before the lines: the two numbers, float64 in the machine's order. */
export const headBytes = 16

/** The lines in `buffer`, the whole file, that are not among the first `length` bytes of the history. */
export function waitingAfter(length: number, buffer: Uint8Array): Uint8Array {
  if (buffer.length < headBytes) return new Uint8Array(0)
  const [waiting = 0, place = 0] = new Float64Array(new Uint8Array(buffer.subarray(0, headBytes)).buffer)
  return buffer.subarray(headBytes + Math.min(waiting, Math.max(0, length - place)), headBytes + waiting)
}
