import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runSync } from "../system/process.ts";
import { machineLacks } from "../system/machine.ts";
import { variantNamed } from "../under-test/variants.ts";
import { checkImage, checkImageSync, complaintsOf } from "./e2fsck.ts";
import { openImage } from "./image.ts";
import type { MountedImage } from "./image.ts";
import { KernelSubject } from "./kernel-subject.ts";
import { makeImage } from "./mkfs.ts";
import { readOnDiskSync } from "./on-disk.ts";

const lacking = machineLacks();
if (lacking !== undefined) console.warn(`SKIP: ${lacking.message}`);

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

describe.skipIf(lacking)(`checkImage ${lacking?.message ?? ""}`, () => {
  test("a clean image has no complaints, a wrong counter has", async () => {
    const directory = mkdtempSync(join(tmpdir(), "e2fsck-test-"));
    try {
      const imageFile = join(directory, "image");
      writeFileSync(imageFile, "");
      await makeImage(variantNamed("4k-small"), imageFile, true);
      expect(await checkImage(imageFile)).toEqual([]);
      runSync("debugfs", ["-w", "-R", "set_inode_field <2> blocks 4242", imageFile]);
      expect((await checkImage(imageFile)).join("\n")).toMatch(/i_blocks is 4242, should be 8/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

/** Leaves enough for a second level of index entries: each behind the 84th extent has one. */
const BEHIND_EOF = [
  { op: "comb", call: "keep_size", pos: 0, len: 83 * 2048, tooth: 1024, stride: 2048 },
  {
    op: "comb",
    call: "keep_size",
    pos: 83 * 2048,
    len: 8 * 2048,
    tooth: 1024,
    stride: 2048,
    backwards: true,
  },
  { op: "pwrite", pos: 0, len: 3000, readable: 3000 },
  { op: "fsync" },
] as const;

describe.skipIf(lacking)(`deep trees behind EOF ${lacking?.message ?? ""}`, () => {
  let image: MountedImage;
  let ino = 0;

  beforeAll(async () => {
    image = await openImage(variantNamed("1k-delalloc"));
    const subject = new KernelSubject(image);
    subject.begin([]);
    for (const [index, operation] of BEHIND_EOF.entries()) {
      subject.step(operation, index);
    }
    ({ ino } = subject.keep());
    subject.release();
    image.unmount();
  });
  afterAll(() => image.close());

  const raw = (): string => runSync("e2fsck", ["-fn", image.imageFile]).stdout;
  const onDisk = () => readOnDiskSync(image.imageFile, [ino]).files.get(ino);

  test("e2fsck complains of a file that is right, and is not believed", async () => {
    const before = onDisk();
    expect(before).toMatchObject({ i_size: 3000, depth: 2 });
    expect(raw()).toContain(`Inode ${ino}, end of extent exceeds allowed value`);
    expect(await checkImage(image.imageFile)).toEqual([]);
    expect(checkImageSync(image.imageFile)).toEqual([]);
    expect(onDisk()).toEqual(before);
  });

  test("what else is wrong with such a file is still found", () => {
    runSync("debugfs", ["-w", "-R", `set_inode_field <${ino}> blocks 4242`, image.imageFile]);
    const complaints = checkImageSync(image.imageFile);
    expect(complaints[0]).toMatch(/i_blocks is 4242, should be/);
    expect(complaints.join("\n")).not.toContain("end of extent exceeds");
  });
});
