import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tmp from "tmp";
import { afterAll, describe, expect, test } from "vitest";
import { EdgeSet } from "../explore/driven.ts";
import { mustBeSame, readExploration, writeExploration } from "./exploration.ts";

const directory = tmp.dirSync({ unsafeCleanup: true });
afterAll(() => directory.removeCallback());

const driven = new EdgeSet(1000);
driven.add(17);

const stored = {
  release: "6.18.0",
  build: "#1 SMP",
  blocks: 2,
  alphabet: "blocks",
  strict: false,
  driven: { "4k-delalloc": driven.pack("ab".repeat(32)) },
} as const;

describe("an exploration file", () => {
  const path = join(directory.name, "explored.json");

  test("is read as it was written", () => {
    expect(readExploration(path)).toBeUndefined();
    writeExploration(path, stored);
    expect(readExploration(path)).toMatchObject(stored);
  });

  test("that was damaged is refused with a line that says where", () => {
    writeExploration(path, stored);
    const text = readFileSync(path, "utf8");
    const broken = join(directory.name, "broken.json");
    for (const [from, to, why] of [
      ['"size":1000', '"size":10', /driven\."?4k-delalloc.*is no set of edges/],
      ['"blocks":2', '"blocks":0', /blocks: /],
      ['"alphabet":"blocks"', '"alphabet":"all"', /alphabet: /],
      ["ext4-conform exploration", "ext4-conform result", /is not an ext4-conform exploration/],
    ] as const) {
      writeFileSync(broken, text.replace(from, to));
      expect(() => readExploration(broken)).toThrow(why);
    }
  });

  test("of something else is not gone on with", () => {
    expect(() => mustBeSame(path, stored, stored)).not.toThrow();
    expect(() => mustBeSame(path, stored, { ...stored, blocks: 3 })).toThrow(
      /its blocks is 2, not 3/,
    );
    expect(() => mustBeSame(path, stored, { ...stored, depth: 3 })).toThrow(
      /its depth is unlimited, not 3/,
    );
    expect(() => mustBeSame(path, stored, { ...stored, release: "7.0" })).toThrow(
      /its kernel is 6\.18\.0, not 7\.0/,
    );
  });
});
