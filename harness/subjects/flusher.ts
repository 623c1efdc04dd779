/**
 * When the kernel writes back of itself: flusher threads take what has been dirty for so long.
 *
 * Kernel: fs/fs-writeback.c wb_check_old_data_flush(); Documentation/admin-guide/sysctl/vm.rst
 *           dirty_expire_centisecs
 */
import { readFileSync } from "node:fs";

/** Of that time a case may take so much: a look must be over before the flusher begins. */
const SHARE = 2 / 3;

/** Where nobody says, as the kernel has it from the start. */
const USUAL_CENTISECONDS = 3000;

/**
 * Milliseconds that a case may take before a flusher thread may meet it, by what
 * vm.dirty_expire_centisecs holds.
 */
export function quietMilliseconds(dirty_expire_centisecs: string): number {
  const centiseconds = Number.parseInt(dirty_expire_centisecs, 10);
  const known = Number.isFinite(centiseconds) ? centiseconds : USUAL_CENTISECONDS;
  return known * 10 * SHARE;
}

/** The same on this machine. */
export function quietMillisecondsHere(): number {
  try {
    return quietMilliseconds(readFileSync("/proc/sys/vm/dirty_expire_centisecs", "utf8"));
  } catch {
    return quietMilliseconds("");
  }
}
