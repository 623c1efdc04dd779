/**
 * Whether the model follows a file system as it was made. It knows what is listed here; with
 * anything else the contract alone judges, and what a run says of it says so.
 */
import { PAGE_SIZE } from "../../model/include/types.ts";
import { mayFillUp, NOT_MODELLED } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import type { Superblock } from "./superblock.ts";

/** Features without which files are written otherwise. */
const NEEDED = ["extent", "filetype", "large_file", "huge_file"];

/** Features that change nothing of what the model follows. */
const KNOWN = new Set([
  ...NEEDED,
  "64bit",
  "dir_index",
  "dir_nlink",
  "ext_attr",
  "extra_isize",
  "flex_bg",
  "has_journal",
  "metadata_csum",
  "metadata_csum_seed",
  "needs_recovery",
  "orphan_file",
  "orphan_present",
  "resize_inode",
  "sparse_super",
  "uninit_bg",
]);

/** Mount options that the model is told, or that say what is so anyway. */
const MOUNT_OPTIONS = new Set([
  "buffered_iomap",
  "data=journal",
  "data=ordered",
  "delalloc",
  "dioread_lock",
  "dioread_nolock",
  "nobuffered_iomap",
  "nodelalloc",
]);

/** EXT4_DEFM_XATTR_USER and EXT4_DEFM_ACL. */
const DEFAULT_MOUNT_OPTIONS = 0x4 | 0x8;

function unknownOf(superblock: Superblock): string[] {
  const { features, blockSize, clusterSize, s_mount_opts, s_default_mount_opts } = superblock;
  const { s_blocks_per_group, s_raid_stride, s_raid_stripe_width } = superblock;
  const unknown = [...features].filter((feature) => !KNOWN.has(feature));
  const missing = NEEDED.filter((feature) => !features.has(feature));
  return [
    ...unknown.map((feature) => `feature ${feature}`),
    ...missing.map((feature) => `no feature ${feature}`),
    ...(blockSize <= PAGE_SIZE ? [] : [`blocks of ${blockSize} bytes, larger than a page`]),
    ...(clusterSize === blockSize ? [] : [`clusters of ${clusterSize} bytes`]),
    ...(s_blocks_per_group === 8 * blockSize ? [] : [`${s_blocks_per_group} blocks per group`]),
    ...(s_raid_stride === 0 && s_raid_stripe_width === 0 ? [] : ["stride and stripe_width"]),
    ...(s_mount_opts === "" ? [] : [`mount options ${s_mount_opts} in the superblock`]),
    ...((s_default_mount_opts & ~DEFAULT_MOUNT_OPTIONS) === 0
      ? []
      : [`default mount options 0x${s_default_mount_opts.toString(16)}`]),
  ];
}

/**
 * Why the model does not follow a file system of this variant with this superblock, in words;
 * undefined where it does.
 */
export function notModelled(variant: Variant, superblock: Superblock): string | undefined {
  if (mayFillUp(variant)) return NOT_MODELLED;
  const options = variant.mountOptions.flatMap((option) => option.split(","));
  const unknown = [
    ...unknownOf(superblock),
    ...options
      .filter((option) => !MOUNT_OPTIONS.has(option))
      .map((option) => `mount option ${option}`),
  ];
  if (unknown.length === 0) return undefined;
  return `the model does not know: ${unknown.join(", ")}`;
}

/** The variant as mkfs.ext4 made it: a small image gets no journal, whoever wants one. */
export function asMade(variant: Variant, { features }: Superblock): Variant {
  const wanted = variant.journal === "none" ? "ordered" : variant.journal;
  return { ...variant, journal: features.has("has_journal") ? wanted : "none" };
}
