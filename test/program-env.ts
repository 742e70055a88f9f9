// The environment of a program under test: nothing of this machine's but its tools, and what measures or quickens Node.

/** `more` goes over it. */
export function programEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const passed = ['PATH', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE'].flatMap((name) => {
    const value = process.env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(passed), ...more }
}
