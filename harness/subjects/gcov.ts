/**
 * How often each line of fs/ext4 and fs/iomap ran, as the kernel counts it since it was booted.
 *
 * Source: kernel/gcov/fs.c: a file for each object under gcov/ in debugfs, at the path that the
 *         object has on the machine it was built on. Reading one gives a .gcda file, of the format
 *         that the compiler's own gcov reads.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/kernel/debug/gcov";

const MEASURED = /\/fs\/(?:ext4|iomap)\/[^/]+\.gcda$/;

export interface ObjectCounters {
  /** Path of the object file without ".o", where the kernel was built. */
  object: string;
  /** A .gcda file, base64. */
  counters: string;
}

/** The counters of each object that is measured: none where the kernel was not built to count. */
export function readCounters(): ObjectCounters[] {
  if (!existsSync(ROOT)) return [];
  const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => MEASURED.test(`/${file}`))
    .toSorted()
    .map((file) => ({
      object: `/${file}`.slice(0, -".gcda".length),
      counters: readFileSync(join(ROOT, file)).toString("base64"),
    }));
}
