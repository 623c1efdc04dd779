/**
 * The memory that writes take their bytes from: the regions of `model/include/pattern.ts`, each
 * ending where readable memory ends, so that a write of `len` bytes from `readable` bytes before
 * that end copies exactly `readable` and then faults.
 *
 * The rest of the address range is a guard that is mapped PROT_NONE and not left unmapped: it
 * faults the same, and no later mmap of this process (V8's heap, a thread's stack) can land in it
 * and turn a short write into a whole one.
 *
 * Every page is resident before the first use. A page that is not would end the copy inside the
 * kernel early, and the retry then asks for smaller folios: the same call would act differently
 * from one run to the next. Transparent huge pages are refused for the same reason, since
 * khugepaged unmaps a range while it collapses it.
 */
import {
  PATTERN_BYTES,
  PATTERN_COUNT,
  pattern,
  patternOffset,
} from "../../model/include/pattern.ts";
import { MAX_IO_BYTES } from "../case/limits.ts";
import {
  MADV_NOHUGEPAGE,
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  PROT_NONE,
  PROT_READ,
  PROT_WRITE,
  mustSucceed,
  syscalls,
} from "./syscalls.ts";

export interface UserBuffer {
  /**
   * Where a buffer of region `tag` begins that has `readable` bytes, at most PATTERN_BYTES, before
   * the guard.
   */
  address(tag: number, readable: number): number;
  /**
   * A memory file that holds the regions one after the other, and the offset in it of what
   * `address` points to. pread from it stores into a shared mapping of the file under test exactly
   * as a program would, page fault by page fault, but where such a fault fails the call returns
   * EFAULT, and no SIGBUS ends the tool.
   */
  file(): number;
  fileOffset(tag: number, readable: number): number;
}

/** One region and its guard; returns the address of the guard, which is the end of the region. */
function mapRegion(tag: number): number {
  const sys = syscalls();
  const anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  const start = mustSucceed(
    sys.mmap(0, PATTERN_BYTES + MAX_IO_BYTES, PROT_NONE, anonymous | MAP_NORESERVE, -1, 0),
    "mmap of a pattern region and its guard",
  );
  const access = PROT_READ | PROT_WRITE;
  mustSucceed(
    sys.mmap(start, PATTERN_BYTES, access, anonymous | MAP_FIXED, -1, 0),
    "mmap of a pattern region",
  );
  // EINVAL where the kernel has no transparent huge pages at all (UML): nothing to refuse then.
  sys.madvise(start, PATTERN_BYTES, MADV_NOHUGEPAGE);
  new Uint8Array(sys.memory(start, PATTERN_BYTES)).set(pattern(tag));
  return start + PATTERN_BYTES;
}

function makePatternFile(ends: readonly number[]): number {
  const sys = syscalls();
  const fd = mustSucceed(sys.memfd_create("ext4-conform-pattern", 1), "memfd_create");
  ends.forEach((end, tag) => {
    const pos = tag * PATTERN_BYTES;
    mustSucceed(sys.pwrite(fd, end - PATTERN_BYTES, PATTERN_BYTES, pos), "pwrite to a memfd");
  });
  return fd;
}

let kept: UserBuffer | undefined;

/** The regions, mapped on first use and kept until the process ends: 16 MiB. */
export function userBuffer(): UserBuffer {
  if (kept !== undefined) return kept;
  const ends = Array.from({ length: PATTERN_COUNT }, (_, tag) => mapRegion(tag));
  let file: number | undefined;
  kept = {
    address: (tag, readable) => ends[tag]! - readable,
    file: () => (file ??= makePatternFile(ends)),
    fileOffset: (tag, readable) => tag * PATTERN_BYTES + patternOffset(readable),
  };
  return kept;
}
