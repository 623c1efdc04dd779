/**
 * Loop devices: attaching an image file, and finding the ones whose file is ours (/sys/block/loop<n>/loop/backing_file).
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { EnvironmentError } from "../failure.ts";
import { runSync } from "./process.ts";

/** Attempts to attach: another process can take the device that losetup found free before losetup has it. */
const ATTEMPTS = 5;

/**
 * Attaches a loop device to an image file; returns its path, "/dev/loop0". Direct I/O is off: the page cache of a
 * tmpfs file is the file, and a mode chosen by losetup would differ between machines.
 */
export function attachLoop(imageFile: string): string {
  let complaint = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const result = runSync("losetup", ["--find", "--show", "--direct-io=off", imageFile]);
    if (result.exitCode === 0) return result.stdout.trim();
    complaint = result.complaint;
  }
  throw new EnvironmentError(
    "no-loop-device",
    `no loop device could be attached: ${complaint}`,
    "Detach unused loop devices (losetup -a, losetup -d), or run as root outside a restricted container.",
  );
}

/** Detaches; a device still in use detaches itself when its last user is gone. */
export function detachLoop(device: string): void {
  runSync("losetup", ["--detach", device]);
}

const requestSizeOf = (device: string): string =>
  `/sys/block/${basename(device)}/queue/max_sectors_kb`;

const NOTE = "max_sectors_kb";

/**
 * Have a device take requests of `kib` KiB at most. It keeps that when it is detached (block/blk-settings.c, max_user_sectors), so what it
 * had before is noted in the work directory `directory`, for `restoreRequestSize`.
 */
export function limitRequestSize(directory: string, device: string, kib: number): void {
  const file = requestSizeOf(device);
  try {
    writeFileSync(join(directory, NOTE), readFileSync(file));
    writeFileSync(file, String(kib));
  } catch (error) {
    throw new EnvironmentError(
      "process-failed",
      `${file} cannot be set to ${kib} (${(error as NodeJS.ErrnoException).code})`,
      "Mount sysfs on /sys, writable, or leave out the thin variants.",
    );
  }
}

/** Give a device back the size of requests that it had before `limitRequestSize`, if that was called. */
export function restoreRequestSize(directory: string, device: string): void {
  try {
    writeFileSync(requestSizeOf(device), readFileSync(join(directory, NOTE)));
  } catch {
    // Nothing was noted.
  }
}

/** Every attached loop device with its file, without the kernel's " (deleted)". */
export function attachedLoops(): { device: string; file: string }[] {
  if (!existsSync("/sys/block")) return [];
  return readdirSync("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .flatMap((name) => {
      try {
        const file = readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8").trimEnd();
        return [{ device: `/dev/${name}`, file: file.replace(/ \(deleted\)$/, "") }];
      } catch {
        // Not attached: the file is there only while a device is.
        return [];
      }
    });
}
