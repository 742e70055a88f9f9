// Where a text of UTF-8 bytes can be cut without splitting a character.

/**
 * Length of the part of `text` (latin1 of UTF-8 bytes) that ends with a whole character. Bytes that are not
 * UTF-8 at all count as whole: they are not held back.
 */
export function completeUtf8(text: string): number {
  const { length } = text
  for (let back = 1; back <= 3 && back <= length; back++) {
    const byte = text.charCodeAt(length - back)
    if (byte < 0x80) return length
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return byte <= 0xf4 && needed > back ? length - back : length
    }
  }
  return length
}
