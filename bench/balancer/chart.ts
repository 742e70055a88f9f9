// The rate benchmark as a picture: a bar for each balancer.

export interface Bar {
  readonly name: string
  readonly rps: number
  readonly cpuUs: number
}

/** An SVG document. */
export function rateChart(bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(({ rps }) => rps))
  const rows = bars.map(({ name, rps, cpuUs }, index) => {
    const y = 40 + index * 32
    const width = Math.round((rps / most) * 420)
    return (
      `<text x="150" y="${y + 16}" text-anchor="end">${name}</text>` +
      `<rect x="160" y="${y}" width="${width}" height="22" fill="${name === 'ours' ? '#2a6fdb' : '#9aa5b1'}"/>` +
      `<text x="${170 + width}" y="${y + 16}">${rps.toFixed(0)} req/s, ${cpuUs.toFixed(1)} µs</text>`
    )
  })
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="780" height="${60 + bars.length * 32}" font-family="sans-serif" font-size="14">` +
    `<title>Rate and CPU time a request of each balancer</title><rect width="100%" height="100%" fill="white"/>` +
    `<text x="16" y="24" font-weight="bold">Small JSON-RPC POST on one core: rate, and CPU time a request</text>${rows.join('')}</svg>\n`
  )
}
