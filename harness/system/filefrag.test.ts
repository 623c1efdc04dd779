import { expect, test } from "vitest";
import { parseFilefrag } from "./filefrag.ts";

// filefrag 1.47.0 on a kernel 6.18, 1 KiB blocks.
const CACHE = `Filesystem type is: ef53
File size of a is 106496 (104 blocks of 1024 bytes)
 ext:         logical_offset:        physical_offset: length:   expected: flags:
   0:          0..         3:          0..         0:      0:             hole
   1:          4..         7:       8705..      8708:      4:          4:
   2:          8..        11:       8457..      8460:      4:       8709:
   3:         12..        15:          0..         0:      0:             unknown_loc,delalloc
   4:        100..       103:       8453..      8456:      4:         88: unwritten,eof
   5:        104..4294967294:          0..         0:      0:             last,hole,eof
a: 6 extents found
`;

test("states, holes without a length, and merging of neighbours", () => {
  expect(parseFilefrag(CACHE)).toEqual({
    pieces: 6,
    extents: [
      { lblk: 0, len: 4, state: "hole" },
      { lblk: 4, len: 8, state: "written" },
      { lblk: 12, len: 4, state: "delayed" },
      { lblk: 100, len: 4, state: "unwritten" },
      { lblk: 104, len: 2 ** 32 - 105, state: "hole" },
    ],
  });
});

test("a file without extents", () => {
  expect(parseFilefrag("Filesystem type is: ef53\nb: 0 extents found\n")).toEqual({
    pieces: 0,
    extents: [],
  });
});
