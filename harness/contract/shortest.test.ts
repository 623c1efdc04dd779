import { describe, expect, test } from "vitest";
import type { Extent, Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { Contract } from "./contract.ts";
import { checkCase, findShortest } from "./shortest.ts";
import type { RecordedCase } from "./shortest.ts";

const BLOCK = 4096;
const EFAULT = -14;
const options = { path: "iomap", blockSize: BLOCK, delalloc: true } as const;

function seen(result: number, i_size: number, map: Extent[] = []): Observation {
  const blocks = map.reduce((sum, { len }) => sum + len, 0);
  const reserved = map.reduce((sum, { len, state }) => sum + (state === "delayed" ? len : 0), 0);
  const st_blocks = (blocks * BLOCK) / 512;
  return {
    result,
    i_size,
    st_blocks,
    map,
    pieces: map.length,
    reserved,
    cache: undefined,
    read: undefined,
  };
}

const delayed = (lblk: number, len: number): Extent => ({ lblk, len, state: "delayed" });
const write = (pos: number, readable: number): Operation => ({
  op: "pwrite",
  pos,
  len: BLOCK,
  readable,
});
const truncate = (size: number): Operation => ({ op: "ftruncate", size });
const fsync: Operation = { op: "fsync" };
const read: Operation = { op: "pread", pos: 0, len: 1 };

function recorded(number: number, steps: readonly [Operation, Observation][]): RecordedCase {
  const [operations, observations] = [steps.map(([o]) => o), steps.map(([, s]) => s)];
  return { number, operations, observations };
}

/**
 * A failing write leaves its block delayed, and a sync does not take it away; before both there are
 * detours.
 */
const detours = recorded(7, [
  [fsync, seen(0, 0)],
  [truncate(2 * BLOCK), seen(0, 2 * BLOCK)],
  [write(0, BLOCK), seen(BLOCK, 2 * BLOCK, [delayed(0, 1)])],
  [truncate(0), seen(0, 0)],
  [truncate(8 * BLOCK), seen(0, 8 * BLOCK)],
  [read, seen(1, 8 * BLOCK)],
  [write(BLOCK, 0), seen(EFAULT, 8 * BLOCK, [delayed(1, 1)])],
  [read, seen(1, 8 * BLOCK, [delayed(1, 1)])],
  [fsync, seen(0, 8 * BLOCK, [delayed(1, 1)])],
]);

/** The same at once, past EOF. */
const direct = recorded(9, [
  [write(BLOCK, 0), seen(EFAULT, 0, [delayed(1, 1)])],
  [read, seen(0, 0, [delayed(1, 1)])],
]);

const kept = recorded(3, [
  [write(0, BLOCK), seen(BLOCK, BLOCK, [delayed(0, 1)])],
  [fsync, seen(0, BLOCK, [{ lblk: 0, len: 1, state: "written" }])],
]);

describe("checkCase", () => {
  test("the first break of each promise, in the order in which they show", () => {
    const broken = checkCase(new Contract(options), detours);
    expect(broken.map(({ promise, step }) => [promise, step])).toEqual([
      ["released-after-short-write", 6],
      ["nothing-delayed-after-sync", 8],
    ]);
    expect(checkCase(new Contract(options), kept)).toEqual([]);
  });
});

describe("findShortest", () => {
  test("nothing, where nothing is broken", async () => {
    const findings = await findShortest([kept, kept], options);
    expect([findings.list, findings.cases, findings.operations]).toEqual([[], 2, 4]);
  });

  test("leaves out what led back to where the file was", async () => {
    const { list } = await findShortest([detours], options);
    expect(list.map(({ promise, shortest }) => [promise, shortest.steps])).toEqual([
      ["released-after-short-write", [4, 6]],
      ["nothing-delayed-after-sync", [4, 6, 8]],
    ]);
    const [first] = list;
    expect(first!.prefix.steps).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(first!.shortest.operations).toEqual([truncate(8 * BLOCK), write(BLOCK, 0)]);
    expect(first!.shortest.broken.step).toBe(6);
  });

  test("takes the shortest of all cases, and counts those that break a promise", async () => {
    const { list } = await findShortest([detours, kept, direct, direct], options);
    expect(
      list.map(({ promise, cases, shortest }) => [promise, cases, shortest.case, shortest.steps]),
    ).toEqual([
      ["released-after-short-write", 3, 9, [0]],
      ["nothing-delayed-past-eof", 2, 9, [0]],
      ["nothing-delayed-after-sync", 1, 7, [4, 6, 8]],
    ]);
    expect(list[0]!.prefix.steps).toEqual([0]);
  });

  test("of two that are as short, takes the one that was recorded like that", async () => {
    const after = recorded(1, [[fsync, seen(0, 0)], ...toSteps(direct)]);
    for (const order of [
      [after, direct],
      [direct, after],
    ]) {
      const { list } = await findShortest(order, options);
      expect([list[0]!.shortest.case, list[0]!.shortest.steps]).toEqual([9, [0]]);
    }
  });

  test("a detour that left other bytes behind is none", async () => {
    const one = { lblk: 0, len: 1, state: "written" } as const;
    const steps: [Operation, Observation][] = [
      [write(0, BLOCK), seen(BLOCK, BLOCK, [delayed(0, 1)])],
      [fsync, seen(0, BLOCK, [one])],
      [{ op: "mmap_write", pos: 0, len: 8 }, seen(0, BLOCK, [one])],
      [read, { ...seen(1, BLOCK, [one]), read: new Uint8Array(1) }],
    ];
    const { list } = await findShortest([recorded(0, steps)], options);
    expect(list.map(({ promise, shortest }) => [promise, shortest.steps])).toEqual([
      ["read-returns-what-was-written", [0, 1, 2, 3]],
    ]);
  });

  test("reads cases one by one", async () => {
    const { list } = await findShortest(oneByOne([kept, direct]), options);
    expect(list[0]!.cases).toBe(1);
  });
});

function toSteps({ operations, observations }: RecordedCase): [Operation, Observation][] {
  return operations.map((operation, i) => [operation, observations[i]!]);
}

async function* oneByOne(cases: readonly RecordedCase[]): AsyncGenerator<RecordedCase> {
  yield* cases;
}
