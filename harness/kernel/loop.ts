/**
 * Loop devices: attaching an image file, and finding the ones whose file is ours (/sys/block/loop<n>/loop/backing_file).
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
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
