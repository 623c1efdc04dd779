import { describe, expect, test } from "vitest";
import type { FoundDivergence } from "../stored/result.ts";
import type { CaseShape } from "../run/shape.ts";
import { nothingRun } from "../run/supervisor.ts";
import type { JobResult, SupervisorResult } from "../run/supervisor.ts";
import { difference, isWorse, maybeWorse } from "./difference.ts";
import { changeText, comparisonText, speedText } from "./table.ts";

const shape = (number: number, fields: Partial<CaseShape> = {}): CaseShape => ({
  case: number,
  map: 1000 + number,
  blocks: 8,
  extents: 1,
  ...fields,
});

function ran(fields: Partial<JobResult> = {}, deviations: Record<string, number> = {}): JobResult {
  const counts = {
    cases: 3,
    tries: 0,
    operations: 3000,
    files: 1,
    checkpoints: 1,
    guesses: 0,
    transient: 0,
    deviations,
    handedOver: {},
  };
  return {
    variant: "4k-delalloc",
    counts,
    seconds: 1,
    mounted: { path: "buffer_head", options: "rw" },
    shapes: [shape(0), shape(1), shape(2)],
    ...fields,
  };
}

function found(kind: "map" | "panic", fields: Partial<FoundDivergence> = {}): FoundDivergence {
  return {
    variant: "4k-delalloc",
    case: 7,
    divergence: {
      variant: "4k-delalloc",
      step: 0,
      operations: [{ op: "pwrite", pos: 0, len: 4096, readable: 4096 }, { op: "fsync" }],
      kind,
      message: "block 0 is delayed, expected hole",
    },
    confirmed: true,
    named: [],
    met: 1,
    ...fields,
  };
}

const run = (results: JobResult[], divergences: FoundDivergence[] = []): SupervisorResult => ({
  ...nothingRun(),
  results,
  found: divergences,
});

const nobody = { baseline: new Set<string>(), candidate: new Set<string>() };

describe("what changed between two kernels", () => {
  test("is nothing between a kernel and itself", () => {
    const what = difference(run([ran()]), run([ran()]));
    expect(what.variants[0]).toMatchObject({ compared: 3, mapsChanged: 0 });
    expect(isWorse(what)).toBe(false);
  });

  test("is worse where only the candidate diverges, and better where only the baseline did", () => {
    const [good, bad] = [run([ran()]), run([ran()], [found("map")])];
    expect(isWorse(difference(good, bad))).toBe(true);
    expect(difference(good, bad).appeared.map(({ kind }) => kind)).toEqual(["map"]);
    expect(isWorse(difference(bad, good))).toBe(false);
    expect(difference(bad, good).gone.map(({ kind }) => kind)).toEqual(["map"]);
  });

  test("is worse where the candidate does another thing wrong", () => {
    const what = difference(run([ran()], [found("map")]), run([ran()], [found("panic")]));
    expect(isWorse(what)).toBe(true);
    expect([what.appeared.length, what.gone.length]).toEqual([1, 1]);
  });

  test("is not what both do wrong, whatever it was shrunk to", () => {
    const longer = found("map");
    longer.divergence = { ...longer.divergence, message: "block 1 is delayed, expected hole" };
    const what = difference(run([ran()], [found("map")]), run([ran()], [longer]));
    expect(what.appeared).toEqual([]);
    expect(isWorse(what)).toBe(false);
  });

  test("is told by what a finding is, not by its kind alone", () => {
    const other = found("map");
    other.divergence = { ...other.divergence, operations: [{ op: "drop_cache" }] };
    const both = run([ran()], [found("map"), other]);
    const what = difference(run([ran()], [found("map")]), both);
    expect(what.appeared).toEqual([other.divergence]);
    expect(difference(both, run([ran()], [found("map")])).gone).toEqual([other.divergence]);
  });

  test.each(["foundEnough", "timeUp", "lost"] as const)(
    "is not claimed of what one alone shows where the other was left early (%s)",
    (why) => {
      const left = [run([ran({ [why]: true })], [found("panic")]), run([ran()], [found("map")])];
      const [early, whole] = left as [SupervisorResult, SupervisorResult];
      const one = difference(early, whole);
      expect(one.appeared).toEqual([]);
      expect(one.gone.map(({ kind }) => kind)).toEqual(["panic"]);
      expect(one.undecided).toMatchObject([{ side: "candidate", divergence: { kind: "map" } }]);
      expect([isWorse(one), maybeWorse(one).length]).toEqual([false, 1]);
      const other = difference(whole, early);
      expect(other.appeared.map(({ kind }) => kind)).toEqual(["panic"]);
      expect(other.undecided).toMatchObject([{ side: "baseline", divergence: { kind: "map" } }]);
      expect([isWorse(other), maybeWorse(other)]).toEqual([true, []]);
    },
  );

  test("is not what the baseline has shown once", () => {
    const baseline = run([ran()], [found("map", { confirmed: false })]);
    expect(isWorse(difference(baseline, run([ran()], [found("map")])))).toBe(false);
  });

  test("is not what a fresh image did not show again", () => {
    const what = difference(run([ran()]), run([ran()], [found("map", { confirmed: false })]));
    expect(isWorse(what)).toBe(false);
  });

  test("is worse where only the candidate has a known deviation", () => {
    const what = difference(
      run([ran({}, { "failed-write-moves-size": 1 })]),
      run([ran({}, { "short-write-keeps-reservation": 0 })]),
    );
    expect(what.deviationsAppeared).toEqual(["short-write-keeps-reservation"]);
    expect(what.deviationsGone).toEqual(["failed-write-moves-size"]);
    expect(isWorse(what)).toBe(true);
  });

  test("counts blocks and extents over the cases that both ran, jobs together", () => {
    const baseline = run([ran({ shapes: [shape(0)] }), ran({ shapes: [shape(1), shape(9)] })]);
    const candidate = run([
      ran({ shapes: [shape(0), shape(1, { map: 7, blocks: 16, extents: 3 }), shape(2)] }),
    ]);
    expect(difference(baseline, candidate).variants[0]).toMatchObject({
      compared: 2,
      mapsChanged: 1,
      firstChanged: 1,
      blocks: { baseline: 16, candidate: 24 },
      extents: { baseline: 2, candidate: 4 },
      perSecond: { baseline: 6000, candidate: 3000 },
    });
  });

  test("leaves a variant that only one of them has without numbers", () => {
    const iomap = ran({ variant: "4k-delalloc-iomap" });
    const what = difference(run([ran()]), run([ran(), iomap]));
    expect(what.variants.map(({ variant }) => variant)).toEqual([
      "4k-delalloc",
      "4k-delalloc-iomap",
    ]);
    expect(what.variants[1]).toMatchObject({ compared: 0 });
    expect(what.notCompared).toEqual(["4k-delalloc-iomap"]);
    expect(isWorse(what)).toBe(false);
  });

  test("is not what a variant shows that only one of them has", () => {
    const variant = "4k-delalloc-iomap";
    const iomap = ran({ variant }, { "release-takes-block-of-eof": 2 });
    const bad = found("map", { variant, divergence: { ...found("map").divergence, variant } });
    const [without, offers] = [run([ran()]), run([ran(), iomap], [bad])];
    for (const what of [difference(without, offers), difference(offers, without)]) {
      expect([what.appeared, what.gone]).toEqual([[], []]);
      expect([what.deviationsAppeared, what.deviationsGone]).toEqual([[], []]);
      expect(what.notCompared).toEqual([variant]);
    }
    const what = difference(without, run([ran()]), [variant]);
    expect(comparisonText(what, nobody, false)).toContain(
      "\nnot compared: one of the two kernels cannot run it, or did not\n  4k-delalloc-iomap\n",
    );
  });
});

describe("in words", () => {
  test.each([
    [{ baseline: 5, candidate: 5 }, "same"],
    [{ baseline: 0, candidate: 3 }, "+3"],
    [{ baseline: 2000, candidate: 2010 }, "+10 (+0.5 %)"],
    [{ baseline: 2000, candidate: 1000 }, "-1,000 (-50.0 %)"],
    [{ baseline: 30_000, candidate: 29_999 }, "-1 (<0.1 %)"],
    [{ baseline: 30_000, candidate: 30_001 }, "+1 (<0.1 %)"],
    [{ baseline: 2000, candidate: 1999 }, "-1 (-0.1 %)"],
  ])("%j is %s", (change, text) => {
    expect(changeText(change)).toBe(text);
  });

  test.each([
    [{ baseline: 1000, candidate: 999 }, "same"],
    [{ baseline: 1000, candidate: 1001 }, "same"],
    [{ baseline: 1000, candidate: 0 }, "-"],
    [{ baseline: 1000, candidate: 980 }, "-2 %"],
  ])("a speed of %j is %s", (change, text) => {
    expect(speedText(change)).toBe(text);
  });

  test("what is not claimed is said, and is not called better or worse", () => {
    const early = run([ran({ foundEnough: true })], [found("map")]);
    const both = run([ran({ foundEnough: true })], [found("panic")]);
    const text = comparisonText(difference(early, both), nobody, false);
    expect(text).toContain(
      [
        "divergences of which nothing is claimed",
        "  4k-delalloc: only on the candidate, but the baseline was left early: panic: block 0 is delayed, expected hole",
        "    pwrite(pos=0, len=4096)",
        "  4k-delalloc: only on the baseline, but the candidate was left early: map: block 0 is delayed, expected hole",
        "    pwrite(pos=0, len=4096)",
        "",
        "left early: the rest of the cases was not run",
        "  4k-delalloc: baseline and candidate",
        "",
        "UNDECIDED: what only the candidate has shown the baseline may do too, which was left early; 3 cases that both kernels ran",
      ].join("\n"),
    );
    const known = comparisonText(difference(early, early), nobody, false);
    expect(known).toMatch(/^NO WORSE: /m);
    expect(known).toContain("  4k-delalloc: baseline and candidate\n");
  });

  test("it is a table, what is new and gone, and a word", () => {
    const baseline = run([ran({}, { "failed-write-moves-size": 1 })]);
    const changed = [shape(0), shape(1, { map: 7, blocks: 16, extents: 3 }), shape(2)];
    const candidate = run([ran({ shapes: changed, seconds: 2 })], [found("panic")]);
    const what = difference(baseline, candidate);
    const diverged = { ...nobody, candidate: new Set(["4k-delalloc"]) };
    expect(comparisonText(what, diverged, false)).toBe(
      [
        "variant     baseline candidate maps changed    st_blocks      extents speed",
        "4k-delalloc conforms  DIVERGES       1 of 3 +8 (+33.3 %) +2 (+66.7 %) -50 %",
        "",
        "new divergences",
        "  4k-delalloc: panic: block 0 is delayed, expected hole",
        "    pwrite(pos=0, len=4096)",
        "",
        "known deviations that are gone",
        "  failed-write-moves-size",
        "    A write past EOF that fails with EFAULT, and has written nothing, moves i_size to its start.",
        "",
        "files with another map (both are right)",
        "  4k-delalloc: 1 case, the first is case 1",
        "",
        "WORSE: see above; 3 cases that both kernels ran",
        "",
      ].join("\n"),
    );
  });

  test.each([
    ["NO WORSE", run([ran()]), run([ran()])],
    ["BETTER", run([ran()], [found("map")]), run([ran()])],
  ])("%s is said where nothing new is wrong", (word, baseline, candidate) => {
    const text = comparisonText(difference(baseline, candidate), nobody, false);
    expect(text).toMatch(new RegExp(`^${word}: nothing new is wrong in 3 cases`, "m"));
  });
});
