import { expect, test } from "vitest";
import { complaintsOf, parseDebugfs } from "./on-disk.ts";

// debugfs 1.47.0, 1 KiB blocks; an extent tree of depth 1, and a last block that 32 bits just hold.
const OUTPUT = `debugfs: show_super_stats -h
Filesystem volume name:   <none>
Free blocks:              57268
debugfs: dump_extents <13>
Level Entries       Logical          Physical Length Flags
 0/ 1   1/  1     0 -    19 10242             20
 1/ 1   1/  5     0 -     0  8453 -  8453      1 Uninit
 1/ 1   2/  5     1 -     1  8454 -  8454      1 
 1/ 1   3/  5     2 -     3  8455 -  8456      2 
 1/ 1   4/  5     8 -    11  8457 -  8460      4 Uninit
 1/ 1   5/  5    16 -    19  8461 -  8464      4 Uninit
debugfs: stat <13>
Inode: 13   Type: regular    Mode:  0755   Flags: 0x80000
User:     0   Group:     0   Project:     0   Size: 20480
Links: 1   Blockcount: 26
EXTENTS:
(ETB0):10242, (0[u]):8453, (1):8454, (2-3):8455-8456
debugfs: dump_extents <14>
Level Entries                 Logical      Physical Length Flags
 0/ 0   1/  1 4294967292 - 4294967292 10244 - 10244      1 
debugfs: stat <14>
User:     0   Group:     0   Project:     0   Size: 4398046508032
Links: 1   Blockcount: 2
debugfs: dump_extents <999>
debugfs: stat <999>
`;

test("extents, tree blocks, sizes", () => {
  const { freeBlocks, files } = parseDebugfs(OUTPUT);
  expect(freeBlocks).toBe(57268);
  expect([...files.keys()]).toEqual([13, 14]);
  expect(files.get(13)).toEqual({
    i_size: 20480,
    st_blocks: 26,
    pieces: 5,
    treeBlocks: 1,
    extents: [
      { lblk: 0, len: 1, state: "unwritten" },
      { lblk: 1, len: 3, state: "written" },
      { lblk: 8, len: 4, state: "unwritten" },
      { lblk: 16, len: 4, state: "unwritten" },
    ],
  });
  expect(files.get(14)).toMatchObject({
    i_size: 4398046508032,
    treeBlocks: 0,
    extents: [{ lblk: 4294967292, len: 1, state: "written" }],
  });
});

test("a line that looks like an extent but is not understood is an error, not a file with fewer extents", () => {
  expect(() => parseDebugfs(" 0/ 0   1/  1     0 -     ?\n")).toThrow(/not understood/);
});

// e2fsck 1.47.0 -fn: a hint comes first, since extent trees are looked at before blocks are
// counted.
const COMPLAINTS = `Pass 1: Checking inodes, blocks, and sizes
Inode 13 extent tree (at level 1) could be shorter.  Optimize? no

Inode 14, i_blocks is 4242, should be 8.  Fix? no

Pass 5: Checking group summary information
Free blocks count wrong (57268, counted=57267).
Fix? no

Inode 15, i_size is 0, should be 4096.  Fix? no
Multiply-claimed block(s) in inode 12: 8453
image: ********** WARNING: Filesystem still has errors **********
`;

test("the headline is the worst of what e2fsck complains of", () => {
  const lines = complaintsOf({ exitCode: 4, stdout: COMPLAINTS, stderr: "", complaint: "" });
  expect(lines).toEqual([
    "Multiply-claimed block(s) in inode 12: 8453",
    "Inode 14, i_blocks is 4242, should be 8.  Fix? no",
    "Inode 15, i_size is 0, should be 4096.  Fix? no",
    "Free blocks count wrong (57268, counted=57267).",
    "Inode 13 extent tree (at level 1) could be shorter.  Optimize? no",
    "Fix? no",
  ]);
});

// e2fsck 1.47.0 -fn where two inodes have the same blocks.
const CLAIMED_TWICE = `Pass 1: Checking inodes, blocks, and sizes

Running additional passes to resolve blocks claimed by more than one inode...
Pass 1B: Rescanning for multiply-claimed blocks
Multiply-claimed block(s) in inode 12: 1291--1292
Multiply-claimed block(s) in inode 13: 1291--1292
Pass 1C: Scanning directories for inodes with multiply-claimed blocks
Pass 1D: Reconciling multiply-claimed blocks
(There are 2 inodes containing multiply-claimed blocks.)

File /a (inode #12, mod time Sun Nov 29 02:15:18 2026) 
  has 2 multiply-claimed block(s), shared with 1 file(s):
\t/b (inode #13, mod time Sun Nov 29 02:15:18 2026)
Clone multiply-claimed blocks? no

Delete file? no

Pass 5: Checking group summary information
Block bitmap differences:  -(1293--1294)
Fix? no
`;

test("what e2fsck is about to do, and asks, is no headline", () => {
  const lines = complaintsOf({ exitCode: 4, stdout: CLAIMED_TWICE, stderr: "", complaint: "" });
  expect(lines.slice(0, 3)).toEqual([
    "Multiply-claimed block(s) in inode 12: 1291--1292",
    "Multiply-claimed block(s) in inode 13: 1291--1292",
    "Block bitmap differences:  -(1293--1294)",
  ]);
});
