/**
 * Space: the positions and lengths that are worth generating on a variant, and how much a case may
 * allocate.
 *
 * A case allocates inside the *dense* region at the start of the file, which is a sixteenth of the
 * image however often it is written, and outside of it (sparse positions, and what insert_range
 * pushes out) at most `outside` bytes. Together that is an eighth of the image, so no case runs out
 * of space by accident.
 */
import { isRemounted, mayFillUp } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";

const MIB = 2 ** 20;

/** Blocks that a full file system is taken to have. */
const FULL_BLOCKS = 2048;

/** What generation and shrinking need to know of a variant; sizes and positions in bytes. */
export interface Space {
  readonly blockSize: number;
  readonly pageSize: number;
  /** Largest file: (2^32 - 1) blocks. */
  readonly maxFile: number;
  /** Data at positions below `dense` is allocated at most once. A multiple of block and page. */
  readonly dense: number;
  /** Bytes that a case may allocate outside the dense region. */
  readonly outside: number;
  /** Page and folio boundaries in the dense region. */
  readonly far: readonly number[];
  /** Boundaries far past everything else, up to one block past the largest file. */
  readonly sparse: readonly number[];
  /** Hardly a block can be had. */
  readonly full: boolean;
  /** The device can run out of room. */
  readonly thin: boolean;
  /** Writes only reserve: what lacks memory in them never leaves a block that nobody has. */
  readonly delays: boolean;
}

/** What of a variant decides that. */
export type Spacious = Pick<Variant, "blockSize" | "imageSize" | "preparation"> &
  Partial<Pick<Variant, "delalloc">>;

/** Positions whose multiples are boundaries of some folio size, from four pages to 2 MiB. */
function farBoundaries(dense: number, pageSize: number): number[] {
  const found = new Set<number>();
  const end = Math.min(4 * MIB, dense / 2);
  for (let folio = 4 * pageSize; folio <= 2 * MIB; folio *= 2) {
    for (let i = 1; i <= 4 && i * folio <= end; i++) found.add(i * folio);
  }
  if (found.size === 0) found.add(0);
  return [...found].toSorted((a, b) => a - b);
}

/** The space of `variant` on a kernel with pages of `pageSize` bytes. */
export function spaceOf(variant: Spacious, pageSize: number): Space {
  const { blockSize, imageSize, delalloc = false, preparation } = variant;
  const full = mayFillUp(variant);
  const grain = Math.max(blockSize, pageSize);
  // Of one that is full hardly a block can be had, however large it is.
  const room = full ? Math.min(imageSize, FULL_BLOCKS * blockSize) : imageSize;
  const sixteenth = Math.floor(Math.min(8 * MIB, room / 16) / grain) * grain;
  const dense = Math.max(grain, sixteenth);
  const maxFile = (2 ** 32 - 1) * blockSize;
  return {
    blockSize,
    pageSize,
    maxFile,
    dense,
    full,
    outside: Math.max(0, Math.floor(room / 8) - dense),
    thin: preparation?.kind === "thin",
    delays: delalloc && !full && !isRemounted(variant),
    far: farBoundaries(dense, pageSize),
    sparse: [
      // The longest written extent has 2^15 blocks; off_t and page index used to overflow at 2^31
      // and 2^32.
      2 ** 15 * blockSize,
      2 ** 31,
      2 ** 32,
      maxFile - 2 * grain,
      maxFile - blockSize,
      maxFile,
      maxFile + blockSize,
    ],
  };
}
