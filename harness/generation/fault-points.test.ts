import { describe, expect, test } from "vitest";
import { operationsSchema } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { cutsOf, faultPoints } from "./fault-points.ts";

describe("the cuts of a write", () => {
  test("lie at every block boundary, and a byte beside it", () => {
    expect(cutsOf(0, 2048, 1024)).toEqual([0, 1, 1023, 1024, 1025, 2047]);
  });

  test("are boundaries of the file and not of the buffer", () => {
    expect(cutsOf(1000, 2000, 1024)).toEqual([0, 1, 23, 24, 25, 1047, 1048, 1049, 1999]);
  });

  test("of one byte is one", () => {
    expect(cutsOf(4095, 1, 4096)).toEqual([0]);
    expect(cutsOf(4096, 1, 4096)).toEqual([0]);
  });

  test("of 64 blocks are three for each boundary, less those outside", () => {
    expect(cutsOf(0, 64 * 4096, 4096)).toHaveLength(3 * 65 - 3);
  });
});

describe("the fault points of a case", () => {
  const list: Operation[] = [
    { op: "pwrite", pos: 0, len: 4096, readable: 4096 },
    { op: "fsync" },
    {
      op: "paused_write",
      pos: 0,
      len: 4096,
      pause_at: 5,
      during: [{ op: "fsync" }],
      after: "continue",
    },
  ];
  const cases = faultPoints(list, 4096);

  test("cut one write at a time, and leave the rest as it is", () => {
    // 0, 1 and 4095 bytes of each.
    expect(cases).toHaveLength(6);
    for (const one of cases) {
      expect(operationsSchema.safeParse(one).success).toBe(true);
      expect(one.filter((operation, i) => operation === list[i])).toHaveLength(2);
      expect(one.at(-1)).toEqual({ op: "fsync" });
    }
    expect(cases[1]![0]).toMatchObject({ op: "pwrite", readable: 1 });
    expect(cases[5]![2]).toMatchObject({ pause_at: 4095, after: "fault" });
  });

  test("of a case without a write are none", () => {
    expect(faultPoints([{ op: "fsync" }], 4096)).toEqual([]);
  });
});
