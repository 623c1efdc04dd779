/**
 * The model's assertions do fail. Each case breaks the state by hand, or an entry of the table of
 * functions, as a mistake in the model would, and goes on until what should have held is named.
 */
import { describe, expect, test } from "vitest";
import {
  createFileSystem,
  createInode,
  dropCache,
  fsync,
  ftruncate,
  pread,
  pwrite,
} from "../file-system.ts";
import { mark_buffer_dirty } from "../fs/buffer.ts";
import { folio_split } from "../mm/folio.ts";
import { delalloc, iomap, nodelalloc } from "../samples.ts";
import type { ModelConfig, Override } from "../tables.ts";
import { ModelBroken } from "./assert.ts";
import type { Folio, Inode } from "./types.ts";
import { WRITTEN } from "./types.ts";

const PAGE = 4096;

function newFile(config: ModelConfig, overrides: readonly Override[] = []): Inode {
  return createInode(createFileSystem(config, overrides));
}

/** A write of whole pages. */
function write(inode: Inode, page: number, pages = 1): void {
  pwrite(inode, page * PAGE, pages * PAGE, pages * PAGE, 0);
}

const firstFolio = (inode: Inode): Folio => inode.i_mapping[0] as Folio;

interface Breakage {
  says: string;
  /** A file with a page that was written to it and not synced. */
  breaks: (inode: Inode) => void;
  config?: ModelConfig;
}

const byHand: Breakage[] = [
  {
    says: "no more is released than was reserved",
    breaks: (inode) => {
      write(inode, 1);
      inode.i_reserved_data_blocks = 1;
      ftruncate(inode, 0);
    },
  },
  {
    says: "what a file reserves is counted for its file system too",
    breaks: (inode) => {
      inode.i_sb.s_dirtyclusters_counter = 0;
      write(inode, 1);
    },
  },
  {
    says: "only a hole becomes delayed",
    breaks: (inode) => {
      fsync(inode);
      inode.i_sb.s_op.ext4_da_reserve_space(inode, 1);
      inode.i_sb.s_op.ext4_es_insert_delayed_extent(inode, 0, 1);
    },
  },
  {
    says: "space is reserved before blocks are delayed",
    breaks: (inode) => inode.i_sb.s_op.ext4_es_insert_delayed_extent(inode, 1, 2),
  },
  {
    says: "what is remembered of allocated blocks is what the extent tree has",
    breaks: (inode) => inode.i_sb.s_op.ext4_es_insert_extent(inode, 1, 1, WRITTEN),
  },
  {
    says: "the size on disk is no larger than the file's",
    breaks: (inode) => {
      inode.i_disksize = 2 * PAGE;
      fsync(inode);
    },
  },
  {
    says: "no more is taken from preallocated room than is left of it",
    config: nodelalloc,
    breaks: (inode) => {
      write(inode, 1, 20);
      inode.i_prealloc[0]!.pa_free = 0;
      write(inode, 21);
    },
  },
  {
    says: "what is ordered is not empty",
    breaks: (inode) => inode.i_sb.s_op.ext4_jbd2_inode_add_write(inode, 0, 0),
  },
  {
    says: "a dirty folio is tagged dirty",
    breaks: (inode) => {
      firstFolio(inode).tagged = false;
      fsync(inode);
    },
  },
  {
    says: "a buffer that is made dirty is uptodate",
    breaks: (inode) => {
      firstFolio(inode).buffers?.fill(0);
      mark_buffer_dirty(inode, firstFolio(inode), 0);
    },
  },
  {
    says: "a folio has buffers or iomap_folio_state, never both",
    breaks: (inode) => {
      firstFolio(inode).buffers = undefined;
      firstFolio(inode).ifs = new Uint8Array(1);
      write(inode, 0);
    },
  },
  {
    says: "a folio is split around a page that it holds",
    breaks: (inode) => folio_split(inode, { ...firstFolio(inode), buffers: undefined }, 1),
  },
];

describe("a state that is broken by hand", () => {
  test.each(byHand)("$says", ({ says, breaks, config = delalloc }) => {
    const inode = newFile(config);
    write(inode, 0);
    expect(() => breaks(inode)).toThrow(new ModelBroken(says));
  });
});

interface Fault {
  says: string;
  override: Override;
  config?: ModelConfig;
}

/** Entries of the table that do not what they must; all of them are come to by `everything`. */
const faults: Fault[] = [
  {
    says: "no more is accepted of a write than was copied",
    override: () => ({ write_end: (_inode, _pos, _len, copied) => copied + 1 }),
  },
  {
    says: "a truncation forgets all that is past EOF",
    override: () => ({ ext4_es_remove_extent() {} }),
  },
  {
    says: "a commit leaves nothing filed",
    override: () => ({ jbd2_journal_commit_transaction() {} }),
  },
  {
    says: "nothing is kept of the blocks of a folio that was released",
    config: nodelalloc,
    override: () => ({ release_folio: () => true }),
  },
  {
    says: "a mapping begins no later than it was asked for",
    config: iomap,
    override: (base) => ({
      ext4_set_iomap(inode, map) {
        const mapping = base.ext4_set_iomap(inode, map);
        return { ...mapping, offset: mapping.offset + PAGE };
      },
    }),
  },
  {
    says: "the mapping of a dirty block holds it",
    config: iomap,
    override: (base) => ({
      map_blocks(inode, wpc, offset, dirty_len) {
        return base.map_blocks(inode, wpc, offset + dirty_len, PAGE);
      },
    }),
  },
  {
    says: "what writeback maps is not empty",
    config: iomap,
    override: (base) => ({
      map_blocks: (inode, wpc, offset) => base.map_blocks(inode, wpc, offset, 0),
    }),
  },
];

function everything(inode: Inode): void {
  write(inode, 0, 2);
  fsync(inode);
  ftruncate(inode, PAGE / 2);
  fsync(inode);
  dropCache(inode);
  pread(inode, 0, PAGE);
}

describe("a function of the table that is wrong", () => {
  test.each(faults)("$says", ({ says, override, config = delalloc }) => {
    const inode = newFile(config, [override]);
    expect(() => everything(inode)).toThrow(new ModelBroken(says));
  });

  test("is none in the model as it is", () => {
    for (const config of [delalloc, nodelalloc, iomap]) {
      expect(() => everything(newFile(config))).not.toThrow();
    }
  });
});
