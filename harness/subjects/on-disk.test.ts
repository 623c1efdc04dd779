import { expect, test } from "vitest";
import { parseDebugfs } from "./on-disk.ts";

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
    depth: 1,
    leaves: 1,
    fullLeaves: 0,
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
