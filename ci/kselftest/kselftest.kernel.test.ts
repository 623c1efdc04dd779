/**
 * The test for tools/testing/selftests, as its runner starts it: a program without arguments, of
 * which the KTAP and the exit status count.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { withoutMounts } from "../../harness/host/built-command.ts";
import { packageRoot } from "../../harness/host/package.ts";
import { parseKtap } from "../../harness/report/ktap-parser.ts";
import { machineLacks } from "../../harness/system/machine.ts";
import { noShellcheck, shellcheckFaults } from "../shellcheck.ts";

const lacks = machineLacks()?.message;
if (lacks !== undefined) console.warn(`SKIP: ${lacks}`);

const here = join(packageRoot, "ci/kselftest");
const read = (name: string): string => readFileSync(join(here, name), "utf8");

/** The exit status that kselftest takes for a skip. */
const KSFT_SKIP = 4;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "conform-kselftest-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const small = {
  EXT4_CONFORM: join(packageRoot, "bin/ext4-conform"),
  EXT4_CONFORM_OPTIONS: "--variant 4k-nodelalloc --cases 5 --seed 7",
};

async function run(env: Record<string, string>, through: readonly string[] = []) {
  const [program, ...words] = [...through, join(here, "ext4_conform.sh")];
  const options = { cwd: folder, env: { ...small, ...env }, reject: false } as const;
  const { exitCode, stdout } = await execa(program, words, options);
  return { exitCode, stdout };
}

describe("the test for kselftest", () => {
  test.skipIf(noShellcheck !== undefined)(
    "is a script that shellcheck is content with",
    async () => {
      expect(await shellcheckFaults(read("ext4_conform.sh"))).toBe("");
    },
  );

  test("is what its Makefile names, and what KernelCI is told to run", () => {
    expect(read("Makefile")).toContain("TEST_PROGS := ext4_conform.sh\n");
    const [, collection] = /tools\/testing\/selftests\/(\S+) of/.exec(read("Makefile"))!;
    const { jobs, scheduler } = parse(read("kernelci.yaml")) as {
      jobs: Record<string, { params: { collections: string; job_timeout: number } }>;
      scheduler: { job: string }[];
    };
    const name = `kselftest-${collection!}`;
    expect(scheduler.map(({ job }) => job)).toEqual([name]);
    expect(jobs[name]!.params.collections).toBe(collection);
    // Minutes there, seconds here.
    const [, seconds] = /^timeout=(\d+)$/m.exec(read("settings"))!;
    expect(jobs[name]!.params.job_timeout * 60).toBeGreaterThan(Number(seconds));
  });

  test("is a skip where the program is not installed", async () => {
    const { exitCode, stdout } = await run({ EXT4_CONFORM: "no-such-program" });
    expect(exitCode).toBe(KSFT_SKIP);
    expect(stdout).toBe("KTAP version 1\n1..0 # SKIP no-such-program is not installed");
  });

  test("is a skip on a machine that cannot, and says why", async () => {
    const { exitCode, stdout } = await run({}, withoutMounts);
    expect(exitCode).toBe(KSFT_SKIP);
    const [all] = parseKtap(`${stdout}\n`);
    expect(all).toMatchObject({ ok: true, directive: "SKIP" });
  });
});

describe.skipIf(lacks !== undefined)("on this kernel", () => {
  test("it passes where the kernel conforms, a subtest for each variant", async () => {
    const { exitCode, stdout } = await run({});
    expect(exitCode).toBe(0);
    const [all, ...others] = parseKtap(`${stdout}\n`);
    expect(others).toEqual([]);
    expect(all).toMatchObject({ ok: true, subtests: [{ ok: true, name: "4k-nodelalloc" }] });
  });

  test("it fails where it does not", async () => {
    const strict = "--variant 4k-delalloc --cases 20 --seed 7 --strict --first";
    const { exitCode, stdout } = await run({ EXT4_CONFORM_OPTIONS: strict });
    expect(exitCode).toBe(1);
    expect(parseKtap(`${stdout}\n`)).toMatchObject([{ ok: false, subtests: [{ ok: false }] }]);
  });
});
