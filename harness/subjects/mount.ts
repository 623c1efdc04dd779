/**
 * Mounting and unmounting, and what is mounted where (/proc/self/mountinfo, proc_pid_mountinfo(5)).
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { BUFFERED_IOMAP, LACKS_BUFFERED_IOMAP } from "../../images/variants.ts";
import { EnvironmentError } from "../case/failure.ts";
import { sleepSync } from "../system/sleep.ts";
import type { Variant } from "../case/variant.ts";
import { KernelLog, unknownOption } from "../system/kernel-log.ts";
import { runSync } from "../system/process.ts";
import { MNT_DETACH, syscalls } from "../system/syscalls.ts";

/**
 * Seconds between the journal's own commits, out of the way of every run: only the operations under
 * test commit. (The flusher threads' 30 s, vm.dirty_expire_centisecs, are left alone; a case lasts
 * milliseconds.)
 */
const COMMIT_SECONDS = 86_400;

/** The options a variant is mounted with, as -o takes them. */
export function mountOptions(variant: Variant): string[] {
  const commit = variant.journal === "none" ? [] : [`commit=${COMMIT_SECONDS}`];
  return [...variant.mountOptions, ...commit];
}

/**
 * Why ext4 may refuse a file system that is whole: it knows less than mkfs.ext4 or the variant asks
 * for.
 */
const KNOWS_LESS =
  /unknown parameter|unrecognized mount option|unsupported|bad block size|can.?t support/i;

/** What is said of a kernel that does not know a mount option. */
function lacksOption(option: string): EnvironmentError {
  if (option === BUFFERED_IOMAP) {
    const { lacks, remedy } = LACKS_BUFFERED_IOMAP;
    return new EnvironmentError("mount-refused", lacks, remedy);
  }
  return new EnvironmentError(
    "mount-refused",
    `ext4 of this kernel does not know the mount option ${option}`,
    "Take a kernel that does, or leave it out.",
  );
}

/**
 * Mounts the ext4 on `device`. Throws EnvironmentError where the kernel refuses: "ext4-refused"
 * where ext4 says why, and it is not that it knows less.
 */
export function mountExt4(device: string, mountPoint: string, options: readonly string[]): void {
  const flags = options.length === 0 ? [] : ["-o", options.join(",")];
  const log = KernelLog.open();
  const { exitCode, complaint } = runSync("mount", ["-t", "ext4", ...flags, device, mountPoint]);
  // mount(8) can only guess ("wrong fs type, bad option, bad superblock"); ext4 says in the log
  // which it was.
  const said = exitCode === 0 ? undefined : log?.lastOfExt4(basename(device), options);
  log?.close();
  if (exitCode === 0) return;
  const unknown = unknownOption(said ?? "", options);
  if (unknown !== undefined) throw lacksOption(unknown);
  throw new EnvironmentError(
    said === undefined || KNOWS_LESS.test(said) ? "mount-refused" : "ext4-refused",
    `mount -t ext4 ${flags.join(" ")} ${device} was refused: ${said ?? complaint}`,
    "Leave out the option that this kernel does not know, or run as root outside a restricted container.",
  );
}

/**
 * Remounts with further options what is mounted there. Throws EnvironmentError where the kernel
 * refuses.
 */
export function changeOptions(mountPoint: string, options: readonly string[]): void {
  const change = ["remount", ...options].join(",");
  const { exitCode, complaint } = runSync("mount", ["-o", change, mountPoint]);
  if (exitCode === 0) return;
  throw new EnvironmentError(
    "mount-refused",
    `mount -o ${change} ${mountPoint} was refused: ${complaint}`,
    "Leave out the variants that are remounted; dmesg says why this kernel refuses.",
  );
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescapePath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/**
 * The options of the file system at `mountPoint` as the kernel lists them, those that are defaults
 * left out.
 */
export function mountedWith(mountPoint: string): string {
  const lines = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const fields = lines.map((line) => line.split(" "));
  return fields.findLast(([, point]) => unescapePath(point ?? "") === mountPoint)?.[3] ?? "";
}

/** The mount points at and below a directory, innermost and latest first. */
export function mountsBelow(directory: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => unescapePath(line.split(" ")[4] ?? ""))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
    .toReversed();
}

/**
 * Unmounts; returns what umount complained of, or undefined. A moment's EBUSY (udev looks at new
 * devices) is waited out.
 *
 * By the call first, for a checkpoint has just asked what is in the page cache: while umount(8)
 * starts, somebody may reclaim it.
 */
export function unmountQuietly(mountPoint: string): string | undefined {
  if (syscalls().umount2(mountPoint, 0) === 0) return undefined;
  let complaint = "";
  for (let attempt = 0; attempt < 10; attempt++) {
    const result = runSync("umount", [mountPoint]);
    if (result.exitCode === 0) return undefined;
    complaint = result.complaint;
    if (!complaint.includes("busy")) break;
    sleepSync(20 * (attempt + 1));
  }
  return complaint;
}

/**
 * As `unmountQuietly`, but a refusal is an EnvironmentError: descriptors of ours are still open, or
 * someone looks in.
 */
export function unmount(mountPoint: string): void {
  const complaint = unmountQuietly(mountPoint);
  if (complaint === undefined) return;
  throw new EnvironmentError(
    "process-failed",
    `umount ${mountPoint} failed: ${complaint}`,
    `Ask \`nsenter -m -t ${process.pid} fuser -vm ${mountPoint}\` which process keeps it busy.`,
  );
}

/**
 * Unmounts everything at and below a directory, at any price: for the way out. Where something is
 * still open the mount leaves the tree now (MNT_DETACH) and the file system ends with the last
 * user, that is, with the process.
 */
export function unmountAll(directory: string): void {
  const calls = syscalls();
  for (const point of mountsBelow(directory)) {
    if (calls.umount2(point, 0) !== 0) calls.umount2(point, MNT_DETACH);
  }
}
