// The page's script: draws the charts, and makes the buttons work. Without it the page is all text and tables.

import type { Results } from '../../../contracts/results.ts'
import { type ChartGroup, drawGroup } from './group.ts'
import { timelineOf } from './timeline.ts'

/** Width of the charts on paper, CSS pixels: A4 or Letter upright, within the margins. */
const paperWidth = 660

const root = document.documentElement
const text = document.getElementById('results')?.textContent ?? ''
const results = JSON.parse(text) as Results
root.classList.add('js')

const groups = [...document.querySelectorAll<HTMLElement>('[data-timeline]')].flatMap(
  (place): ChartGroup[] => {
    const index = Number(place.dataset['timeline'])
    const scenario = results.scenarios[index]
    return scenario === undefined ? [] : [drawGroup(place, timelineOf(scenario), `timeline-${index}`)]
  },
)

let drawnWidth = root.clientWidth
new ResizeObserver(() => {
  if (root.classList.contains('print') || root.clientWidth === drawnWidth) return
  drawnWidth = root.clientWidth
  for (const group of groups) group.resize()
}).observe(root)

const repaintAll = (): void => {
  for (const group of groups) group.repaint()
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaintAll)

// A canvas prints as it was last drawn: in light colours and at the width of the paper.
addEventListener('beforeprint', () => {
  root.classList.add('print')
  for (const group of groups) group.resize(paperWidth)
  repaintAll()
})
addEventListener('afterprint', () => {
  root.classList.remove('print')
  for (const group of groups) group.resize()
  repaintAll()
})

for (const button of document.querySelectorAll<HTMLButtonElement>('button.copy')) {
  const code = button.previousElementSibling
  button.hidden = false
  button.setAttribute('aria-label', `Copy ${code?.textContent ?? ''}`)
  button.addEventListener('click', async () => {
    if (code === null) return
    const done = await copied(code)
    button.textContent = done ? 'Copied' : 'Selected'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 1_500)
  })
}

/** Copies an element's text; where the browser does not allow it, selects it for the user to copy. */
async function copied(element: Element): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? '')
    return true
  } catch {
    getSelection()?.selectAllChildren(element)
    return false
  }
}

const save = document.querySelector<HTMLButtonElement>('button.save')
if (save !== null) {
  save.hidden = false
  save.addEventListener('click', () => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(
      new Blob([`${JSON.stringify(results, null, 1)}\n`], { type: 'application/json' }),
    )
    link.download = 'results.json'
    link.click()
    URL.revokeObjectURL(link.href)
  })
}
