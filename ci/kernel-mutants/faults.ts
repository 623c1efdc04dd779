/**
 * A kernel that goes wrong on command, for the tests of what happens then. Where a hole begins says
 * how: see `faultAt`.
 */
import type { Edit } from "./apply.ts";

/**
 * Bytes from the beginning of a 1 KiB unit to where a punched hole begins, for each way to go
 * wrong.
 */
export const faultAt = {
  /**
   * Generated cases come to it: positions lie at the boundaries of blocks, and a byte beside them.
   */
  bug: 1,
  hang: 77,
  /** Once a boot, if nobody helps. */
  warning: 78,
  /** What ext4 says of a file system that is damaged. */
  error: 79,
} as const;

const at = (bytes: number): string => `(offset & 1023) == ${bytes}`;

export const faults: readonly Edit[] = [
  {
    file: "fs/ext4/inode.c",
    within: "ext4_punch_hole",
    find: "trace_ext4_punch_hole(inode, offset, length, 0);",
    replace: [
      "trace_ext4_punch_hole(inode, offset, length, 0);",
      `BUG_ON(${at(faultAt.bug)});`,
      `while (${at(faultAt.hang)}) schedule_timeout_uninterruptible(HZ);`,
      `WARN_ON_ONCE(${at(faultAt.warning)});`,
      `if (${at(faultAt.error)}) EXT4_ERROR_INODE(inode, "on command");`,
    ].join("\n\t"),
  },
  {
    // No file system with 1 KiB blocks is mounted.
    file: "fs/ext4/super.c",
    within: "ext4_check_feature_compatibility",
    find: "struct ext4_sb_info *sbi = EXT4_SB(sb);",
    replace: [
      "struct ext4_sb_info *sbi = EXT4_SB(sb);",
      "if (sb->s_blocksize == 1024) {",
      '\text4_msg(sb, KERN_ERR, "no, on command");',
      "\treturn -EINVAL;",
      "}",
    ].join("\n\t"),
  },
];
