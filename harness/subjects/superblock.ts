/**
 * What the superblock of an image says: its features, and what of it decides how files are written.
 *
 * Kernel: fs/ext4/ext4.h struct ext4_super_block; Documentation/filesystems/ext4/super.rst
 */
import { closeSync, openSync, readSync } from "node:fs";

/** Where it lies, and its length, bytes. */
const OFFSET = 1024;
const LENGTH = 1024;

/** Features by their bits, with the names that mkfs.ext4 -O takes. */
const COMPAT: Record<number, string> = {
  0x1: "dir_prealloc",
  0x2: "imagic_inodes",
  0x4: "has_journal",
  0x8: "ext_attr",
  0x10: "resize_inode",
  0x20: "dir_index",
  0x200: "sparse_super2",
  0x400: "fast_commit",
  0x800: "stable_inodes",
  0x1000: "orphan_file",
};
const INCOMPAT: Record<number, string> = {
  0x1: "compression",
  0x2: "filetype",
  0x4: "needs_recovery",
  0x8: "journal_dev",
  0x10: "meta_bg",
  0x40: "extent",
  0x80: "64bit",
  0x100: "mmp",
  0x200: "flex_bg",
  0x400: "ea_inode",
  0x1000: "dirdata",
  0x2000: "metadata_csum_seed",
  0x4000: "large_dir",
  0x8000: "inline_data",
  0x10000: "encrypt",
  0x20000: "casefold",
};
const RO_COMPAT: Record<number, string> = {
  0x1: "sparse_super",
  0x2: "large_file",
  0x8: "huge_file",
  0x10: "uninit_bg",
  0x20: "dir_nlink",
  0x40: "extra_isize",
  0x100: "quota",
  0x200: "bigalloc",
  0x400: "metadata_csum",
  0x1000: "read-only",
  0x2000: "project",
  0x8000: "verity",
  0x10000: "orphan_present",
};

export interface Superblock {
  /** A feature without a name here is "compat 0x40000". */
  features: ReadonlySet<string>;
  /** Bytes. */
  blockSize: number;
  clusterSize: number;
  s_blocks_per_group: number;
  /** Blocks: for a RAID. */
  s_raid_stride: number;
  s_raid_stripe_width: number;
  /** EXT4_DEFM_* */
  s_default_mount_opts: number;
  /** As mkfs.ext4 -E mount_opts= takes them. */
  s_mount_opts: string;
}

function named(bits: number, names: Record<number, string>, kind: string): string[] {
  const set: string[] = [];
  for (let i = 0; i < 32; i++) {
    const bit = 2 ** i;
    if (Math.floor(bits / bit) % 2 === 1) set.push(names[bit] ?? `${kind} 0x${bit.toString(16)}`);
  }
  return set;
}

/** What 1024 bytes of a superblock say. */
export function parseSuperblock(bytes: Buffer): Superblock {
  return {
    features: new Set([
      ...named(bytes.readUInt32LE(0x5c), COMPAT, "compat"),
      ...named(bytes.readUInt32LE(0x60), INCOMPAT, "incompat"),
      ...named(bytes.readUInt32LE(0x64), RO_COMPAT, "ro_compat"),
    ]),
    blockSize: 1024 * 2 ** bytes.readUInt32LE(0x18),
    clusterSize: 1024 * 2 ** bytes.readUInt32LE(0x1c),
    s_blocks_per_group: bytes.readUInt32LE(0x20),
    s_raid_stride: bytes.readUInt16LE(0x164),
    s_raid_stripe_width: bytes.readUInt32LE(0x170),
    s_default_mount_opts: bytes.readUInt32LE(0x100),
    s_mount_opts: bytes.toString("latin1", 0x200, 0x240).split("\0")[0]!,
  };
}

/** The superblock of an image file. */
export function readSuperblock(imageFile: string): Superblock {
  const bytes = Buffer.alloc(LENGTH);
  const fd = openSync(imageFile, "r");
  try {
    readSync(fd, bytes, 0, LENGTH, OFFSET);
  } finally {
    closeSync(fd);
  }
  return parseSuperblock(bytes);
}
