/**
 * The types that the iomap code and a file system share.
 *
 * Kernel:   include/linux/iomap.h
 */
import type { DELAYED, HOLE, UNWRITTEN, WRITTEN } from "./types.ts";
import type { Inode } from "./types.ts";

/** IOMAP_MAPPED, IOMAP_UNWRITTEN, IOMAP_DELALLOC, IOMAP_HOLE */
export type IomapType = typeof WRITTEN | typeof UNWRITTEN | typeof DELAYED | typeof HOLE;

/** struct iomap: bytes [offset, offset + length) of the file are of one type. */
export interface Iomap {
  type: IomapType;
  offset: number;
  length: number;
  /** IOMAP_F_NEW: made by this very call of iomap_begin. */
  isNew: boolean;
  /** IOMAP_F_STALE: what was mapped has changed since. */
  stale: boolean;
  /** What the file system needs to tell that the mapping still holds. */
  validity_cookie: number;
}

/** struct iomap_ops */
export interface IomapOps {
  /** The mapping at `pos`, of up to `length` bytes, or -errno. */
  iomap_begin(inode: Inode, pos: number, length: number): Iomap | number;
  /** `written` of the `length` bytes from `pos` on were dealt with. */
  iomap_end?(inode: Inode, pos: number, length: number, written: number, iomap: Iomap): void;
}

/** struct iomap_ioend: bytes that were written, and the type of the blocks they went to. */
export interface Ioend {
  io_type: IomapType;
  io_offset: number;
  io_size: number;
}

/** struct iomap_writepage_ctx */
export interface WritepageContext {
  /** The mapping that the last dirty block had; absent before the first. */
  iomap: Iomap | undefined;
  /** Last byte that writeback was asked for: struct writeback_control range_end. */
  range_end: number;
  ioends: Ioend[];
}
