/**
 * What is on disk, read from the unmounted image and not from the kernel: debugfs(8) and e2fsck(8).
 *
 * One debugfs process reads any number of inodes: starting it costs more than what it does.
 */
import { EnvironmentError } from "../case/failure.ts";
import type { Extent } from "../case/observation.ts";
import { appendMerged } from "../system/merged-extents.ts";
import { run, runSync } from "../system/process.ts";
import type { ProcessResult } from "../system/process.ts";

/** The root directory's inode number (EXT4_ROOT_INO, fs/ext4/ext4.h). */
export const EXT4_ROOT_INO = 2;

export interface OnDiskFile {
  /** Bytes. */
  i_size: number;
  /** 512-byte units. */
  st_blocks: number;
  /** Merged by state. */
  extents: Extent[];
  /** Extents before merging. */
  pieces: number;
  /** Blocks of the extent tree outside the inode: one for each index entry. */
  treeBlocks: number;
}

export interface OnDisk {
  /** Free blocks as the superblock counts them. */
  freeBlocks: number;
  /** By inode number; an inode that debugfs could not read is missing. */
  files: Map<number, OnDiskFile>;
  /** What debugfs complained of, a line each. */
  complaints: string[];
}

/**
 * A line of dump_extents: level/depth, entry/entries, logical first - last, physical first (-
 * last), length, flags. An index entry (level below depth) has no last physical block.
 */
const LEVELS = /^ *(\d+)\/ *(\d+) +\d+\/ *\d+ /;
const LEAF = /^ *\d+\/ *\d+ +\d+\/ *\d+ +(\d+) - +(\d+) +\d+ - +\d+ +\d+ *(\w*)/;

function readExtentLine(file: OnDiskFile, line: string): void {
  const levels = LEVELS.exec(line);
  if (levels === null) return;
  if (levels[1] !== levels[2]) {
    file.treeBlocks++;
    return;
  }
  const leaf = LEAF.exec(line);
  if (leaf === null) throw unreadable(line);
  const lblk = Number(leaf[1]);
  const len = Number(leaf[2]) - lblk + 1;
  appendMerged(file.extents, lblk, len, leaf[3] === "Uninit" ? "unwritten" : "written");
  file.pieces++;
}

function unreadable(line: string): EnvironmentError {
  return new EnvironmentError(
    "process-failed",
    `debugfs printed a line that is not understood: ${line}`,
    "Use e2fsprogs 1.46 or newer.",
  );
}

/**
 * Parses what debugfs prints for a script of `dump_extents <ino>` and `stat <ino>`, which it
 * echoes.
 */
export function parseDebugfs(stdout: string): Omit<OnDisk, "complaints"> {
  const files = new Map<number, OnDiskFile>();
  let freeBlocks = Number.NaN;
  let ino = 0;
  let file: OnDiskFile = emptyFile();
  for (const line of stdout.split("\n")) {
    const command = /^debugfs: (\w+)(?: <(\d+)>)?/.exec(line);
    if (command !== null) {
      ino = Number(command[2]);
      if (command[1] === "dump_extents") file = emptyFile();
      continue;
    }
    readExtentLine(file, line);
    const free = /^Free blocks: +(\d+)/.exec(line);
    if (free !== null) freeBlocks = Number(free[1]);
    const size = /^User: .* Size: (\d+)/.exec(line);
    if (size !== null) file.i_size = Number(size[1]);
    const blocks = /^Links: .*Blockcount: (\d+)/.exec(line);
    if (blocks !== null) {
      file.st_blocks = Number(blocks[1]);
      files.set(ino, file);
    }
  }
  return { freeBlocks, files };
}

function emptyFile(): OnDiskFile {
  return { i_size: 0, st_blocks: 0, extents: [], pieces: 0, treeBlocks: 0 };
}

/** The script for debugfs to list inodes. */
function listing(inodes: readonly number[]): string {
  const commands = inodes.map((ino) => `dump_extents <${ino}>\nstat <${ino}>\n`);
  return `show_super_stats -h\n${commands.join("")}`;
}

/**
 * Arguments of debugfs, with its script as input. -c leaves out the bitmaps: nothing of what is
 * asked for is in them.
 */
const debugfs = (imageFile: string): string[] => ["-c", "-f", "-", imageFile];

/** What debugfs answered. */
function answerIn({ stdout, stderr }: ProcessResult): OnDisk {
  const onDisk = parseDebugfs(stdout);
  // The first line is its version.
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/^debugfs \d/.test(line));
  if (Number.isNaN(onDisk.freeBlocks)) throw unreadable(complaints.join("; ") || stdout);
  return { ...onDisk, complaints };
}

/**
 * Reads inodes of an unmounted image. Throws EnvironmentError where debugfs does not work at all.
 */
export async function readOnDisk(imageFile: string, inodes: readonly number[]): Promise<OnDisk> {
  return answerIn(await run("debugfs", debugfs(imageFile), { input: listing(inodes) }));
}

/** As `readOnDisk`, waiting: for a look in the middle of a case. */
export function readOnDiskSync(imageFile: string, inodes: readonly number[]): OnDisk {
  return answerIn(runSync("debugfs", debugfs(imageFile), { input: listing(inodes) }));
}

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

/**
 * Checks an unmounted image (e2fsck -fn changes nothing); returns its complaints, none where it is
 * clean.
 */
export async function checkImage(imageFile: string): Promise<string[]> {
  return complaintsOf(await run("e2fsck", ["-fn", imageFile]));
}

/** As `checkImage`, waiting. */
export function checkImageSync(imageFile: string): string[] {
  return complaintsOf(runSync("e2fsck", ["-fn", imageFile]));
}
