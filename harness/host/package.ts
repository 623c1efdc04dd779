/**
 * Where the tool itself lies: the same files are found from the sources and from the build.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findRoot(from: string): string {
  if (existsSync(join(from, "package.json"))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error("the tool's package.json is missing");
  return findRoot(parent);
}

/** The folder that holds package.json. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** Stored cases that every run begins with. */
export const corpusDirectory = join(packageRoot, "properties", "corpus");

/** The version in package.json. */
export function packageVersion(): string {
  const text = readFileSync(join(packageRoot, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
