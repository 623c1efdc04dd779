/**
 * On a program in place of a kernel: what makes its files a kernel's is that they lie in fs/ext4.
 */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import type { ObjectCounters } from "../subjects/gcov.ts";
import { lacksProgram } from "../system/process.ts";
import { coverageOf } from "./lines.ts";
import { mustBeReportable, reportCoverage } from "./report.ts";

const lacks = ["gcc", "gcov"].find((program) => lacksProgram(program) !== undefined);
if (lacks !== undefined) console.warn(`SKIP: ${lacks} is not installed: no line is counted`);

const inode = [
  '#include "ext4.h"',
  "static int never(int a)",
  "{",
  "\treturn a - 1;",
  "}",
  "",
  "int main(int argc, char **argv)",
  "{",
  "\tint sum = 0;",
  "\tfor (int i = 0; i < 3; i++)",
  "\t\tsum += twice(i);",
  "\tif (argc > 1)",
  "\t\treturn never(sum);",
  "\treturn 0;",
  "}",
  "",
];

const header = ["static inline int twice(int a)", "{", "\treturn 2 * a;", "}", ""];

const patch = [
  "--- a/fs/ext4/inode.c",
  "+++ b/fs/ext4/inode.c",
  "@@ -10,4 +10,6 @@",
  " \tfor (int i = 0; i < 3; i++)",
  "+\t\tsum += twice(i);",
  "+\tif (argc > 1)",
  "+\t\treturn never(sum);",
  " \treturn 0;",
  " }",
  "--- a/fs/xfs/xfs_file.c",
  "+++ b/fs/xfs/xfs_file.c",
  "@@ -1,1 +1,2 @@",
  " int a;",
  "+int b;",
  "",
].join("\n");

let folder = "";
let counters: ObjectCounters[] = [];

function compileAndRun(): void {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "conform-coverage-")));
  if (lacks !== undefined) return;
  const ext4 = join(folder, "fs", "ext4");
  mkdirSync(ext4, { recursive: true });
  writeFileSync(join(ext4, "inode.c"), inode.join("\n"));
  writeFileSync(join(ext4, "ext4.h"), header.join("\n"));
  const gcc = (...args: string[]) => execFileSync("gcc", args, { cwd: folder });
  gcc("-O0", "--coverage", "-c", "fs/ext4/inode.c", "-o", "fs/ext4/inode.o");
  gcc("--coverage", "fs/ext4/inode.o", "-o", "program");
  execFileSync(join(folder, "program"));
  const bytes = readFileSync(join(ext4, "inode.gcda")).toString("base64");
  counters = [{ object: join(ext4, "inode"), counters: bytes }];
}
beforeAll(compileAndRun);

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.skipIf(lacks !== undefined)("which lines ran", () => {
  test("is told by their numbers, in the file and in what it includes", async () => {
    const files = await coverageOf([counters]);
    expect(files.map(({ name }) => name)).toEqual(["fs/ext4/ext4.h", "fs/ext4/inode.c"]);
    const [inHeader, inFile] = files;
    expect(inHeader!.lines.get(3)).toBe(3);
    expect(inFile!.lines.get(11)).toBe(3);
    expect(inFile!.lines.get(13)).toBe(0);
    expect(inFile!.lines.has(6)).toBe(false);
    expect(inFile!.functions.get("never")).toEqual({ first: 2, last: 5, calls: 0 });
  });

  test("adds up over the guests", async () => {
    const files = await coverageOf([counters, counters]);
    expect(files[1]!.lines.get(11)).toBe(6);
    expect(files[1]!.functions.get("main")?.calls).toBe(2);
  });

  test("is not made up where what the compiler noted is gone", async () => {
    const elsewhere = counters.map((one) => ({ ...one, object: join(folder, "gone") }));
    await expect(coverageOf([elsewhere])).rejects.toThrow(EnvironmentError);
    await expect(coverageOf([elsewhere])).rejects.toThrow(/gone\.gcno/);
  });

  test("is not made up where the objects are of another build", async () => {
    const older = Buffer.from(counters[0]!.counters, "base64");
    // The stamp that gcc gives both files, behind magic and version.
    older.writeUInt32LE(older.readUInt32LE(8) ^ 1, 8);
    const other = [{ ...counters[0]!, counters: older.toString("base64") }];
    await expect(coverageOf([other])).rejects.toThrow(/mismatch/);
  });

  test("is reported of a patch, in words and as pages", async () => {
    const file = join(folder, "0001-example.patch");
    writeFileSync(file, patch);
    const out = join(folder, "report");
    const told = await reportCoverage([counters], { coverage: out, patch: file }, false);
    const { text } = told;
    expect(text).toContain("4 added lines, 3 hold code: 2 ran, 1 did not");
    expect(text).toContain(
      "fs/ext4/inode.c: 2 of 3 lines ran\n  main(), called 1 time; not run:\n",
    );
    expect(text).toContain("\n       13      return never(sum);\n");
    expect(text).toMatch(/^fs\/xfs\/xfs_file\.c: not measured/m);
    expect(text).toMatch(/^fs\/ext4 +\d+ of +\d+ +\d+\.\d %/m);
    expect(told.patch).toMatchObject({ patch: file, added: 4, unmeasured: ["fs/xfs/xfs_file.c"] });
    const [main] = told.patch!.files[0]!.functions;
    expect(main).toMatchObject({ name: "main", calls: 1 });
    expect(main!.lines.at(-1)).toEqual({ number: 13, text: "\t\treturn never(sum);", count: 0 });
    const page = readFileSync(join(out, "patch", "inode.c.html"), "utf8");
    expect(page).toContain('title="statement not covered"');
    expect(existsSync(join(out, "index.html"))).toBe(true);
    expect(readFileSync(join(out, "lcov.info"), "utf8")).toMatch(/^DA:11,3$/m);
    expect(readFileSync(join(out, "coverage.txt"), "utf8")).toContain("  inode.c ");
  });
});

describe("before the run", () => {
  test("a patch that is none, or not there, is refused", () => {
    const file = join(folder, "notes.txt");
    writeFileSync(file, "nothing\n");
    const asked = (path: string) => () => mustBeReportable({ coverage: folder, patch: path });
    expect(asked(file)).toThrow(UsageError);
    expect(asked(file)).toThrow(/is no patch/);
    expect(asked(join(folder, "none"))).toThrow(/cannot be read: ENOENT/);
  });

  test("a folder that cannot be made is refused", () => {
    const file = join(folder, "file");
    writeFileSync(file, "");
    expect(() => mustBeReportable({ coverage: join(file, "in it") })).toThrow(/cannot be written/);
  });
});
