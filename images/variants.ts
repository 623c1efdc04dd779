/**
 * Recipes of the file systems under test. Every entry is data; nothing below
 * `harness/subjects/mkfs.ts` and `model/tables.ts` branches on it.
 */
import type { Variant } from "../harness/case/variant.ts";

const MIB = 2 ** 20;

const base: Omit<Variant, "name" | "purpose" | "blockSize" | "delalloc"> = {
  journal: "ordered",
  dioread: "nolock",
  imageSize: 256 * MIB,
  mkfsOptions: [],
  mountOptions: [],
  byDefault: true,
};

const blockSizes = [
  [4096, "4k"],
  [2048, "2k"],
  [1024, "1k"],
] as const;

/** The mount option of the patch series. */
export const BUFFERED_IOMAP = "buffered_iomap";

/** What a kernel lacks that does not know it, and what is to be done. */
export const LACKS_BUFFERED_IOMAP = {
  lacks: `ext4 of this kernel has no mount option ${BUFFERED_IOMAP}`,
  remedy: `No released kernel has it: take one with the patch "ext4: implement buffered write iomap path".`,
} as const;

const SUFFIX = "-iomap";

/** A variant with its files on the path of the patch, as far as the kernel can put them there. */
export function onIomap(variant: Variant): Variant {
  return {
    ...variant,
    name: `${variant.name}${SUFFIX}`,
    purpose: `${variant.purpose}; mounted with ${BUFFERED_IOMAP}`,
    mountOptions: [...variant.mountOptions, BUFFERED_IOMAP],
  };
}

function howFull(delalloc: boolean, reserveDelays: boolean): string {
  if (!delalloc) return "allocated in write(2), and ENOSPC";
  if (reserveDelays) return "delayed allocation up to the last one, and ENOSPC";
  return "direct allocation instead of delayed, and ENOSPC";
}

export const variants: readonly Variant[] = [
  ...blockSizes.map(([blockSize, short]): Variant => ({
    ...base,
    name: `${short}-delalloc`,
    purpose: `delayed allocation, ${blockSize}-byte blocks`,
    blockSize,
    delalloc: true,
  })),
  ...blockSizes.map(([blockSize, short]): Variant => ({
    ...base,
    name: `${short}-nodelalloc`,
    purpose: `blocks allocated in write(2), ${blockSize}-byte blocks`,
    blockSize,
    delalloc: false,
    mountOptions: ["nodelalloc"],
  })),
  {
    ...base,
    name: "4k-nojournal",
    purpose: "no journal: no transaction orders data and metadata",
    blockSize: 4096,
    delalloc: true,
    journal: "none",
    mkfsOptions: ["-O", "^has_journal"],
  },
  {
    ...base,
    name: "4k-dioread-lock",
    purpose: "writeback allocates written extents at once instead of converting them after I/O",
    blockSize: 4096,
    delalloc: true,
    dioread: "lock",
    mountOptions: ["dioread_lock"],
  },
  {
    ...base,
    name: "4k-small",
    purpose: "a 16 MiB image: few blocks, a small journal, group boundaries near",
    blockSize: 4096,
    delalloc: true,
    imageSize: 16 * MIB,
  },
  ...(
    [
      ["4k-remounted", 4096],
      ["1k-remounted", 1024],
    ] as const
  ).map(([name, blockSize]): Variant => ({
    ...base,
    name,
    purpose:
      "files that are older than the mount's delalloc: writes allocate unwritten blocks, page faults delay",
    blockSize,
    delalloc: true,
    mountOptions: ["nodelalloc"],
    preparation: { kind: "remounted" },
    byDefault: false,
  })),
  {
    ...base,
    name: "4k-thin",
    purpose:
      "a device that can run out of room: what writeback could not write, and what is written after it",
    blockSize: 4096,
    delalloc: true,
    imageSize: 64 * MIB,
    preparation: { kind: "thin" },
  },
  ...(
    [
      ["4k-full", 4096, true, false],
      ["1k-full", 1024, true, false],
      ["4k-full-delayed", 4096, true, true],
      ["4k-full-nodelalloc", 4096, false, false],
    ] as const
  ).map(([name, blockSize, delalloc, reserveDelays]): Variant => ({
    ...base,
    name,
    purpose: `hardly a free block: ${howFull(delalloc, reserveDelays)}; judged by the contract`,
    blockSize,
    delalloc,
    // The smallest that has a journal, and a reserve (fs/ext4/super.c ext4_set_resv_clusters(), 2
    // %) that keeps below the switch.
    imageSize: 2048 * blockSize,
    // What is delayed must meet what is full: with 16 that is six times as often.
    preparation: reserveDelays
      ? { kind: "full", leavesFree: 16, reserveDelays }
      : { kind: "full", leavesFree: 48 },
    mkfsOptions: ["-m", "0"],
    mountOptions: delalloc ? [] : ["nodelalloc"],
    byDefault: name === "4k-full" || reserveDelays,
  })),
  {
    ...base,
    name: "4k-data-journal",
    purpose:
      "data=journal: data goes through the journal, neither delayed allocation nor large folios",
    blockSize: 4096,
    delalloc: false,
    journal: "journal",
    mountOptions: ["data=journal"],
    byDefault: false,
  },
];

/** The variant with this name, or on the iomap path with this name and "-iomap". */
export function findVariant(name: string): Variant | undefined {
  return [...variants, ...variants.map(onIomap)].find((variant) => variant.name === name);
}
