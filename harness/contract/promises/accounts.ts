/**
 * What the numbers promise that a file system keeps of itself: reservation, st_blocks, extent
 * status cache.
 */
import { blocksHeld } from "../../case/extents.ts";
import { falseInCache, treeBlocksMax } from "../step/accounts.ts";
import { delayedBlocks } from "../step/extents-walk.ts";
import type { ContractPromise } from "../step/step.ts";

const reservedIsDelayed: ContractPromise = {
  id: "reserved-is-delayed",
  claim: "As many blocks are reserved for delayed allocation as are delayed.",
  severity: "accounting",
  about: ["reserved", "map"],
  source:
    "fs/ext4/ext4.h i_reserved_data_blocks: what delayed blocks reserved; the patch: no inaccurate space reservation",
  check({ seen, otherDelayed }) {
    if (seen.windows !== undefined || otherDelayed === undefined) return undefined;
    const delayed = delayedBlocks(seen.map) + otherDelayed;
    if (delayed === seen.reserved) return undefined;
    return `${seen.reserved} blocks are reserved, ${delayed} are delayed`;
  },
};

const blocksHeldPromise: ContractPromise = {
  id: "blocks-held",
  claim:
    "st_blocks counts the blocks that the file holds, delayed ones included, and its extent tree.",
  severity: "accounting",
  about: ["st_blocks", "map"],
  source:
    "stat(2): st_blocks is the number of 512-byte blocks allocated; fs/ext4/inode.c ext4_getattr() adds the delayed",
  check({ seen, pieces, options }) {
    const unit = options.blockSize / 512;
    const held = blocksHeld(seen.map);
    const excess = seen.st_blocks - held * unit;
    const most = treeBlocksMax(pieces, options.blockSize) * unit;
    const whole = seen.windows === undefined;
    if (excess >= 0 && (!whole || (excess <= most && excess % unit === 0))) return undefined;
    return `st_blocks is ${seen.st_blocks}, but the map holds ${held} blocks (${held * unit}), and the extent tree at most ${most / unit}`;
  },
};

const cacheIsTrue: ContractPromise = {
  id: "cache-is-true",
  claim: "The extent status cache says nothing that is not so, and holds every delayed block.",
  severity: "accounting",
  about: ["cache", "map"],
  source: "fs/ext4/extents_status.c: a cache, which may forget all but delayed extents",
  check({ seen, windows }) {
    if (seen.cache === undefined) return undefined;
    return falseInCache(seen.map, seen.cache, windows);
  },
};

export const accountPromises: readonly ContractPromise[] = [
  reservedIsDelayed,
  blocksHeldPromise,
  cacheIsTrue,
];
