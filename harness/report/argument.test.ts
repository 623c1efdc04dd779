import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Divergence } from "../finding/divergence.ts";
import { readCorpus } from "../stored/corpus.ts";
import { corpusDirectory, packageRoot } from "../host/package.ts";
import { effectsOf } from "../operations/operation.ts";
import { paintWith } from "../text/terminal.ts";
import { argumentLines } from "./argument.ts";

const paint = paintWith(false);
const found: Divergence = {
  variant: "4k-delalloc",
  step: 0,
  operations: [{ op: "fsync" }],
  kind: "map",
  message: "block 1 is delayed, expected hole",
};
const told = "block 1 is delayed after the sync: nothing-delayed-after-sync. After a sync no ...";

const why = (divergence: Divergence, known = {}): string =>
  argumentLines(divergence, known, paint).join("\n");

test("what is known has its reason", () => {
  const named = ["failed-write-moves-size"];
  const text = why(found, { named });
  expect(text).toMatch(/^why that is wrong\n {2}write_end\(\) sets i_size/);
  expect(text).toContain("\n  more of it: ext4-conform explain failed-write-moves-size\n");
  expect(why(found, { named, program: "node dist/ext4-conform.js" })).toContain(
    "\n  more of it: node dist/ext4-conform.js explain failed-write-moves-size\n",
  );
});

test("a promise has who made it, whether the contract found it broken or was asked", () => {
  const promise = { id: "nothing-delayed-after-sync", severity: "accounting" as const };
  const broken = why({ ...found, kind: "contract", message: told, promise });
  expect(broken).toMatch(
    /^why that is wrong\n {2}It breaks a promise: what was seen decides that, not the model\.\n/,
  );
  expect(broken).toContain("\n  Who promised it: fsync(2), sync_file_range(2): ");
  const too = why(found, { breaks: told });
  expect(too).toMatch(/\n {2}It breaks a promise: block 1 is delayed/);
  expect(too).toContain("\n  Who promised it: fsync(2), sync_file_range(2): ");
});

test("where nobody has asked what was promised, nothing is said of it", () => {
  expect(why(found)).not.toMatch(/why that is wrong/);
  expect(why({ ...found, kind: "contents" })).not.toMatch(/why that is wrong/);
});

test("a promise is nothing that a function of the model does", () => {
  const broken = why({ ...found, kind: "contract", message: told });
  expect(broken).toMatch(/^where to begin\n {2}kernel {2}fs\/ext4\/fsync\.c/m);
  expect(broken).not.toMatch(/^ +model/m);
  expect(why(found)).toMatch(/^ +model /m);
});

test("where only the model says so, it may be the model", () => {
  const old = why(found, { breaks: "", kernel: { release: "6.1.176" } });
  expect(old).toMatch(/follows\s+kernels\s+from\s+6\.12\s+on,\s+and\s+this\s+one\s+is\s+older/);
  expect(why(found, { breaks: "" })).toMatch(/it may\s+be the model that is\.\n/);
  expect(why({ ...found, kind: "e2fsck" })).toMatch(/no model was asked/);
  expect(why({ ...found, kind: "hang" })).not.toMatch(/why that is wrong/);
});

test("a reader begins where the operation does, in functions that are there", () => {
  expect(why(found)).toMatch(
    /\n {2}kernel {2}fs\/ext4\/fsync\.c ext4_sync_file\(\)\n {2}model {3}model\//,
  );
  const all = readCorpus(corpusDirectory).flatMap(({ operations }) => operations);
  const begins = new Map(all.map((one) => [one.op, effectsOf(one).begins]));
  expect(begins.size).toBeGreaterThan(10);
  for (const { kernel, model } of begins.values()) {
    expect(kernel).toMatch(/^(fs|mm)\/[\w/]+\.c \w+\(\)$/);
    const [file, name] = model.slice(0, -2).split(" ") as [string, string];
    const source = readFileSync(join(packageRoot, file), "utf8");
    expect(source).toMatch(new RegExp(`^export function ${name}\\(`, "m"));
  }
});

test("what the failing call passed is told in its order, the first of it where it is much", () => {
  const passed = Array.from({ length: 30 }, (_, i) => `ext4_event ino 12 number ${i}`);
  const text = why(found, { passed: passed.slice(0, 2) });
  expect(text).toMatch(
    /\ntrace events that the failing call passed\n {2}ext4_event ino 12 number 0\n {2}.* 1\n$/,
  );
  const much = why(found, { passed: [...passed, "x".repeat(200)] });
  expect(much).toMatch(/ number 23\n {2}\.\.\. 7 more \(all are in --report json\)\n$/);
  expect(why(found, { passed: [] })).not.toContain("trace events");
});
