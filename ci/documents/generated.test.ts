import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageRoot } from "../../harness/host/package.ts";
import { parseCounterexample } from "../../harness/stored/counterexample.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { generatedDocuments } from "./generated.ts";

const documents = await generatedDocuments();
const docs = join(packageRoot, "docs");

test.each(documents)("docs/%s is what the code says", (path, text) => {
  const written = existsSync(join(docs, path)) ? readFileSync(join(docs, path), "utf8") : "";
  expect(written === text ? "current" : "old: npm run build && npm run documents").toBe("current");
});

test("there is a page for each known deviation, and none of one that is gone", () => {
  const pages = readdirSync(join(docs, "deviations")).map((name) => join("deviations", name));
  const made = documents.map(([path]) => path).filter((path) => path.startsWith("deviations"));
  expect(pages.toSorted()).toEqual(made.toSorted());
});

test("what the documents have as stored cases is taken as such", () => {
  const blocks = documents.flatMap(([path, text]) =>
    [...text.matchAll(/^```json\n(.*?)\n```$/gms)].map(([, block]) => [path, block!] as const),
  );
  expect(blocks.length).toBe(knownDeviations.length + 1);
  for (const [path, block] of blocks) expect(() => parseCounterexample(block, path)).not.toThrow();
});

test("the map has what stands beside a function of the kernel, and the bugs that are found there", () => {
  const [, map = ""] = documents.find(([path]) => path === "kernel-map.md") ?? [];
  const rows = map.split("\n").map((line) => line.replaceAll(/ +/g, " "));
  for (const row of [
    "| `ext4_da_write_begin()` | `ext4/inode.ts ext4_da_write_begin()` | |",
    "| `ext4_should_retry_alloc()` | `ext4/reservation.ts ext4_should_retry_alloc()` | enospc-not-retried |",
    "| `pwrite` | `fs/ext4/file.c ext4_buffered_write_iter()` | `model/file-system.ts pwrite()` |",
  ]) {
    expect(rows).toContain(row);
  }
});
