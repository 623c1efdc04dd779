/**
 * Severity of a divergence: what it means to whoever has data on such a file system.
 */
import type { DivergenceKind } from "./divergence.ts";

/** From the worst on. */
export const SEVERITIES = [
  "data",
  "file system",
  "size or space",
  "accounting",
  "page cache",
] as const;
export type Severity = (typeof SEVERITIES)[number];

const severities: Record<DivergenceKind, Severity> = {
  // Data is lost, or somebody else's is shown.
  read: "data",
  "power-cut": "data",
  contents: "data",
  // The file system is damaged, or nobody can use it.
  e2fsck: "file system",
  mount: "file system",
  "kernel-log": "file system",
  hang: "file system",
  panic: "file system",
  result: "size or space",
  i_size: "size or space",
  map: "size or space",
  contract: "size or space",
  "on-disk-map": "size or space",
  "on-disk-size": "size or space",
  reserved: "accounting",
  cache: "accounting",
  st_blocks: "accounting",
  "on-disk-blocks": "accounting",
  "free-blocks": "accounting",
  pages: "page cache",
};

const rankOf = (kind: DivergenceKind): number => SEVERITIES.indexOf(severities[kind]);

export const severityOf = (kind: DivergenceKind): Severity => severities[kind];

/** For sorting, the worst first. */
export const bySeverity = (a: DivergenceKind, b: DivergenceKind): number => rankOf(a) - rankOf(b);

/** Whether `kind` is worse than `other`. */
export function isWorse(kind: DivergenceKind, other: DivergenceKind): boolean {
  return rankOf(kind) < rankOf(other);
}

/** Whether nothing is wrong with what a file holds, as far as was seen: it may be, further on. */
export function isMinor(kind: DivergenceKind): boolean {
  return rankOf(kind) >= SEVERITIES.indexOf("accounting");
}
