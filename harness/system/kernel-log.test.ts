import { expect, test } from "vitest";
import { isAlarming, unknownOption } from "./kernel-log.ts";

test.each([
  ["2,7,100,-;EXT4-fs error (device loop3): ext4_lookup:1785: inode #2", true],
  ["4,7,100,-;EXT4-fs warning (device loop3): ext4_end_bio:342: I/O error", true],
  ["6,7,100,-;EXT4-fs (loop3): mounted filesystem r/w", false],
  // Another run's device, whose name begins like ours.
  ["2,7,100,-;EXT4-fs error (device loop31): ext4_lookup:1785: inode #2", false],
  ["4,7,100,-;WARNING: CPU: 1 PID: 77 at fs/ext4/inode.c:393", true],
  ["3,7,100,-;INFO: task umount:99 blocked for more than 120 seconds.", true],
  // Facility 1 (user), severity 6: 14 & 7 is 6.
  ["14,7,100,-;a note about loop3", false],
])("%s", (record, alarming) => {
  expect(isAlarming(record, "loop3")).toBe(alarming);
});

test.each([
  ["ext4: Unknown parameter 'buffered_iomap'", "buffered_iomap"],
  ["ext4: Unknown parameter 'commits'", undefined],
  [
    'EXT4-fs (loop0): Unrecognized mount option "buffered_iomap" or missing value',
    "buffered_iomap",
  ],
  ["EXT4-fs (loop0): bad block size 65536", undefined],
])("%s: which is not known of those that were asked for", (text, unknown) => {
  expect(unknownOption(text, ["buffered_iomap", "commit=86400"])).toBe(unknown);
});
