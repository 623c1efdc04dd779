/**
 * The tool's own directories: made here, recognised here, and swept here after a process that had no chance to.
 *
 * A directory is ours when its name and its owner file say so, it lies directly in one of two places, and it belongs to
 * this user. It is a leftover when the process in its owner file is gone: the same pid with another start time is
 * another process. An owner in another boot or pid namespace (a container or a guest that sees this directory through a
 * shared file system) cannot be judged from here, so its directories are left alone.
 */
import {
  type Stats,
  lstatSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  rmdirSync,
  unlinkSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tmp from "tmp";
import * as z from "zod";
import { EnvironmentError } from "../failure.ts";
import { attachedLoops, detachLoop, restoreRequestSize } from "./loop.ts";
import { mountsBelow, unmountAll, unmountIdle } from "./mount.ts";
import { pidScope, startTimeOf } from "./owner.ts";

const PREFIX = "ext4-conform";
/** `tmp` names directories <prefix>-<pid>-<random>. */
const NAME = /^ext4-conform-(\d+)-[A-Za-z0-9]+$/;
const OWNER_FILE = "owner.json";

/** Bytes that must stay free beside the image: scratch files, and room for others. */
const MARGIN_BYTES = 64 * 2 ** 20;

const ownerSchema = z.object({ pid: z.int(), startTime: z.string(), scope: z.string() });

const wantedPlaces = (): string[] => [...new Set(["/dev/shm", tmpdir()])];

/**
 * Where directories are made, best first: a tmpfs file is its own page cache, so an image there costs no I/O. Only those
 * that are there, without symbolic links, as the kernel names them in mountinfo and backing_file.
 */
function places(): string[] {
  const there = wantedPlaces().flatMap((place) => {
    try {
      return [realpathSync(place)];
    } catch {
      return [];
    }
  });
  return [...new Set(there)];
}

/**
 * Makes a work directory with room for `bytes`, in a place that will do. Throws EnvironmentError where none has that much.
 */
export function makeWorkDirectory(
  bytes: number,
  willDo: (place: string) => boolean = () => true,
): string {
  const needed = bytes + MARGIN_BYTES;
  const place = places().find((candidate) => {
    if (!willDo(candidate)) return false;
    try {
      const { bavail, bsize } = statfsSync(candidate);
      return bavail * bsize >= needed;
    } catch {
      return false;
    }
  });
  if (place === undefined) {
    throw new EnvironmentError(
      "no-space",
      `none of ${wantedPlaces().join(", ")} has ${Math.ceil(needed / 2 ** 20)} MiB free`,
      "Free some space there, or set TMPDIR to a directory that has it.",
    );
  }
  // Kept: `tmp` would remove it at exit while the image in it is still mounted. undo.ts knows the order.
  const { name } = tmp.dirSync({ tmpdir: place, prefix: PREFIX, mode: 0o700, keep: true });
  const owner = { pid: process.pid, startTime: startTimeOf(process.pid), scope: pidScope() };
  writeFileSync(join(name, OWNER_FILE), JSON.stringify(owner));
  return name;
}

/**
 * Removes a work directory with all that still hangs on it: mounts, then loop devices, then files. Nothing is deleted
 * while something is mounted below, since that would delete from the mounted file system.
 */
export function removeWorkDirectory(directory: string): void {
  // A loop device whose image lies on a mount below holds that one: what can be unmounted goes first, then the devices.
  unmountIdle(directory);
  for (const { device, file } of attachedLoops()) {
    if (!file.startsWith(`${directory}/`)) continue;
    restoreRequestSize(directory, device);
    detachLoop(device);
  }
  unmountAll(directory);
  if (mountsBelow(directory).length === 0) rmSync(directory, { recursive: true, force: true });
}

function lstatOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Whether a directory is a leftover, "empty" where its maker died before it wrote the owner file. */
function judge(directory: string, pidInName: number): "leftover" | "empty" | "not-ours" {
  const stats = lstatOrUndefined(directory);
  if (stats === undefined || !stats.isDirectory() || stats.uid !== process.geteuid?.()) {
    return "not-ours";
  }
  try {
    const text = readFileSync(join(directory, OWNER_FILE), "utf8");
    const owner = ownerSchema.parse(JSON.parse(text));
    if (owner.scope !== pidScope()) return "not-ours";
    return startTimeOf(owner.pid) === owner.startTime ? "not-ours" : "leftover";
  } catch {
    return startTimeOf(pidInName) === undefined ? "empty" : "not-ours";
  }
}

/** Loop devices of ours whose directory is gone already; the file's name still holds the pid. */
function sweepOrphanLoops(): void {
  for (const { device, file } of attachedLoops()) {
    const place = places().find((candidate) => file.startsWith(`${candidate}/`));
    const [name = ""] = file.slice((place?.length ?? 0) + 1).split("/");
    const pid = NAME.exec(name)?.[1];
    if (place === undefined || pid === undefined) continue;
    const gone = lstatOrUndefined(join(place, name)) === undefined;
    if (gone && startTimeOf(Number(pid)) === undefined) detachLoop(device);
  }
}

/** An owner file without a byte says that its maker died while it wrote it. */
function removeUnowned(directory: string): void {
  const owner = join(directory, OWNER_FILE);
  if (lstatOrUndefined(owner)?.size === 0) unlinkSync(owner);
  rmdirSync(directory);
}

/** Sweeps what dead runs left; returns the directories it removed. Another run may be sweeping at the same time. */
export function sweepLeftovers(): string[] {
  const swept: string[] = [];
  for (const place of places()) {
    for (const name of readdirSync(place)) {
      const pid = NAME.exec(name)?.[1];
      if (pid === undefined) continue;
      const directory = join(place, name);
      const verdict = judge(directory, Number(pid));
      if (verdict === "not-ours") continue;
      try {
        // An empty one is removed as such: rmdir refuses where there is anything inside that we cannot account for.
        if (verdict === "empty") removeUnowned(directory);
        else removeWorkDirectory(directory);
        swept.push(directory);
      } catch {
        // Another run got there first, or it is not empty after all.
      }
    }
  }
  sweepOrphanLoops();
  return swept;
}
