// uPlot as the page has it: a global, put there by the script before this one.

import type UPlot from 'uplot'

export type Plot = UPlot
export type PlotOptions = UPlot.Options
export type PlotData = UPlot.AlignedData
export type PlotSeries = UPlot.Series

/** The library. */
export const plots = (globalThis as unknown as { readonly uPlot: typeof UPlot }).uPlot
