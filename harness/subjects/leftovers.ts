/**
 * The tool's own directories: made here, recognised here, and swept here after a process that had
 * no chance to.
 *
 * A directory is ours when its name and its owner file say so, it lies directly in one of a few
 * places, and it belongs to this user. It is a leftover when the process in its owner file is gone:
 * the same pid with another start time is another process. An owner in another pid namespace of
 * this boot (a container or a guest that sees this directory through a shared file system) cannot
 * be judged from here, so its directories are left alone.
 *
 * What a process mounts on its directory only itself sees (own-mounts.ts), and it goes with the
 * process. So what a sweep removes is a directory with an owner file, and what a guest needed.
 */
import {
  type Stats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  rmdirSync,
  statfsSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tmp from "tmp";
import * as z from "zod";
import { EnvironmentError } from "../case/failure.ts";
import { removeUnusedLoops } from "./loop.ts";
import { bootOf, pidScope, startTimeOf } from "./owner.ts";

const PREFIX = "ext4-conform";
/** `tmp` names directories <prefix>-<pid>-<random>. */
const NAME = /^ext4-conform-(\d+)-[A-Za-z0-9]+$/;
const OWNER_FILE = "owner.json";

const ownerSchema = z.object({ pid: z.int(), startTime: z.string(), scope: z.string() });

/**
 * Where directories are made, best first, whatever TMPDIR says: so a later start finds them. Only
 * those that are there, without symbolic links, as the kernel names them in mountinfo.
 */
function places(): string[] {
  const there = ["/dev/shm", "/tmp", "/var/tmp", tmpdir()].flatMap((place) => {
    try {
      const path = realpathSync(place);
      return lstatSync(path).isDirectory() ? [path] : [];
    } catch {
      return [];
    }
  });
  return [...new Set(there)];
}

/**
 * Makes a directory in the first place that will do and lets us. Throws EnvironmentError where none
 * does.
 */
export function makeWorkDirectory(willDo: (place: string) => boolean = () => true): string {
  const refused: string[] = [];
  for (const place of places().filter(willDo)) {
    try {
      // Kept: `tmp` would remove it at exit while something is still mounted on it. undo.ts knows
      // the order.
      const { name } = tmp.dirSync({ tmpdir: place, prefix: PREFIX, mode: 0o700, keep: true });
      const owner = { pid: process.pid, startTime: startTimeOf(process.pid), scope: pidScope() };
      writeFileSync(join(name, OWNER_FILE), JSON.stringify(owner));
      return name;
    } catch (error) {
      refused.push(`${place}: ${(error as NodeJS.ErrnoException).code}`);
    }
  }
  throw new EnvironmentError(
    "no-space",
    `no directory can be made (${refused.join(", ")})`,
    "Make /tmp writable, with some room and inodes, or set TMPDIR to a directory that is.",
  );
}

/** Removes a directory with what is in it, where nothing is mounted any more. */
export function removeWorkDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

function lstatOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/**
 * The text of a regular file. Opening another kind could wait for ever, as with a FIFO that nobody
 * writes to.
 */
function readRegular(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${path} is no regular file`);
    return readFileSync(fd, "utf8");
  } finally {
    closeSync(fd);
  }
}

/**
 * f_type of file systems that only one running kernel has mounted (include/uapi/linux/magic.h):
 * ext4, XFS, Btrfs, F2FS, overlay.
 */
const LOCAL = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x794c7630]);

/** Whether what lies there cannot be of a machine that runs beside this one. */
function isLocal(directory: string): boolean {
  return LOCAL.has(statfsSync(directory).type);
}

/**
 * Whether a directory is a leftover, "empty" where its maker died before it wrote the owner file.
 */
function judge(directory: string, pidInName: number): "leftover" | "empty" | "not-ours" {
  const stats = lstatOrUndefined(directory);
  if (stats === undefined || !stats.isDirectory() || stats.uid !== process.geteuid?.()) {
    return "not-ours";
  }
  try {
    const owner = ownerSchema.parse(JSON.parse(readRegular(join(directory, OWNER_FILE))));
    if (owner.scope === pidScope()) {
      return startTimeOf(owner.pid) === owner.startTime ? "not-ours" : "leftover";
    }
    const earlier = bootOf(owner.scope) !== bootOf(pidScope()) && isLocal(directory);
    return earlier ? "leftover" : "not-ours";
  } catch {
    return startTimeOf(pidInName) === undefined ? "empty" : "not-ours";
  }
}

/** An owner file without a byte says that its maker died while it wrote it. */
function removeUnowned(directory: string): void {
  const owner = join(directory, OWNER_FILE);
  const stats = lstatOrUndefined(owner);
  if (stats?.isFile() === true && stats.size === 0) unlinkSync(owner);
  rmdirSync(directory);
}

/**
 * Sweeps what dead runs left; returns the directories it removed. Another run may be sweeping at
 * the same time.
 */
export function sweepLeftovers(): string[] {
  const swept: string[] = [];
  for (const place of places()) {
    for (const name of namesIn(place)) {
      const pid = NAME.exec(name)?.[1];
      if (pid === undefined) continue;
      const directory = join(place, name);
      const verdict = judge(directory, Number(pid));
      if (verdict === "not-ours") continue;
      try {
        // An empty one is removed as such: rmdir refuses where there is anything inside that we
        // cannot account for.
        if (verdict === "empty") removeUnowned(directory);
        else removeWorkDirectory(directory);
        swept.push(directory);
      } catch {
        // Another run got there first, or it is not empty after all.
      }
    }
  }
  try {
    removeUnusedLoops();
  } catch {
    // Whoever is not root has none.
  }
  return swept;
}

function namesIn(place: string): string[] {
  try {
    return readdirSync(place);
  } catch {
    // Somebody else's folder that TMPDIR names.
    return [];
  }
}
