import { describe, expect, test } from "vitest";
import { kernelOfRelease, kernels, NEWEST } from "../../model/kernels/kernels.ts";
import type { KernelFacts } from "../../model/kernels/kernels.ts";
import { hidden, notCompared, unknownSeries } from "./kernel-traits.ts";

describe("a kernel with the series", () => {
  const revisions = Object.entries<KernelFacts>(kernels).filter(([, { path }]) => path === "iomap");

  test("there are three revisions that are known", () => {
    expect(revisions.map(([name]) => name)).toEqual(["series v1", "series v2", "series 7.4-dev"]);
  });

  test.each(revisions)("%s is known", (_, facts) => {
    expect(unknownSeries(facts)).toBeUndefined();
  });

  test("one that is none of them is told from the nearest", () => {
    const { changes } = kernels["series 7.4-dev"];
    const more = changes.filter((name) => name !== "zero-no-holes");
    expect(unknownSeries({ changes: more })).toBe(
      "its series is none that is known: as series 7.4-dev, but without zero-no-holes",
    );
    const less = [...kernels["series v1"].changes, "keep-truncated-tail-dirty" as const];
    expect(unknownSeries({ changes: less })).toBe(
      "its series is none that is known: as series v1, but with keep-truncated-tail-dirty",
    );
  });
});

test("what is no version stands for the newest kernel, and is a guess", () => {
  expect(kernelOfRelease("none")).toMatchObject({
    name: NEWEST,
    guess: expect.stringContaining(NEWEST) as string,
  });
  expect(kernelOfRelease("6.18.44-fc")).toEqual({ name: "6.18" });
});

test("what a machine does not show is said, and which divergences that hides", () => {
  const all = { cacheIoctl: true, cachestat: true, kernelLog: true };
  expect(notCompared(all)).toEqual([]);
  expect(hidden("pages", all)).toBeUndefined();
  const without = { ...all, cachestat: false };
  expect(notCompared(without)).toEqual([hidden("pages", without)]);
  expect(hidden("map", without)).toBeUndefined();
});
