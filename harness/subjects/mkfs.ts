/**
 * Making the ext4 of a variant.
 */
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { EnvironmentError } from "../case/failure.ts";
import type { Variant } from "../case/variant.ts";
import { fillFreeSpace } from "./free-space.ts";
import { run } from "../system/process.ts";
import { mustSucceed, syscalls } from "../system/syscalls.ts";

/**
 * Nothing is left for the kernel to initialise behind our back, and directory hashes (hence the
 * allocator's choice of a group) are the same in every run.
 */
const EXTENDED_OPTIONS = [
  "lazy_itable_init=0",
  "lazy_journal_init=0",
  // What lies in free space stays (free-space.ts).
  "nodiscard",
  "hash_seed=2f5c3fa0-5b1e-4c4e-9c55-6ad1d3b7e0a4",
];

/** Options that shape a file system. mkfs.ext4 heeds only the last -E: a variant's joins ours. */
export function mkfsOptions(variant: Variant): string[] {
  const extended = [...EXTENDED_OPTIONS];
  const others: string[] = [];
  for (let i = 0; i < variant.mkfsOptions.length; i++) {
    const option = variant.mkfsOptions[i]!;
    const value = variant.mkfsOptions[i + 1];
    if (option === "-E" && value !== undefined) {
      extended.push(value);
      i++;
    } else {
      others.push(option);
    }
  }
  const blockSize = String(variant.blockSize);
  return ["-b", blockSize, "-E", extended.join(","), ...others];
}

/** Arguments of mkfs.ext4. */
export function mkfsArguments(variant: Variant, imageFile: string): string[] {
  return ["-F", "-q", ...mkfsOptions(variant), imageFile];
}

/**
 * Make a file as large as an image: sparse but for what fills it, or with all of its room taken
 * where others could take that.
 */
function makeLarge(
  file: string,
  { imageSize: size, blockSize }: Variant,
  takesRoom: boolean,
): void {
  const fd = openSync(file, "r+");
  try {
    ftruncateSync(fd, size);
    fillFreeSpace(fd, size, blockSize);
    if (takesRoom) mustSucceed(syscalls().fallocate(fd, 0, 0, size), `fallocate of ${size} bytes`);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes of the empty `imageFile` one of the variant's size with its file system. `takesRoom`: all
 * of its room is taken, since others could take that. Throws EnvironmentError where mkfs does not.
 */
export async function makeImage(
  variant: Variant,
  imageFile: string,
  takesRoom: boolean,
): Promise<void> {
  makeLarge(imageFile, variant, takesRoom);
  const args = mkfsArguments(variant, imageFile);
  const { exitCode, complaint } = await run("mkfs.ext4", args);
  if (exitCode === 0) return;
  throw new EnvironmentError(
    "mkfs-failed",
    `mkfs.ext4 ${args.join(" ")} failed: ${complaint}`,
    `Check the options of variant ${variant.name} against this mkfs.ext4 (mkfs.ext4 -V; a newer e2fsprogs may know them).`,
  );
}
