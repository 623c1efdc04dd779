/**
 * What a run came to, where no machine of the tests comes to it: a kernel that is lost.
 */
import { describe, expect, test } from "vitest";
import { EnvironmentError, Interrupted } from "../case/failure.ts";
import { difference } from "../comparison/difference.ts";
import { json } from "../report/json.ts";
import { jsonFaults } from "../report/validators.ts";
import { WorkerLost } from "../run/conversation.ts";
import type { Facts, Performed } from "../run/perform.ts";
import { nothingRun } from "../run/supervisor.ts";
import type { JobResult } from "../run/supervisor.ts";
import { NOWHERE } from "../run/whereabouts.ts";
import { NOTHING_RUN } from "../stored/result.ts";
import type { FoundDivergence } from "../stored/result.ts";
import { chooseVariants } from "../under-test/variants.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import type { Presented } from "./present.ts";
import { comparisonOutcome, runOutcome } from "./run-outcome.ts";

const kernel = { what: "host", kind: "this machine's", append: [], guest: false };

const traits: Facts["traits"] = {
  release: "6.18.44",
  machine: "x64",
  cacheIoctl: true,
  cachestat: true,
  kernelLog: true,
  changes: [],
  atUnmount: [],
  bufferedIomap: false,
};

const row = (variant: string, cases: number, deviations = {}): JobResult => ({
  variant,
  counts: { ...NOTHING_RUN, cases, operations: 10 * cases, deviations },
  seconds: 1,
  mounted: { path: "buffer_head", options: "rw,relatime" },
});

const names = "4k-delalloc,2k-delalloc,1k-delalloc,4k-thin";

/** A run of four variants: two at their ends, one under way, one not begun. */
function performed(change: Partial<Performed>): Performed {
  const work = { kind: "generate", seed: 7, cases: 100, maxLength: 200 } as const;
  const options = { kernel: "host", memory: 256, append: [], accel: "auto", strict: false, work };
  const asked = { ...options, variants: chooseVariants(names) } as unknown as Facts["options"];
  const under = kernel as unknown as KernelUnderTest;
  return {
    kernel: under,
    seed: 7,
    started: performance.now(),
    facts: { options: asked, kernel: under, seed: 7, traits, commandLine: "" },
    result: {
      ...nothingRun(),
      results: [row("4k-delalloc", 100), row("2k-delalloc", 100)],
      underWay: new Map([[0, row("1k-delalloc", 60)]]),
      notRun: ["4k-thin"],
    },
    ...change,
  };
}

function found(variant: string, kind: "map" | "read", confirmed: boolean): Presented {
  const operations = [{ op: "fsync" as const }];
  const divergence = { variant, step: 0, operations, kind, message: "is not so" };
  const of: FoundDivergence = { variant, case: 3, divergence, confirmed, named: [], met: 1 };
  return { found: of, command: "replay", report: "FAIL\n" };
}

const again = ({ where }: WorkerLost): string => `run again ${where.variant}`;
const end = { reason: "killed", console: ["a", "BUG: bad"], kernelDied: true, killed: false };

function outcome(change: Partial<Performed>, presented: Presented[] = []) {
  const one = runOutcome("run", performed(change), presented, again);
  expect(jsonFaults(json(one), "outcome")).toEqual([]);
  return { ...one, statuses: one.subtests.map(({ status }) => status) };
}

describe("a run", () => {
  test("that time ends conforms in what it came to", () => {
    const { verdict, statuses, subtests } = outcome({});
    expect(statuses).toEqual(["pass", "pass", "pass", "not-run"]);
    expect(subtests[2]!.reason).toBe("the time was up before all of its cases");
    expect(subtests[3]!.reason).toBe("the time was up before it");
    expect(verdict).toBe("conforms");
  });

  test.each([
    ["signal", new Interrupted("SIGTERM"), "SIGTERM"],
    ["machine", new EnvironmentError("no-space", "no room", "Make some."), "no room. Make some."],
    ["error", new Error("assertion"), "assertion"],
  ])("that a %s ends is incomplete", (by, failure, message) => {
    const { verdict, statuses, endedEarly } = outcome({ failure });
    expect(statuses).toEqual(["pass", "pass", "incomplete", "not-run"]);
    expect(verdict).toBe("incomplete");
    expect(endedEarly).toEqual({ by, message });
  });

  test("whose kernel is lost fails where it was lost", () => {
    const where = { ...NOWHERE, variant: "1k-delalloc", case: 12 };
    const { verdict, statuses, subtests, endedEarly } = outcome({
      failure: new WorkerLost("ended", where, end, false),
    });
    expect(statuses).toEqual(["pass", "pass", "fail", "not-run"]);
    expect(verdict).toBe("diverges");
    expect(endedEarly!.by).toBe("kernel");
    const [finding] = subtests[2]!.findings;
    expect(finding).toMatchObject({ case: 12, severity: "file system", confirmed: false });
    expect(finding!.divergence).toMatchObject({ kind: "panic", evidence: ["BUG: bad"] });
    expect(finding!.command).toBe("run again 1k-delalloc");
    expect(finding!.report).toMatch(/^FAIL {2}the kernel went down\n/);
  });

  test("whose kernel is lost before the first variant has a subtest for it", () => {
    const failure = new WorkerLost("hung", NOWHERE, end, true);
    const { facts: _, ...before } = performed({ failure, result: nothingRun() });
    const one = runOutcome("run", before, [], again);
    expect(jsonFaults(json(one), "outcome")).toEqual([]);
    expect(one).toMatchObject({
      verdict: "diverges",
      subtests: [{ name: "kernel", status: "fail" }],
    });
    expect(one.kernel).toBeUndefined();
  });

  test("has the worst of what was found first, and tells what is in doubt", () => {
    const { verdict, statuses, subtests } = outcome({}, [
      found("4k-delalloc", "map", true),
      found("4k-delalloc", "read", true),
      found("2k-delalloc", "map", false),
    ]);
    expect(statuses).toEqual(["fail", "not-reproduced", "pass", "not-run"]);
    expect(subtests[0]!.findings.map(({ severity }) => severity)).toEqual([
      "data",
      "size or space",
    ]);
    expect(verdict).toBe("diverges");
    expect(outcome({}, [found("2k-delalloc", "map", false)]).verdict).toBe("not-reproduced");
  });
});

function compared(
  results: JobResult[],
  presented: Presented[] = [],
  early: Partial<JobResult> = {},
) {
  const rows = [{ ...row("4k-delalloc", 100), ...early }];
  const baseline = performed({ result: { ...nothingRun(), results: rows } });
  const all = presented.map(({ found: one }) => one);
  const candidate = performed({ result: { ...nothingRun(), results, found: all } });
  const what = difference(baseline.result, candidate.result, ["4k-delalloc-iomap"]);
  const appeared = presented.filter(({ found: { divergence } }) =>
    what.appeared.includes(divergence),
  );
  const one = comparisonOutcome(baseline, candidate, what, appeared);
  expect(jsonFaults(json(one), "outcome")).toEqual([]);
  return one;
}

describe("a comparison", () => {
  test("passes where nothing new is wrong, and says what was not compared", () => {
    const { verdict, subtests, baseline } = compared([row("4k-delalloc", 100), row("4k-thin", 1)]);
    expect(verdict).toBe("conforms");
    expect(baseline).toMatchObject({ release: "6.18.44", what: "host" });
    expect(subtests.map(({ name, status }) => [name, status])).toEqual([
      ["4k-delalloc", "pass"],
      ["4k-thin", "not-run"],
      ["4k-delalloc-iomap", "not-run"],
    ]);
  });

  test("fails where something is, be it a known deviation", () => {
    const deviates = compared([row("4k-delalloc", 100, { "failed-write-moves-size": 2 })]);
    expect(deviates).toMatchObject({
      verdict: "diverges",
      subtests: [{ reason: "known deviations that are new: failed-write-moves-size" }, {}],
    });
    const diverges = compared([row("4k-delalloc", 9)], [found("4k-delalloc", "map", true)]);
    expect(diverges.subtests[0]!.status).toBe("fail");
  });

  test("is incomplete where the baseline was left before it could show the same", () => {
    const news = [found("4k-delalloc", "map", true)];
    const { verdict, subtests } = compared([row("4k-delalloc", 9)], news, { foundEnough: true });
    expect(verdict).toBe("incomplete");
    expect(subtests[0]).toMatchObject({ status: "incomplete", findings: [] });
    expect(subtests[0]!.reason).toMatch(/^the baseline was left early, and may do the same: /);
    const nothing = compared([row("4k-delalloc", 9)], [], { foundEnough: true });
    expect(nothing.verdict).toBe("conforms");
    expect(nothing.subtests[0]!.reason).toMatch(/^left early, .* not run: baseline$/);
  });
});
