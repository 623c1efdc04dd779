/**
 * Whether this machine can mount a file system of our own, without trying.
 */
import { existsSync } from "node:fs";
import { EnvironmentError } from "../failure.ts";
import { lacksProgram } from "./process.ts";

/** All that a run needs: one that is missed half-way could leave a mount behind. */
const PROGRAMS = ["mkfs.ext4", "debugfs", "e2fsck", "mount", "umount"];

/** What is missing, or undefined where nothing obvious is. */
export function machineLacks(): EnvironmentError | undefined {
  if (process.platform !== "linux") {
    return new EnvironmentError(
      "unsupported-platform",
      `ext4 is tested on Linux; this is ${process.platform}`,
      "Run the tool on a Linux machine or in a Linux guest.",
    );
  }
  if (process.geteuid?.() !== 0) {
    return new EnvironmentError(
      "not-root",
      "mounting a file system needs root",
      "Run as root (sudo), or in a guest.",
    );
  }
  if (!existsSync("/dev/loop-control")) {
    return new EnvironmentError(
      "no-loop-device",
      "there is no /dev/loop-control",
      "Use a kernel with CONFIG_BLK_DEV_LOOP, load the module (modprobe loop), or leave the restricted container.",
    );
  }
  if (!existsSync("/sys/block")) {
    return new EnvironmentError(
      "unsupported-platform",
      "there is no /sys/block",
      "Mount sysfs (mount -t sysfs sysfs /sys).",
    );
  }
  return PROGRAMS.map(lacksProgram).find((lacking) => lacking !== undefined);
}
