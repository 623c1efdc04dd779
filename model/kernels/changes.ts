/**
 * What kernels do differently, none of which breaks a promise: named changes to the oldest kernel
 * that is known, each of which replaces entries of the model's table, as a deviation does.
 *
 * A kernel is a list of them (kernels.ts). Of a live one each is found out by trying, since a
 * distribution's kernel may have one and not the next (harness/under-test/kernel-probes.ts).
 */
import {
  ext4_alloc_file_blocks,
  ext4_alloc_file_blocks_zero_after,
  ext4_punch_hole,
  ext4_punch_hole_past_eof,
  ext4_punch_hole_written_back,
  ext4_zero_range,
} from "../ext4/fallocate.ts";
import { ext4_write_checks } from "../ext4/file.ts";
import { ext4_iomap_map_blocks } from "../ext4/iomap-writeback.ts";
import {
  ext4_block_zero_eof,
  ext4_block_zero_range,
  ext4_setattr,
  ext4_setattr_apart,
  ext4_truncate,
} from "../ext4/truncate.ts";
import { __iomap_write_begin_until_copied } from "../iomap/buffered-io.ts";
import { generic_copy_file_checks_if_any } from "../fs/read_write.ts";
import { iomap_invalidate_folio } from "../iomap/folio-state.ts";
import { iomap_zero_range_batch, iomap_zero_range_but_holes } from "../iomap/zero.ts";
import type { Operations } from "../include/operations.ts";
import { generic_perform_write } from "../mm/filemap.ts";
import { mmapReadAhead } from "../mm/readahead.ts";

export interface Change {
  /** What a kernel does that has it. */
  readonly does: string;
  /** The path that it is about; absent where it is about both. */
  readonly path?: "buffer_head" | "iomap";
  /** Known from recordings alone: nothing tries it on a live kernel, where it makes no difference. */
  readonly recorded?: true;
  readonly replaces: Partial<Operations>;
}

/** In the order in which they are made, whatever the order of a kernel's list. */
export const changes = {
  "read-ahead-by-window": {
    does: "folios of read-ahead grow from window to window",
    // The harness switches read-ahead off.
    recorded: true,
    replaces: { mmapReadAhead: mmapReadAhead("window") },
  },
  "large-folios": {
    does: "puts large folios into the page cache",
    replaces: { ext4_should_enable_large_folio: (journal) => journal !== "journal" },
  },
  "prepare-before-fault-in": {
    does: "calls write_begin before it faults in the pages of the buffer",
    path: "buffer_head",
    replaces: { perform_write: generic_perform_write },
  },
  "align-by-mapping": {
    does: "takes a direct read that ends past EOF within a sector",
    replaces: { bdev_iter_is_aligned: () => true },
  },
  "punch-to-block": {
    does: "punches a hole that is past EOF up to EOF's block, not up to its page",
    replaces: { ext4_punch_hole: ext4_punch_hole_past_eof },
  },
  "punch-to-block-at-eof": {
    does: "punches a hole that ends at EOF to the end of EOF's block",
    replaces: { ext4_punch_hole },
  },
  "copy-nothing-anywhere": {
    does: "lets copy_file_range(2) of no bytes succeed, wherever that is to go",
    replaces: { generic_copy_file_checks: generic_copy_file_checks_if_any },
  },
  "zero-gap-first": {
    does: "zeroes the rest of EOF's block before i_size grows",
    path: "buffer_head",
    replaces: {
      ext4_write_checks,
      gapToZero: () => 0,
      ext4_alloc_file_blocks,
      ext4_zero_range,
      ext4_block_zero_range,
      ext4_block_zero_eof,
    },
  },
  "zero-dirty-folios": {
    does: "dirty folios over unwritten blocks are zeroed in memory",
    path: "iomap",
    replaces: { iomap_zero_range: iomap_zero_range_batch },
  },
  "zero-when-growing": {
    does: "a file that grows has the block of its old EOF zeroed",
    path: "iomap",
    replaces: { ext4_alloc_file_blocks: ext4_alloc_file_blocks_zero_after, ext4_setattr },
  },
  "clean-when-invalidated": {
    does: "blocks that are cut off a folio become clean",
    path: "iomap",
    replaces: { invalidate_folio: iomap_invalidate_folio },
  },
  "zero-eof-first": {
    does: "EOF's block is zeroed before EOF moves, and edges before the cache is dropped",
    path: "iomap",
    replaces: { ext4_write_checks, ext4_alloc_file_blocks, ext4_zero_range },
  },
  // Both are of iomap in 7.3; the second shows in large folios alone.
  "zero-no-holes": {
    does: "zeroing leaves holes alone, and what is zeroed for a copy is uptodate after it",
    path: "iomap",
    replaces: {
      iomap_zero_range: iomap_zero_range_but_holes,
      __iomap_write_begin: __iomap_write_begin_until_copied,
    },
  },
  "keep-truncated-tail-dirty": {
    does: "the zeroed tail of a truncated file is not written out at once",
    path: "iomap",
    replaces: { ext4_truncate },
  },
  "write-back-before-punching": {
    does: "what is dirty of a hole is written back before its blocks go",
    path: "iomap",
    replaces: { ext4_punch_hole: ext4_punch_hole_written_back },
  },
  "keep-pages-when-growing": {
    does: "keeps the pages that a file has past EOF when i_size grows",
    replaces: { ext4_setattr: ext4_setattr_apart },
  },
  "map-dirty-blocks": {
    does: "writeback maps blocks up to the end of its range",
    path: "iomap",
    replaces: { map_blocks: ext4_iomap_map_blocks },
  },
} as const satisfies Record<string, Change>;

export type ChangeName = keyof typeof changes;

export const changeNames = Object.keys(changes) as readonly ChangeName[];

/** Those that files on a path show, of the names in `among`, in their order. */
export function changesOf(among: readonly ChangeName[], path: Change["path"]): Change[] {
  return changeNames
    .filter((name) => among.includes(name))
    .map((name): Change => changes[name])
    .filter((change) => change.path === undefined || change.path === path);
}
