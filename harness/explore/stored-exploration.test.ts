import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tmp from "tmp";
import { afterAll, describe, expect, test } from "vitest";
import { EdgeSet } from "./driven.ts";
import { UsageError } from "../case/failure.ts";
import { withChecksum } from "../stored/checksum.ts";
import { mustBeSame, readExploration, writeExploration } from "./stored-exploration.ts";

const directory = tmp.dirSync({ unsafeCleanup: true });
afterAll(() => directory.removeCallback());

const driven = new EdgeSet(1000);
driven.add(17);

const withoutFindings = {
  release: "6.18.0",
  build: "#1 SMP",
  blocks: 2,
  alphabet: "blocks",
  strict: false,
  driven: { "4k-delalloc": driven.pack("ab".repeat(32)) },
} as const;
const stored = { ...withoutFindings, found: [] };

describe("an exploration file", () => {
  const path = join(directory.name, "explored.json");

  test("is read as it was written", () => {
    expect(readExploration(path)).toBeUndefined();
    writeExploration(path, stored);
    expect(readExploration(path)).toMatchObject(stored);
  });

  test("of before findings were kept has none", () => {
    const head = { format: "ext4-conform exploration", version: 2 };
    writeFileSync(path, withChecksum({ ...head, ...withoutFindings }));
    expect(readExploration(path)).toMatchObject({ ...withoutFindings, found: [] });
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

  test("with any character changed, lost or added is refused", () => {
    writeExploration(path, stored);
    const text = readFileSync(path, "utf8");
    const broken = join(directory.name, "broken.json");
    for (let at = 0; at < text.length; at++) {
      const [before, after] = [text.slice(0, at), text.slice(at + 1)];
      const digit = text[at] === "1" ? "2" : "1";
      for (const changed of [
        `${before}${digit}${after}`,
        `${before}${after}`,
        `${before} ${text.slice(at)}`,
      ]) {
        writeFileSync(broken, changed);
        expect(() => readExploration(broken)).toThrow(UsageError);
      }
    }
    expect(readExploration(path)).toMatchObject(stored);
  });

  test("of a version without a checksum is refused, and so is a size that no set can have", () => {
    const { sha256: _, ...rest } = JSON.parse(readFileSync(path, "utf8")) as Record<
      string,
      unknown
    >;
    const broken = join(directory.name, "broken.json");
    writeFileSync(broken, JSON.stringify({ ...rest, version: 1 }));
    expect(() => readExploration(broken)).toThrow(/has version 1; this program reads version 2$/);
    const set = { ...stored.driven["4k-delalloc"], size: -1000 };
    writeFileSync(broken, withChecksum({ ...rest, driven: { "4k-delalloc": set } }));
    expect(() => readExploration(broken)).toThrow(/size: /);
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
