/**
 * What is on disk, read from the unmounted image and not from the kernel: debugfs(8).
 *
 * One debugfs process reads any number of inodes: starting it costs more than what it does.
 */
import { leafCapacity } from "../case/extents.ts";
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
  /** Levels of index entries above the extents: 0 where those are in the inode. */
  depth: number;
  /** Of leaves outside the inode that hold as many extents as they can, and of all of those. */
  fullLeaves: number;
  leaves: number;
}

export interface OnDisk {
  /** Free blocks as the superblock counts them. */
  freeBlocks: number;
  /** Bytes. */
  blockSize: number;
  /** By inode number; an inode that debugfs could not read is missing. */
  files: Map<number, OnDiskFile>;
  /** What debugfs complained of, a line each. */
  complaints: string[];
}

/**
 * A line of dump_extents: level/depth, entry/entries, logical first - last, physical first (-
 * last), length, flags. An index entry (level below depth) has no last physical block.
 */
const LEVELS = /^ *(\d+)\/ *(\d+) +(\d+)\/ *(\d+) /;
const LEAF = /^ *\d+\/ *\d+ +\d+\/ *\d+ +(\d+) - +(\d+) +\d+ - +\d+ +\d+ *(\w*)/;

function readExtentLine(file: OnDiskFile, line: string, blockSize: number): void {
  const levels = LEVELS.exec(line);
  if (levels === null) return;
  const [level, depth, entry, entries] = levels.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  file.depth = depth;
  if (level !== depth) {
    file.treeBlocks++;
    return;
  }
  if (depth > 0 && entry === entries) {
    file.leaves++;
    if (entries === leafCapacity(blockSize)) file.fullLeaves++;
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
  let blockSize = Number.NaN;
  let ino = 0;
  let file: OnDiskFile = emptyFile();
  for (const line of stdout.split("\n")) {
    const command = /^debugfs: (\w+)(?: <(\d+)>)?/.exec(line);
    if (command !== null) {
      ino = Number(command[2]);
      if (command[1] === "dump_extents") file = emptyFile();
      continue;
    }
    readExtentLine(file, line, blockSize);
    const free = /^Free blocks: +(\d+)/.exec(line);
    if (free !== null) freeBlocks = Number(free[1]);
    const bytes = /^Block size: +(\d+)/.exec(line);
    if (bytes !== null) blockSize = Number(bytes[1]);
    const size = /^User: .* Size: (\d+)/.exec(line);
    if (size !== null) file.i_size = Number(size[1]);
    const blocks = /^Links: .*Blockcount: (\d+)/.exec(line);
    if (blocks !== null) {
      file.st_blocks = Number(blocks[1]);
      files.set(ino, file);
    }
  }
  return { freeBlocks, blockSize, files };
}

function emptyFile(): OnDiskFile {
  const tree = { treeBlocks: 0, depth: 0, leaves: 0, fullLeaves: 0 };
  return { i_size: 0, st_blocks: 0, extents: [], pieces: 0, ...tree };
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
