/**
 * Severity of a divergence: what it means to whoever has data on such a file system.
 */

/** From the worst on. */
const SEVERITIES = [
  // Data is lost, or somebody else's is shown.
  "data",
  // The file system is damaged, or nobody can use it.
  "file system",
  "size or space",
  "accounting",
  "page cache",
] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Of every kind of divergence, in the order in which they are compared. */
export const severities = {
  // After every operation.
  result: "size or space",
  i_size: "size or space",
  map: "size or space",
  reserved: "accounting",
  cache: "accounting",
  st_blocks: "accounting",
  read: "data",
  "power-cut": "data",
  pages: "page cache",
  // A promise of the patch's text, whatever the model says.
  contract: "size or space",
  // At a checkpoint, from the image.
  "on-disk-map": "size or space",
  "on-disk-size": "size or space",
  "on-disk-blocks": "accounting",
  contents: "data",
  e2fsck: "file system",
  "free-blocks": "accounting",
  // From the kernel as a whole.
  mount: "file system",
  "kernel-log": "file system",
  hang: "file system",
  panic: "file system",
} as const satisfies Record<string, Severity>;

export type DivergenceKind = keyof typeof severities;

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
