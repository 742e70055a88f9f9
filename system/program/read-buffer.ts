// The one buffer that every read of a thread lands in, and the same memory as words: those compare faster.

/** Each read begins at its start and is used up before the next. */
export const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** `readBuffer` four bytes at a time. */
export const readWords = new Int32Array(readBuffer.buffer)
