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

/** What a run leaves out because this machine does not show it, a line each. */
export function notCompared({ cacheIoctl, cachestat, kernelLog }: KernelTraits): string[] {
  const lacks = [
    !cacheIoctl &&
      "this kernel has no EXT4_IOC_GET_ES_CACHE: the extent status cache is not compared",
    !cachestat && "this kernel has no cachestat(2): the page cache is not compared",
    !kernelLog && "/dev/kmsg cannot be read: the kernel's log is not compared",
  ];
  return lacks.filter((one) => one !== false);
}

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
