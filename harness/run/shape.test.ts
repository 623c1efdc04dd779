import { expect, test } from "vitest";
import type { Extent, Observation } from "../case/observation.ts";
import { packShapes, shapeOf, unpackShapes } from "./shape.ts";

const seen = (map: Extent[], st_blocks = 8): Observation => ({
  result: 0,
  i_size: 4096,
  st_blocks,
  map,
  pieces: map.length,
  reserved: 0,
  cache: undefined,
  read: undefined,
  windows: [],
});

test("two maps that differ in one thing have different shapes", () => {
  const maps: Extent[][] = [
    [],
    [{ lblk: 0, len: 1, state: "written" }],
    [{ lblk: 1, len: 1, state: "written" }],
    [{ lblk: 0, len: 2, state: "written" }],
    [{ lblk: 0, len: 1, state: "unwritten" }],
    [
      { lblk: 0, len: 1, state: "written" },
      { lblk: 2, len: 1, state: "written" },
    ],
  ];
  const hashes = maps.map((map) => shapeOf(0, seen(map)).map);
  expect(new Set(hashes).size).toBe(maps.length);
});

test("shapes come out of a message as they went in", () => {
  const shapes = [
    shapeOf(0, seen([])),
    shapeOf(70_000, seen([{ lblk: 3, len: 5, state: "delayed" }], 4_000_000)),
  ];
  expect(unpackShapes(packShapes(shapes))).toEqual(shapes);
  expect(unpackShapes(packShapes([]))).toEqual([]);
});
