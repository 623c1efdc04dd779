/**
 * Kernels whose behaviour is known: what the model must be told of each, as data. A kernel under
 * test is probed instead (harness/subjects/probe.ts); these are the ones that were recorded, and
 * those that properties imagine.
 */
import type { ModelConfig } from "../model/tables.ts";

/** What of a model's configuration depends on the kernel. */
export type KernelFacts = Pick<
  ModelConfig,
  | "path"
  | "largeFolios"
  | "prefaultFirst"
  | "zeroesGap"
  | "punchesTo"
  | "directAligns"
  | "readAhead"
  | "iomap"
>;

/** Pages of a window of read-ahead: read_ahead_kb is 128. */
const READ_AHEAD_PAGES = 32;

/** Mainline 6.12, before large folios came to ext4. */
const v6_12: KernelFacts = {
  path: "buffer_head",
  largeFolios: false,
  prefaultFirst: true,
  zeroesGap: "after",
  punchesTo: "page",
  directAligns: "request",
};

/** Mainline 6.18. */
const v6_18: KernelFacts = {
  ...v6_12,
  largeFolios: true,
  prefaultFirst: false,
  directAligns: "mapping",
};

/** Mainline 7.3, and 7.2 by its source. */
const v7_3: KernelFacts = { ...v6_18, zeroesGap: "before", punchesTo: "block-at-eof" };

/**
 * 6.12.8 with version 1 of the series (the patch in question is its 15th): it brings large folios
 * with it.
 */
const series_v1: KernelFacts = {
  ...v6_12,
  path: "iomap",
  largeFolios: true,
  readAhead: { pages: READ_AHEAD_PAGES, growsFrom: "folio" },
  iomap: { zero: "flush", zeroesGrown: false, invalidateCleans: false, allocatesPastRange: true },
};

/** 6.19.11 with version 2 of the series. */
const series_v2: KernelFacts = {
  ...series_v1,
  punchesTo: "block",
  directAligns: "mapping",
  readAhead: { pages: READ_AHEAD_PAGES, growsFrom: "window" },
  iomap: { zero: "batch", zeroesGrown: true, invalidateCleans: true, allocatesPastRange: false },
};

export const kernels = {
  "6.12": v6_12,
  "6.18": v6_18,
  "7.3": v7_3,
  "series v1": series_v1,
  "series v2": series_v2,
} as const satisfies Record<string, KernelFacts>;

export type KernelName = keyof typeof kernels;
