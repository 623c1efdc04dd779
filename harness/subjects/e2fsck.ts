/**
 * What e2fsck(8) says of an image, and where it is wrong.
 *
 * Of an extent tree of depth 2 or more it takes EOF for the end of the last index entry, and
 * complains of all that lies behind, and of what follows from that: a file that fallocate(2) has
 * given blocks past its EOF is as it must be (lib/ext2fs/extent.c ext2fs_extent_open2() and
 * ext2fs_extent_get(), e2fsck/pass1.c scan_extent_node(); known as issue 145 of e2fsprogs since
 * 2023, and so in 1.47.4). Such files are given, for as long as it looks, a size that covers their
 * blocks, so that it checks them as it does all others.
 */
import { readOnDiskSync } from "./on-disk.ts";
import type { OnDiskFile } from "./on-disk.ts";
import { run, runSync } from "../system/process.ts";
import type { ProcessResult } from "../system/process.ts";

const noise = /^(e2fsck \d|Pass \d|$)|\d+\/\d+ files|\*\*\*\*\*/;

/**
 * What e2fsck says besides damage, the least first: hints, answers and what it is about to do;
 * lines that go on with another; counters of the file system; size and blocks of a file.
 */
const LESSER = [
  /could be (?:shorter|narrower)|optimi[sz]e|^[\w -]+\? no$|^Running additional passes/i,
  /^[\s(]|^File .* \(inode #/,
  /differences:|count wrong/,
  /i_(?:size|blocks) is/,
];

/** How far from the worst a line of e2fsck is. The first line is a report's headline. */
function rankOf(line: string): number {
  const lesser = LESSER.findIndex((sign) => sign.test(line));
  return lesser < 0 ? 0 : LESSER.length - lesser;
}

/** What e2fsck complained of, the worst first. */
export function complaintsOf({ exitCode, stdout, stderr }: ProcessResult): string[] {
  if (exitCode === 0) return [];
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => !noise.test(line));
  if (lines.length === 0) return [`e2fsck exited with ${exitCode}`];
  return lines.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** What it says first of a tree that goes on behind EOF. */
const BEHIND_EOF = /^Inode (\d+), end of extent exceeds allowed value/;

/** Bytes of the file up to where its blocks end. */
function coveringSize({ extents, i_size }: OnDiskFile, blockSize: number): number {
  const last = extents.at(-1);
  return last === undefined ? i_size : Math.max(i_size, (last.lblk + last.len) * blockSize);
}

/** Give files of an image that is not mounted these sizes. */
function setSizes(imageFile: string, sizes: ReadonlyMap<number, number>): void {
  const lines = [...sizes].map(([ino, size]) => `set_inode_field <${ino}> size ${size}\n`);
  runSync("debugfs", ["-w", "-f", "-", imageFile], { input: lines.join("") });
}

/** What is left of the complaints once every file has a size that covers its blocks. */
function withoutItsOwn(imageFile: string, complaints: string[]): string[] {
  const named = complaints.flatMap((line) => BEHIND_EOF.exec(line)?.[1] ?? []).map(Number);
  if (named.length === 0) return complaints;
  const { files, blockSize } = readOnDiskSync(imageFile, [...new Set(named)]);
  const deep = [...files].filter(([, { depth }]) => depth >= 2);
  if (deep.length === 0) return complaints;
  setSizes(imageFile, new Map(deep.map(([ino, file]) => [ino, coveringSize(file, blockSize)])));
  try {
    return complaintsOf(runSync("e2fsck", ["-fn", imageFile]));
  } finally {
    setSizes(imageFile, new Map(deep.map(([ino, { i_size }]) => [ino, i_size])));
  }
}

/**
 * Checks an unmounted image (e2fsck -fn changes nothing); returns its complaints, none where it is
 * clean. Sizes change for a moment where it may be wrong, and not before `others` are done, who read
 * the image meanwhile.
 */
export async function checkImage(imageFile: string, others?: Promise<unknown>): Promise<string[]> {
  const complaints = complaintsOf(await run("e2fsck", ["-fn", imageFile]));
  await others;
  return withoutItsOwn(imageFile, complaints);
}

/** As `checkImage`, waiting. */
export function checkImageSync(imageFile: string): string[] {
  return withoutItsOwn(imageFile, complaintsOf(runSync("e2fsck", ["-fn", imageFile])));
}
