/**
 * Whether this machine can mount a file system of our own, without trying.
 */
import { existsSync } from "node:fs";
import { EnvironmentError } from "../case/failure.ts";
import { lacksProgram } from "./process.ts";
import { RLIMIT_FSIZE, RLIM_INFINITY, keptMemory, mustSucceed, syscalls } from "./syscalls.ts";

/** All that a run needs: one that is missed half-way could leave a mount behind. */
const PROGRAMS = ["mkfs.ext4", "debugfs", "e2fsck", "mount", "umount"];

/** struct rlimit: soft and hard, 64 bits each. */
const RLIMIT_BYTES = 16;

/**
 * Lift the limit of this process's files, which would be taken for the kernel's answer: a write
 * beyond it is EFBIG, whatever ext4 would say. Throws EnvironmentError where it may not be lifted.
 */
export function liftFileSize(): void {
  const calls = syscalls();
  const { address, buffer } = keptMemory(RLIMIT_BYTES);
  const words = new BigUint64Array(buffer, 0, 2);
  mustSucceed(calls.getrlimit(RLIMIT_FSIZE, address), "getrlimit");
  const [soft, hard] = words;
  if (soft === RLIM_INFINITY) return;
  words.fill(RLIM_INFINITY);
  if (calls.setrlimit(RLIMIT_FSIZE, address) === 0) return;
  throw new EnvironmentError(
    "machine-lacks",
    `files may not be larger than ${hard} bytes here, and only who may lift that can test larger ones`,
    "Run it where ulimit -H -f is unlimited.",
  );
}

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
