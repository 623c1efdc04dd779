/**
 * Which code a buffered write of a mounted image goes through. Never assumed from a mount option: a
 * kernel of the series may be asked for one path and take the other, without a word, for a file
 * that it cannot serve.
 *
 * Kernel: the trace events ext4:ext4_da_write_begin and ext4:ext4_write_begin (fs/ext4/inode.c) are
 *         the buffer_head path, iomap:iomap_iter (fs/iomap/iter.c) is the other;
 *         include/trace/events/
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BUFFERED_IOMAP } from "../../images/variants.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { EnvironmentError } from "../case/failure.ts";
import type { MountedImage } from "./image.ts";
import type { Observation } from "../case/observation.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { openInstance, withTracefs } from "./tracefs.ts";
import { mayFillUp } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";

/** The code that a buffered write goes through. */
export type WritePath = ModelConfig["path"];

const EVENTS = ["ext4/ext4_da_write_begin", "ext4/ext4_write_begin", "iomap/iomap_iter"];

function enable(instance: string): void {
  for (const event of EVENTS) {
    const file = join(instance, "events", event, "enable");
    if (existsSync(file)) writeFileSync(file, "1");
  }
}

/** The path that the events in the trace tell of. */
function pathIn(trace: string): WritePath | undefined {
  if (/ ext4_(?:da_)?write_begin: /.test(trace)) return "buffer_head";
  return /iomap_file_buffered_write|ext4_iomap_buffered_write/.test(trace) ? "iomap" : undefined;
}

/** What is seen after a write of one block to a new file on `image`. */
function writeOneBlock(image: MountedImage): Observation {
  const subject = new KernelSubject(image);
  subject.begin();
  const { blockSize } = image.variant;
  const seen = subject.step({ op: "pwrite", pos: 0, len: blockSize, readable: blockSize }, 0);
  subject.release();
  return seen;
}

/** What the trace says while a block is written to a new file on `image`. */
function traceOfWrite(image: MountedImage, tracefs: string): string {
  const instance = openInstance(tracefs);
  try {
    enable(instance.path);
    writeOneBlock(image);
    return readFileSync(join(instance.path, "trace"), "utf8");
  } finally {
    instance.close();
  }
}

/**
 * The path that a buffered write of a new file on `image` takes: one block is written and the trace
 * is read. Undefined where the kernel's trace events do not tell.
 */
export function writePathOf(image: MountedImage): WritePath | undefined {
  return withTracefs(image.directory, (root) =>
    root === undefined ? undefined : pathIn(traceOfWrite(image, root)),
  );
}

/**
 * The variant as its image behaves. Where hardly a block is free, whether writes are delayed is
 * seen by a write of one block to a new file: below the watermark none is (fs/ext4/inode.c
 * ext4_nonda_switch()), and a kernel without SMP has no watermark.
 */
export function asItDelays(image: MountedImage): Variant {
  const { variant } = image;
  if (!mayFillUp(variant) || !variant.delalloc) return variant;
  const { reserved } = writeOneBlock(image);
  return { ...variant, delalloc: reserved > 0 };
}

/**
 * The path for a model of what was seen to take `seen`. A kernel that does not tell has the path of
 * every released kernel, unless it was asked for the other: then it may have fallen back, and
 * nothing could be said of what it does.
 *
 * @throws EnvironmentError where the path matters and is not known
 */
export function pathToModel(variant: Variant, seen: WritePath | undefined): WritePath {
  if (seen !== undefined) return seen;
  if (!variant.mountOptions.includes(BUFFERED_IOMAP)) return "buffer_head";
  throw new EnvironmentError(
    "unsupported-platform",
    "the trace events that tell which path a write takes cannot be read",
    "Run as root, on a kernel with CONFIG_FTRACE and its trace events.",
  );
}
