import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtCommand, unwrapped } from "../host/built-command.ts";
import { outcomeSchema } from "../report/outcome.ts";
import { kernelUnderTest } from "../guest/under-test.ts";
import { machineLacks } from "../system/machine.ts";
import { askSecondKernel } from "./second-kernel.ts";
import { hostKernel } from "../workers/host-kernel.ts";
import { variantNamed } from "../under-test/variants.ts";
import type { FoundDivergence } from "../stored/result.ts";
import type { Operation } from "../operations/operation.ts";

/** Debian's user-mode Linux, 6.1: there a short write releases what it has reserved. */
const SECOND = "/usr/bin/linux.uml";
const lacks = machineLacks()?.message ?? (existsSync(SECOND) ? undefined : `there is no ${SECOND}`);
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const { folder, conform } = builtCommand("second");
const file = join(folder, "short.json");
const operations: Operation[] = [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }];
const format = { format: "ext4-conform counterexample", version: 1, variant: "4k-delalloc" };

const second = ["--strict", "--second-kernel", SECOND];

/** What the running kernel is taken to have shown. */
const found = (message: string, kind: "map" | "reserved"): FoundDivergence => ({
  variant: variantNamed("4k-delalloc").name,
  case: 0,
  divergence: { variant: "4k-delalloc", step: 0, operations, kind, message },
  confirmed: true,
  named: [],
  met: 1,
});

describe.skipIf(lacks !== undefined)("a second kernel", () => {
  beforeAll(() => writeFileSync(file, JSON.stringify({ ...format, operations })));

  test("that does as it must is said to, in every form of a replay", async ({ skip }) => {
    const report = join(folder, "replay.json");
    const { stdout, exitCode } = await conform([
      "replay",
      file,
      ...second,
      "--report",
      `json:${report}`,
    ]);
    skip(exitCode === 0, "this kernel releases what a short write has reserved");
    expect(stdout).toMatch(/\n {2}6\.1\.\d+\S* does as it must\n\nDIVERGES: /);
    const [finding] = outcomeSchema.parse(JSON.parse(readFileSync(report, "utf8"))).subtests[0]!
      .findings;
    expect(finding?.second).toMatchObject({ does: "as it must" });
  });

  test("is asked once a run is over, of each finding", async ({ skip }) => {
    const some = ["--variant", "4k-delalloc", "--cases", "40", "--seed", "7"];
    const { stdout, exitCode } = await conform(["run", ...some, ...second]);
    skip(exitCode === 0, "this kernel shows nothing there");
    const list = stdout.slice(stdout.indexOf("findings, the worst first"));
    expect(unwrapped(list)).toMatch(
      /short-write-keeps-reservation, 6\.1\.\d+\S* does as it must, /,
    );
  });

  test("that is none is refused before anything runs", async () => {
    const words = ["run", "--variant", "4k-delalloc", "--second-kernel", file];
    const { stdout, exitCode } = await conform(words);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: 64 });
  });

  test("that does the same, or otherwise, is told apart from the first", async ({ skip }) => {
    // This machine's kernel, as if it were the other one.
    const all = [
      found("block 0 is delayed, expected hole", "map"),
      found("1 block is reserved, expected 0", "reserved"),
    ];
    await askSecondKernel(all, hostKernel);
    const [same, other] = all.map((one) => one.second);
    skip(same?.does === "as it must", "this kernel releases what a short write has reserved");
    expect(same?.does).toBe("same");
    expect(other).toMatchObject({ does: "other", message: "block 0 is delayed, expected hole" });
  });

  test("that does not come up takes nothing from what was found", async () => {
    const one = found("block 0 is delayed, expected hole", "map");
    const guest = { memory: 1024, accel: "auto" as const, append: ["mem=16M"] };
    await askSecondKernel([one], await kernelUnderTest(SECOND, guest));
    expect(one.second).toBeUndefined();
  });
});
