/**
 * Severity of a divergence: what it means to whoever has data on such a file system.
 */

/** From the worst on. */
export const SEVERITIES = [
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
  // The same after a power cut as to what it holds, in other blocks.
  "power-cut-map": "size or space",
  pages: "page cache",
  // A broken promise, whatever the model says, of which nobody says how bad it is.
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

/** What of a divergence says how bad it is. */
export interface Severe {
  kind: DivergenceKind;
  /** The promise that is broken, where one is. */
  promise?: { severity: Severity };
}

/** A broken promise is as bad as what was promised. */
export const severityOf = ({ kind, promise }: Severe): Severity =>
  promise?.severity ?? severities[kind];

const rankOf = (one: Severe): number => SEVERITIES.indexOf(severityOf(one));

/** For sorting, the worst first. */
export const bySeverity = (a: Severe, b: Severe): number => rankOf(a) - rankOf(b);

export const isWorse = (one: Severe, other: Severe): boolean => rankOf(one) < rankOf(other);

/** Whether nothing is wrong with what a file holds, as far as was seen: it may be, further on. */
export const isMinor = (one: Severe): boolean => rankOf(one) >= SEVERITIES.indexOf("accounting");
