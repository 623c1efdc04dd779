/**
 * The forms of a report, each as its readers take it: golden files show what they look like.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { annotations, summary } from "./github.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { ktap } from "./ktap.ts";
import { parseKtap } from "./ktap-parser.ts";
import { NO_SUBTEST } from "./outcome.ts";
import type { Finding, Outcome, Subtest } from "./outcome.ts";
import { jsonFaults, junitFaults } from "./validators.ts";

const operations: Operation[] = [{ op: "pwrite", pos: 0, len: 4096, readable: 0 }, { op: "fsync" }];

function finding(
  variant: string,
  kind: "map" | "read" | "hang",
  change: Partial<Finding>,
): Finding {
  return {
    variant,
    case: 7,
    divergence: {
      variant,
      step: 1,
      operations,
      kind,
      message: "block 0 is delayed, expected hole",
    },
    confirmed: true,
    named: [],
    met: 1,
    severity: "size or space",
    counterexample: `counterexamples/${variant}-1-7.json`,
    command: `ext4-conform replay counterexamples/${variant}-1-7.json`,
    report:
      "FAIL  model and kernel disagree on the blocks of the file\n\noperations\n> 0  fsync()\n",
    ...change,
  };
}

function subtest(name: string, change: Partial<Subtest>): Subtest {
  return {
    ...NO_SUBTEST,
    name,
    status: "pass",
    path: "buffer_head",
    mkfsOptions: "-b 4096 -m 0",
    mountOptions: "rw,relatime,commit=86400",
    seconds: 2.04,
    counts: { cases: 100, operations: 1200, files: 13 },
    findings: [],
    ...change,
  };
}

/** One of each kind. */
const outcome: Outcome = {
  format: "ext4-conform outcome",
  version: 1,
  tool: "0.1.0",
  command: "run",
  host: "builder",
  started: "2026-10-24T12:00:00.000Z",
  seconds: 31.2,
  kernel: { release: "6.18.44", machine: "x64", kind: "this machine's", what: "host" },
  seed: 1,
  strict: true,
  verdict: "diverges",
  subtests: [
    subtest("4k-delalloc", { deviations: { "failed-write-moves-size": 3 } }),
    subtest("2k-delalloc", {
      status: "fail",
      findings: [
        finding("2k-delalloc", "read", {
          severity: "data",
          report: "FAIL  the bytes\n\n  | `` ` ```` 100 %, a: b\n",
        }),
        finding("2k-delalloc", "map", { case: 9 }),
      ],
    }),
    subtest("1k-delalloc", {
      status: "not-reproduced",
      findings: [finding("1k-delalloc", "map", { confirmed: false })],
    }),
    subtest("4k-full", {
      status: "incomplete",
      reason: "ended early: SIGTERM",
      promised: "space runs out there, which the model does not follow",
    }),
    { ...NO_SUBTEST, name: "4k-thin", findings: [], reason: "ended early: SIGTERM" },
  ],
  endedEarly: { by: "signal", message: "SIGTERM" },
};

const conforming: Outcome = {
  ...outcome,
  verdict: "conforms",
  subtests: [outcome.subtests[0]!],
};
delete conforming.endedEarly;

const skipped: Outcome = {
  ...outcome,
  verdict: "incomplete",
  subtests: [],
  endedEarly: { by: "machine", message: "no loop device. Run as root." },
};

const lost: Outcome = {
  ...outcome,
  subtests: [
    subtest("4k-delalloc", {
      status: "fail",
      findings: [finding("4k-delalloc", "hang", { severity: "file system", confirmed: false })],
    }),
  ],
  endedEarly: { by: "kernel", message: "nothing happened for too long" },
};

/**
 * What clears the screen, turns the direction of writing, ends lines and comments, is no character
 * of XML, and says in the words of each form what was never so.
 */
const EVIL =
  "x\u001b[2J\u0007\r\u202e\u009b\ufffe\ud800|`<b>&\"']]>%0A::\n" +
  "ok 1 all # SKIP\n1..0\n# Subtest: y\n::stop-commands::z\nreboot: System halted\n# ok 9 # SKIP #";

/** The same with that behind every text that comes from elsewhere. */
function hostile<T>(value: T, key = ""): T {
  const ours = /^(?:format|command|started|status|verdict|kind|severity|op|by)$/.test(key);
  if (typeof value === "string") return (ours ? value : `${value} ${EVIL}`) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => hostile(one, key)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, hostile(member, name)]);
  return Object.fromEntries(entries) as T;
}

// A command that is no word of ours is no outcome.
const evil: Outcome = { ...hostile(outcome), command: "run" };

const outcomes: [string, Outcome][] = [
  ["one of each kind", outcome],
  ["a run that conforms", conforming],
  ["a machine that cannot", skipped],
  ["a kernel that was lost", lost],
  ["hostile texts", evil],
];

/** Nothing that is not there to be read, but the ends of lines; and all lines end. */
function mustBeReadable(text: string): void {
  expect(text).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{NChar}]/u);
  expect(text).toMatch(/(?:^|\n)$/);
}

describe("KTAP", () => {
  test("looks like this", async () => {
    await expect(ktap(outcome)).toMatchFileSnapshot("goldens/outcome-ktap.txt");
  });

  test.each(outcomes)("is KTAP by its specification: %s", (_, one) => {
    const text = ktap(one);
    mustBeReadable(text);
    const [all, ...others] = parseKtap(text);
    expect(others).toEqual([]);
    expect(all!.subtests).toHaveLength(one.subtests.length);
  });

  test("says of each subtest what became of it, and why", () => {
    const [all] = parseKtap(ktap(outcome));
    expect(all).toMatchObject({ ok: false, name: "ext4-conform run", directive: "ERROR" });
    expect(all!.subtests.map(({ ok, directive }) => [ok, directive])).toEqual([
      [true, undefined],
      [false, undefined],
      [false, undefined],
      [true, "SKIP"],
      [true, "SKIP"],
    ]);
    expect(all!.subtests[1]!.diagnostics).toContain("FAIL  the bytes");
  });

  test("of texts that say something else, the same", () => {
    const results = parseKtap(ktap(evil))[0]!.subtests.map(({ ok, directive }) => [ok, directive]);
    expect(results).toEqual(
      parseKtap(ktap(outcome))[0]!.subtests.map(({ ok, directive }) => [ok, directive]),
    );
  });

  test("is skipped where the machine cannot", () => {
    expect(parseKtap(ktap(skipped))).toMatchObject([{ ok: true, directive: "SKIP", subtests: [] }]);
  });

  const tree = process.env["EXT4_CONFORM_KERNEL_SOURCE"];
  const kunit = tree === undefined ? "" : join(tree, "tools", "testing", "kunit", "kunit.py");
  test.for(outcomes)("is what the kernel's own parser takes: %s", ([, one], { skip }) => {
    skip(!existsSync(kunit), "EXT4_CONFORM_KERNEL_SOURCE names no kernel tree");
    const program = `import sys; sys.path.insert(0, ${JSON.stringify(join(kunit, ".."))})
import kunit_parser, kunit_printer
test = kunit_parser.parse_run_tests(sys.stdin.read().split("\\n"), kunit_printer.stdout)
print(test.counts.errors, len(test.subtests[0].subtests), test.subtests[0].ok_status())`;
    const said = execFileSync("python3", ["-c", program], { input: ktap(one), encoding: "utf8" });
    const [all] = parseKtap(ktap(one));
    const counts = said.trimEnd().split("\n").at(-1);
    expect(counts).toBe(`0 ${one.subtests.length} ${all!.ok ? "True" : "False"}`);
  });

  test.each([
    ["no version", "1..1\nok 1 a\n", "KTAP version 1"],
    ["another version", "KTAP version 2\n1..1\nok 1 a\n", "KTAP version 1"],
    ["no plan", "KTAP version 1\nok 1 a\n", "a plan follows"],
    ["too few results", "KTAP version 1\n1..2\nok 1 a\n", "is a result"],
    ["too many results", "KTAP version 1\n1..1\nok 1 a\nok 2 b\n", "nothing follows"],
    ["a wrong number", "KTAP version 1\n1..1\nok 2 a\n", "numbered"],
    ["a line that is none", "KTAP version 1\n1..1\nhello\nok 1 a\n", "no result"],
    ["a name with a sign in it", "KTAP version 1\n1..1\nok 1 a#b\n", "no result"],
    [
      "subtests at a wrong depth",
      "KTAP version 1\n1..1\n   KTAP version 1\n   1..0\nok 1 a\n",
      "is a result",
    ],
    [
      "a test that is better than its subtests",
      "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  not ok 1 a\nok 1 b\n",
      "fails with its subtests",
    ],
    ["no end of the last line", "KTAP version 1\n1..1\nok 1 a", "the last line ends"],
  ])("is not read where it has %s", (_, text, why) => {
    expect(() => parseKtap(text)).toThrow(why);
  });
});

describe("JUnit", () => {
  test("looks like this", async () => {
    await expect(junit(outcome)).toMatchFileSnapshot("goldens/outcome-junit.xml");
  });

  test.each(outcomes)("keeps to its schema: %s", async (_, one) => {
    const text = junit(one);
    mustBeReadable(text);
    expect(await junitFaults(text)).toEqual([]);
  });

  test("has the properties of xfstests' reports", () => {
    const [, first] = junit(outcome).split("<testsuite ");
    for (const [name, value] of [
      ["KERNEL", "6.18.44"],
      ["ARCH", "x86_64"],
      ["MKFS_OPTIONS", "-b 4096 -m 0"],
      ["MOUNT_OPTIONS", "-o rw,relatime,commit=86400"],
    ]) {
      expect(first).toContain(`<property name="${name}" value="${value}"/>`);
    }
  });

  test("is refused by the schema where it is anything else", async () => {
    const text = junit(outcome);
    for (const [from, to] of [
      ["<testsuites>", "<testsuites name='x'>"],
      ['type="read"', 'kind="read"'],
      ["<skipped", "<ignored"],
      ['timestamp="2026-', 'timestamp="24.10.2026 '],
      ['time="2.040"', 'time="2e3"'],
      ["<system-err/>", ""],
    ]) {
      expect(text).toContain(from);
      expect(await junitFaults(text.replace(from!, to!))).not.toEqual([]);
    }
  });
});

describe("GitHub", () => {
  test("annotations look like this", async () => {
    await expect(annotations(outcome)).toMatchFileSnapshot("goldens/outcome-github.txt");
  });

  test("the summary looks like this", async () => {
    await expect(summary(outcome)).toMatchFileSnapshot("goldens/outcome-summary.txt");
  });

  test.each(outcomes)("annotations are a command a line: %s", (_, one) => {
    const text = annotations(one);
    mustBeReadable(text);
    for (const line of text.split("\n").slice(0, -1)) {
      expect(line).toMatch(
        /^::(?:error|warning|notice) title=(?:[^%:,]|%25|%0A|%3A|%2C)+::(?:[^%]|%25|%0A)+$/,
      );
    }
  });

  test("annotations of texts that are commands themselves are as many", () => {
    const [those, these] = [evil, outcome].map((one) => annotations(one).split("\n"));
    expect(those).toHaveLength(these!.length);
  });

  test.each(outcomes)("the summary is a table, and code that nothing ends early: %s", (_, one) => {
    const text = summary(one);
    mustBeReadable(text);
    const [table, ...fences] = text.split(/^(`{3,})text$/m);
    expect(table!.split("\n").filter((line) => line.startsWith("|"))).toHaveLength(
      2 + one.subtests.length,
    );
    for (let i = 0; i < fences.length; i += 2) {
      const [code, rest] = fences[i + 1]!.split(new RegExp(`^${fences[i]}$`, "m"));
      expect(code!.length).toBeGreaterThan(10);
      expect(rest!.trim()).toBe("");
    }
  });

  test("a summary has no more than GitHub takes", () => {
    const report = `${"x".repeat(9_999)}\n`;
    const findings = Array.from({ length: 300 }, () => finding("4k-thin", "map", { report }));
    const text = summary({
      ...outcome,
      subtests: [subtest("4k-thin", { status: "fail", findings })],
    });
    expect(text.length).toBeLessThan(2 ** 20 / 4);
    expect(text).toMatch(/\n280 more, for which there is no room here\n/);
  });
});

describe("JSON", () => {
  test("looks like this", async () => {
    await expect(json(outcome)).toMatchFileSnapshot("goldens/outcome-json.txt");
  });

  test.each(outcomes)("is the outcome, and keeps to its schema: %s", (_, one) => {
    const text = json(one);
    mustBeReadable(text);
    expect(JSON.parse(text)).toEqual(one);
    expect(jsonFaults(text, "outcome")).toEqual([]);
  });

  test("is refused by the schema where it is anything else", () => {
    for (const change of [{ version: 2 }, { verdict: "fine" }, { more: 1 }, { subtests: [{}] }]) {
      expect(jsonFaults(json({ ...outcome, ...change } as Outcome), "outcome")).not.toEqual([]);
    }
  });
});
