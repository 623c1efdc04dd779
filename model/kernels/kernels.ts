/**
 * The kernels whose behaviour is known, each as changes to an earlier one. These are the ones that
 * were recorded, and those that properties imagine; of the kernel under test each change is probed
 * instead, so that a version is only a name.
 */
import type { ChangeName } from "./changes.ts";

/** What of a model's configuration depends on the kernel. */
export interface KernelFacts {
  /**
   * Which code buffered I/O goes through: every released kernel has the one, the patch series adds
   * the other, where `buffered_iomap` is mounted.
   */
  path: "buffer_head" | "iomap";
  /** What it does differently from the oldest that is known. */
  changes: readonly ChangeName[];
  /** Pages of a window of read-ahead of page faults (read_ahead_kb); absent where it is off. */
  readAheadPages?: number;
}

const upon = (
  earlier: KernelFacts,
  changes: readonly ChangeName[],
  rest: Partial<KernelFacts> = {},
): KernelFacts => ({ ...earlier, ...rest, changes: [...earlier.changes, ...changes] });

/** Mainline 6.12, before large folios came to ext4. */
const v6_12: KernelFacts = { path: "buffer_head", changes: [] };

/** Mainline 6.15, by its source. */
const v6_15 = upon(v6_12, ["read-ahead-by-window"]);

/** Mainline 6.18. */
const v6_18 = upon(v6_15, ["large-folios", "prepare-before-fault-in", "align-by-mapping"]);

/** Mainline 7.3, and 7.2 by its source. */
const v7_3 = upon(v6_18, [
  "punch-to-block",
  "punch-to-block-at-eof",
  "copy-nothing-anywhere",
  "zero-gap-first",
]);

/** Files on the path of the series; recorded with read_ahead_kb at its 128. */
const ofSeries = { path: "iomap", readAheadPages: 32 } as const;

/**
 * 6.12.8 with version 1 of the series (the patch in question is its 15th): it brings large folios
 * with it.
 */
const series_v1 = upon(v6_12, ["large-folios"], ofSeries);

/** What the series changed of itself from version 1 to version 2, with the iomap code of 6.19. */
const seriesChanges = [
  "zero-dirty-folios",
  "zero-when-growing",
  "clean-when-invalidated",
  "map-dirty-blocks",
] as const satisfies ChangeName[];

/** 6.19.11, which does as 6.18 but for where a hole past EOF ends, with version 2 of the series. */
const series_v2 = upon(v6_18, ["punch-to-block", ...seriesChanges], ofSeries);

/** 7.3.4 with the series as it stood in ext4's development tree for 7.4 in October 2026. */
const series_7_4 = upon(
  v7_3,
  [
    ...seriesChanges,
    "zero-eof-first",
    "zero-no-holes",
    "keep-truncated-tail-dirty",
    "write-back-before-punching",
    "keep-pages-when-growing",
  ],
  { path: "iomap" },
);

/** By name. Those with the series have their files on its path. */
export const kernels = {
  "6.12": v6_12,
  "6.15": v6_15,
  "6.18": v6_18,
  "7.3": v7_3,
  "series v1": series_v1,
  "series v2": series_v2,
  "series 7.4-dev": series_7_4,
} as const satisfies Record<string, KernelFacts>;

export type KernelName = keyof typeof kernels;

/** Released kernels, and the version from which on each stands for others; the latest first. */
const released = [
  ["7.3", 7002],
  ["6.18", 6016],
  ["6.15", 6015],
  ["6.12", 0],
] as const satisfies readonly (readonly [KernelName, number])[];

/** The ends of the range that is known. */
const OLDEST: KernelName = "6.12";
export const NEWEST: KernelName = "7.3";

/** Major and minor number of a kernel's version, as one number that grows: 6.12 is 6012. */
function versionOf(release: string): number {
  const [major = 0, minor = 0] = release.split(".").map((part) => Number.parseInt(part, 10));
  return 1000 * major + minor;
}

/** A kernel that stands for one of which no more is known than what it is called. */
interface StandIn {
  name: KernelName;
  /** What of it is a guess, in a sentence; absent where nothing is. */
  guess?: string;
}

/** The oldest kernel that the model follows, where this one is older; else undefined. */
export const olderThan = (release: string): KernelName | undefined =>
  versionOf(release) < versionOf(OLDEST) ? OLDEST : undefined;

/** The kernel that stands for a released one, by its version as in uname -r. */
export function kernelOfRelease(release: string): StandIn {
  const version = versionOf(release);
  if (Number.isNaN(version)) {
    return { name: NEWEST, guess: `what is no number of a version is taken for ${NEWEST}` };
  }
  const [name] = released.find(([, since]) => version >= since)!;
  if (olderThan(release) !== undefined) {
    const guess = `kernel ${release} is older than the oldest known, and taken for ${OLDEST}`;
    return { name, guess };
  }
  if (version <= versionOf(NEWEST)) return { name };
  return {
    name,
    guess: `kernel ${release} is newer than the newest known, and taken for ${NEWEST}`,
  };
}

/**
 * The kernel that stands for one with the patch series, by what its recording calls that; one that
 * is not known is taken for version 2. `shown` is the series as a message quotes it.
 */
export function kernelOfSeries(series: string, shown: string): StandIn {
  if (/^v1\b/.test(series)) return { name: "series v1" };
  if (/^v2\b/.test(series)) return { name: "series v2" };
  if (/^7\.4\b/.test(series)) return { name: "series 7.4-dev" };
  const guess = `series ${shown} begins with none of v1, v2 and 7.4, and is taken for v2`;
  return { name: "series v2", guess };
}
