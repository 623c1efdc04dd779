/**
 * A kernel under test that goes wrong, as a user meets it: built from source with faults in it, run
 * by the built command.
 *
 * The first time takes as long as building a kernel does; its objects stay.
 */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtCommand } from "../../harness/host/built-command.ts";
import { machineLacks } from "../../harness/system/machine.ts";
import type { RunResult } from "../../harness/stored/result.ts";
import { faultAt, faults } from "./faults.ts";
import { ChangedTree } from "./tree.ts";

const source = process.env["EXT4_CONFORM_KERNEL_SOURCE"];
if (source === undefined) {
  console.warn("SKIP: EXT4_CONFORM_KERNEL_SOURCE names no kernel tree to build a faulty kernel of");
}

const BUILD_MS = 20 * 60_000;
/** A hang is waited out, several times where it is shrunk; a BUG takes a boot for each attempt. */
const RUN_MS = 180_000;

const { folder, conform } = builtCommand("faulty");
const kernel = join(folder, "linux");

async function buildFaulty(): Promise<void> {
  if (source === undefined) return;
  const files = faults.map(({ file }) => file);
  const tree = await ChangedTree.of(source, "faulty", files);
  tree.change(faults);
  await tree.build(kernel);
}
beforeAll(buildFaulty, BUILD_MS);

/** A stored case whose last operation punches a hole that begins at `pos`. */
function punchAt(pos: number): string {
  const file = join(folder, `punch-${pos}.json`);
  const write = { op: "pwrite", pos: 0, len: 8192, readable: 8192 };
  const punch = { op: "fallocate", mode: "punch_hole", pos, len: 100 };
  const stored = { format: "ext4-conform counterexample", version: 1, variant: "4k-delalloc" };
  writeFileSync(file, JSON.stringify({ ...stored, operations: [write, punch] }));
  return file;
}

/** The head of a report. */
const FAIL = (title: string): RegExp => new RegExp(`FAIL {2}${title}$`, "m");

describe.skipIf(source === undefined)("a kernel that goes wrong", () => {
  test.each([
    ["bug", "the kernel went down", /kernel BUG at|BUG: failure at/],
    ["hang", "the kernel hung", /no system call returned any more/],
    ["warning", "the kernel complained", /WARNING: .*ext4_punch_hole/],
    ["error", "the kernel complained", /EXT4-fs error .*on command/],
  ] as const)(
    "%s: replay says so, with status 1",
    async (fault, title, said) => {
      const file = punchAt(faultAt[fault]);
      const { stdout, exitCode } = await conform(["replay", "--kernel", kernel, file]);
      expect(stdout).toMatch(FAIL(title));
      expect(stdout).toMatch(said);
      expect(stdout).toMatch(
        new RegExp(`> 1 {2}fallocate\\(punch_hole, pos=${faultAt[fault]}, len=100\\)`),
      );
      expect(exitCode).toBe(1);
    },
    RUN_MS,
  );

  test("a hole elsewhere conforms", async () => {
    const { stdout, exitCode } = await conform(["replay", "--kernel", kernel, punchAt(500)]);
    expect(stdout).toMatch(/^CONFORMS/);
    expect(exitCode).toBe(0);
  });

  test.each(["bug", "hang"] as const)(
    "%s: to git bisect that is bad",
    async (fault) => {
      const file = punchAt(faultAt[fault]);
      const { exitCode } = await conform(["bisect-step", "--kernel", kernel, file]);
      expect(exitCode).toBe(1);
    },
    RUN_MS,
  );

  test(
    "a run shrinks what takes the kernel down, each time in another guest, and goes on with the next variant",
    async () => {
      const result = join(folder, "result.json");
      const variants = ["--variant", "4k-delalloc,2k-nodelalloc", "--cases", "300", "--seed", "3"];
      const { stdout, exitCode } = await conform([
        "run",
        "--kernel",
        kernel,
        ...variants,
        "--jobs",
        "1",
        "--result",
        result,
      ]);
      expect(exitCode).toBe(1);
      expect(stdout).toMatch(/DIVERGES: in 2 of 2 variants/);
      const { divergences } = JSON.parse(readFileSync(result, "utf8")) as RunResult;
      for (const { divergence, confirmed } of divergences) {
        expect(confirmed).toBe(true);
        expect(divergence.kind).toBe("panic");
        const [least, ...others] = divergence.operations;
        expect(others).toEqual([]);
        expect(least).toMatchObject({ op: "fallocate", mode: "punch_hole" });
        expect((least as { pos: number }).pos % 1024).toBe(faultAt.bug);
        expect(divergence.evidence?.join("\n")).toMatch(/BUG/);
      }
      expect(divergences.map(({ variant }) => variant)).toEqual(["4k-delalloc", "2k-nodelalloc"]);
    },
    RUN_MS,
  );

  test(
    "an exploration that takes the kernel down ends with the least that does",
    async () => {
      const bounds = ["--variant", "4k-delalloc", "--blocks", "1", "--alphabet", "bytes"];
      const explored = ["explore", "--kernel", kernel, ...bounds, "--jobs", "1", "--save", folder];
      const { stdout, exitCode } = await conform(explored);
      expect(stdout).toMatch(FAIL("the kernel went down"));
      expect(stdout).toMatch(/> 0 {2}fallocate\(punch_hole, pos=1, len=\d+\)/);
      expect(stdout).toMatch(/^DIVERGES: in 1 of /m);
      expect(exitCode).toBe(1);
    },
    RUN_MS,
  );

  test(
    "a file system that it does not mount is a finding, and the other variants run",
    async () => {
      const variants = ["--variant", "1k-delalloc,4k-delalloc", "--cases", "5", "--seed", "5"];
      const { stdout, exitCode } = await conform(["run", "--kernel", kernel, ...variants]);
      expect(stdout).toMatch(FAIL("ext4 does not mount its own file system"));
      expect(stdout).toMatch(/was refused: EXT4-fs \(loop\d+\): no, on command/);
      expect(stdout).toMatch(/^1k-delalloc .* DIVERGES$/m);
      expect(stdout).toMatch(/^4k-delalloc .* conforms$/m);
      expect(exitCode).toBe(1);
    },
    RUN_MS,
  );

  test(
    "beside a kernel that does not, a comparison says what is new",
    async ({ skip }) => {
      const lacks = machineLacks();
      skip(
        lacks !== undefined,
        `the kernel that is running cannot be the other: ${lacks?.message}`,
      );
      const variants = ["--variant", "4k-delalloc", "--cases", "200", "--seed", "3"];
      const both = ["--baseline", "host", "--candidate", kernel];
      const { stdout, exitCode } = await conform(["compare", ...both, ...variants]);
      expect(stdout).toMatch(/^4k-delalloc +conforms +DIVERGES /m);
      expect(stdout).toMatch(/^new divergences\n {2}4k-delalloc: panic: /m);
      expect(stdout).toMatch(/^WORSE/m);
      expect(exitCode).toBe(1);
      const swapped = ["--baseline", kernel, "--candidate", "host"];
      const back = await conform(["compare", ...swapped, ...variants]);
      expect(back.stdout).toMatch(/^divergences that are gone\n {2}4k-delalloc: panic: /m);
    },
    RUN_MS,
  );

  test("nothing stays behind", () => {
    const left = readdirSync(tmpdir()).filter((name) => /^ext4-conform-\d/.test(name));
    expect(left).toEqual([]);
  });
});
