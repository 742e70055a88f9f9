// A word as a POSIX shell reads it back: quoted only where it needs to be.

export function shellWord(word: string): string {
  return /^[\w./@:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
