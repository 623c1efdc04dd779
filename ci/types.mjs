/**
 * Of the declarations that tsc has written, leaves those that what other programs import speaks of.
 */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = "dist/types";
const ENTRIES = ["model", "operations", "trace", "run"];

const reached = new Set();

function reach(file) {
  if (reached.has(file)) return;
  reached.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, to] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) {
    reach(join(dirname(file), `${to}.d.ts`));
  }
}

for (const name of ENTRIES) reach(join(FOLDER, "harness", "library", `${name}.d.ts`));
for (const name of readdirSync(FOLDER, { recursive: true })) {
  const file = join(FOLDER, name);
  if (file.endsWith(".d.ts") && !reached.has(file)) rmSync(file);
}
