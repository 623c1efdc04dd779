/**
 * KernelTraits: what a kernel does that the model must be told, found out by trying
 * (subjects/probe.ts).
 */
import type { ModelConfig } from "../../model/tables.ts";
import { changeNames, changes } from "../../model/kernels/changes.ts";
import type { Change, ChangeName } from "../../model/kernels/changes.ts";
import { kernels } from "../../model/kernels/kernels.ts";
import type { KernelFacts } from "../../model/kernels/kernels.ts";
import { isRemounted } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import type { DivergenceKind } from "../finding/severity.ts";

export interface KernelTraits {
  /** uname -r */
  release: string;
  /** What the kernel runs on, as Node.js calls it: "x64". */
  machine: string;
  /** EXT4_IOC_GET_ES_CACHE works. */
  cacheIoctl: boolean;
  /** cachestat(2) works. */
  cachestat: boolean;
  /** The kernel's log can be read. */
  kernelLog: boolean;
  /** What it does differently from the oldest kernel that is known (kernel-probes.ts). */
  changes: ChangeName[];
  /** Known deviations that show only when the file system is unmounted, by id. */
  atUnmount: string[];
  /** The mount option of the iomap series is known. */
  bufferedIomap: boolean;
}

type Looks = Pick<KernelTraits, "cacheIoctl" | "cachestat" | "kernelLog">;

/** What not every machine shows: what a divergence there is of, and what is said without it. */
const LOOKS: readonly { shows: keyof Looks; kind: DivergenceKind; lacks: string }[] = [
  {
    shows: "cacheIoctl",
    kind: "cache",
    lacks: "this kernel has no EXT4_IOC_GET_ES_CACHE: the extent status cache is not compared",
  },
  {
    shows: "cachestat",
    kind: "pages",
    lacks: "this kernel has no cachestat(2): the page cache is not compared",
  },
  {
    shows: "kernelLog",
    kind: "kernel-log",
    lacks: "/dev/kmsg cannot be read: the kernel's log is not compared",
  },
];

/** What a run leaves out because this machine does not show it, a line each. */
export const notCompared = (traits: Looks): string[] =>
  LOOKS.filter(({ shows }) => !traits[shows]).map(({ lacks }) => lacks);

/** Why no divergence of this kind can be seen; undefined where one can. */
export const hidden = (kind: DivergenceKind, traits: Looks): string | undefined =>
  LOOKS.find((one) => one.kind === kind && !traits[one.shows])?.lacks;

const ofSeries = changeNames.filter((name) => (changes[name] as Change).path === "iomap");

/** What of the series one kernel does and the other does not. */
const differing = (one: readonly ChangeName[], other: readonly ChangeName[]): ChangeName[] =>
  ofSeries.filter((name) => one.includes(name) !== other.includes(name));

/**
 * Why no model follows files on the path of the patch: what the kernel was seen to do there is what
 * no known revision of the series does. Names the nearest, and what does not fit; undefined where
 * one does it all.
 */
export function unknownSeries({
  changes: shown,
}: Pick<KernelFacts, "changes">): string | undefined {
  const revisions = Object.entries<KernelFacts>(kernels)
    .filter(([, { path }]) => path === "iomap")
    .map(([name, known]) => ({ name, differ: differing(shown, known.changes) }))
    .toSorted((a, b) => a.differ.length - b.differ.length);
  const { name, differ } = revisions[0]!;
  if (differ.length === 0) return undefined;
  const text = differ.map((one) => `${shown.includes(one) ? "with" : "without"} ${one}`);
  return `its series is none that is known: as ${name}, but ${text.join(", ")}`;
}

/**
 * The model's configuration for a variant on a kernel. `freeBlocks` is what statfs says of the
 * empty file system, `path` is what its writes were seen to take, `reserve` what of those blocks
 * can be had.
 *
 * Without delayed allocation the kernel does not use dioread_nolock, whatever the mount options say
 * (fs/ext4/ext4_jbd2.h ext4_should_dioread_nolock()).
 */
export function modelConfig(
  variant: Variant,
  traits: Pick<KernelFacts, "changes">,
  freeBlocks: number,
  path: ModelConfig["path"] = "buffer_head",
  reserve?: ModelConfig["reserve"],
): ModelConfig {
  const { delalloc } = variant;
  return {
    path,
    changes: traits.changes,
    blockSize: variant.blockSize,
    delalloc,
    ...(isRemounted(variant) && { remounted: true }),
    journal: variant.journal,
    dioread: delalloc ? variant.dioread : "lock",
    freeBlocks,
    ...(reserve && { reserve }),
  };
}

/**
 * The model's configuration for a variant on a kernel of which these facts are known, where there
 * is no image to ask.
 */
export function knownConfig(variant: Variant, facts: KernelFacts): ModelConfig {
  // Of a file system that is all but empty; the model must not run out of room there.
  const freeBlocks = Math.floor((0.9 * variant.imageSize) / variant.blockSize);
  return { ...modelConfig(variant, facts, freeBlocks), ...facts };
}
