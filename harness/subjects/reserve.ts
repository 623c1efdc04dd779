/**
 * Reserve: how large an image must be on this machine for delayed allocation to stay on.
 *
 * Kernel: fs/ext4/inode.c ext4_nonda_switch() allocates at once where free blocks fall below
 *         EXT4_FREECLUSTERS_WATERMARK (fs/ext4/ext4.h: four times the error that the per-CPU
 *         counters may have); lib/percpu_counter.c compute_batch_value()
 *
 * On two processors that is 256 blocks, on 64 it is 32,768: an image that is small enough to be
 * interesting on one machine is full from the beginning on another. Images are sparse, so size
 * costs nothing. A kernel without SMP has exact counters and no watermark.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, version } from "node:os";
import type { Reserve } from "../../model/include/types.ts";
import type { Variant } from "../case/variant.ts";

export interface Processors {
  online: number;
  /** nr_cpu_ids: those that may ever come. */
  possible: number;
}

/**
 * Of the image's blocks, one in so many may lie below the watermark: cases, kept files and the
 * journal need the rest.
 */
const SHARE = 4;

/** lib/percpu_counter.c compute_batch_value() */
function percpu_counter_batch(online: number): number {
  return Math.max(32, 2 * online);
}

/** Blocks that must be free for delayed allocation to stay on. */
export function watermarkBlocks({ online, possible }: Processors): number {
  return 4 * percpu_counter_batch(online) * possible;
}

/**
 * What of the blocks of a variant's file system can be had, and how well a kernel with these
 * processors knows; undefined for one without SMP.
 */
export function roomOf(
  { imageSize, blockSize }: Pick<Variant, "imageSize" | "blockSize">,
  processors: Processors | undefined,
): Reserve {
  const reserved = Math.min(Math.floor(imageSize / blockSize / RESERVE), MOST_RESERVED);
  if (processors === undefined) return { watermark: 0, error: 0, reserved };
  const { online } = processors;
  const error = online * percpu_counter_batch(online);
  return { watermark: watermarkBlocks(processors), error, reserved };
}

/** The same on this machine. */
export function reserveHere(variant: Variant): Reserve {
  return roomOf(variant, / SMP\b/.test(version()) ? processorsHere() : undefined);
}

/**
 * Of the image's blocks, one in 50 is the file system's own, and so many at most (fs/ext4/super.c
 * ext4_set_resv_clusters()): with more than sixteen processors or so that is below the watermark,
 * however large the image.
 */
const RESERVE = 50;
const RESERVE_SHARE = 52;
const MOST_RESERVED = 4096;

/**
 * The variant with an image as large as these processors need; the same variant where it is large
 * enough, or is meant to be on the other side of the switch.
 */
export function withRoom(variant: Variant, processors: Processors): Variant {
  const { preparation } = variant;
  const full = preparation?.kind === "full";
  if (full && preparation.reserveDelays === undefined) return variant;
  const watermark = watermarkBlocks(processors);
  if (full && watermark > MOST_RESERVED) return variant;
  const share = full ? RESERVE_SHARE : SHARE;
  const needed = share * watermark * variant.blockSize;
  return variant.imageSize >= needed ? variant : { ...variant, imageSize: needed };
}

/** What this machine has. */
export function processorsHere(): Processors {
  const online = availableParallelism();
  try {
    const ranges = readFileSync("/sys/devices/system/cpu/possible", "utf8").trim();
    return { online, possible: Number(ranges.split(/[,-]/).at(-1)) + 1 };
  } catch {
    return { online, possible: online };
  }
}
