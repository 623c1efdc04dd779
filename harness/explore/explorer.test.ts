/**
 * Exploring finds what is wrong, at its shortest: a model with a seeded bug stands in for the
 * kernel.
 */
import { describe, expect, test } from "vitest";
import { settingFor, settingOf } from "../../properties/settings.ts";
import { seededBugs } from "../../model/deviations/seeded/index.ts";
import type { Deviation } from "../../model/deviations/index.ts";
import { knownDeviations } from "../../model/deviations/index.ts";
import { witnessOf } from "../lockstep/deviations.ts";
import type { Observation } from "../case/observation.ts";
import type { Operation } from "../operations/operation.ts";
import { LookFailed } from "../lockstep/subject.ts";
import { differences } from "../differences/differences.ts";
import { variantNamed } from "../under-test/variants.ts";
import { alphabetOf } from "./alphabet.ts";
import { together } from "./explored.ts";
import type { Explored } from "./explored.ts";
import { nothingRun } from "../run/supervisor.ts";
import {
  divergedText,
  exploredText,
  exploredVerdict,
  placementText,
} from "../commands/explored-text.ts";
import type { Explorer } from "./explorer.ts";
import type { ExploredDivergence } from "./explorer.ts";
import { Graph } from "./graph.ts";
import { exploreModelled, ModelledKernel } from "./modelled-kernel.ts";
import { Walks } from "./walk.ts";

interface Tried {
  /** The one with the shortest way, where any is known. */
  found: ExploredDivergence | undefined;
  explorer: Explorer;
}

/** Of what the end of a walk shows nobody knows a shortest way. */
const lengthOf = ({ shortest }: ExploredDivergence): number => shortest.length || Infinity;

/**
 * Explore a file of some blocks, up to a depth, where the kernel has the deviation; until nothing
 * shorter can come than was found.
 */
function exploreWith(
  setting: ReturnType<typeof settingOf>,
  blocks: number,
  depth: number,
  one?: Deviation,
): Tried {
  const { config, variant } = setting;
  const alphabet = alphabetOf("blocks", blocks, variant.blockSize);
  const most = blocks * variant.blockSize;
  const graph = new Graph({ config, overrides: [], alphabet, most, depth });
  graph.grow();
  const boot = (): ModelledKernel =>
    new ModelledKernel(config, one === undefined ? [] : [one.override]);
  const walks = new Walks(graph);
  const { found, explorer } = exploreModelled(boot, config, graph, walks, (all) =>
    all.some((each) => lengthOf(each) <= walks.layer),
  );
  return { found: found.toSorted((a, b) => lengthOf(a) - lengthOf(b))[0], explorer };
}

describe("an exploration", () => {
  const setting = settingOf(variantNamed("4k-delalloc"), "6.18");

  test("of a kernel that is right drives every edge and finds nothing", () => {
    const { found, explorer } = exploreWith(setting, 1, Infinity);
    expect(found).toBeUndefined();
    const { edges, own, driven, elsewhere, closed } = explorer.explored;
    expect([own, driven, elsewhere, closed]).toEqual([edges, edges, 0, true]);
  });

  test("finds where the kernel would not say what it is asked", () => {
    const { config, variant } = setting;
    const alphabet = alphabetOf("blocks", 1, variant.blockSize);
    const graph = new Graph({
      config,
      overrides: [],
      alphabet,
      most: variant.blockSize,
      depth: Infinity,
    });
    graph.grow();
    const Kernel = class extends ModelledKernel {
      override step(...step: Parameters<ModelledKernel["step"]>): Observation {
        if (step[0].op === "fsync") throw new LookFailed("FS_IOC_FIEMAP failed");
        return super.step(...step);
      }
    };
    const boot = (): ModelledKernel => new Kernel(config, []);
    const { found } = exploreModelled(boot, config, graph, new Walks(graph));
    expect(found[0]).toMatchObject({
      divergence: { kind: "kernel-log", message: "FS_IOC_FIEMAP failed" },
      shortest: [{ op: "fsync" }],
    });
  });

  test("says what is left of a depth that was asked for", () => {
    const { explored } = exploreWith(setting, 1, 2).explorer;
    expect(explored).toMatchObject({ closed: false, deepest: 2, driven: explored.own });
  });
});

/**
 * Whether the witness fits the bound: whole blocks, two of them, and operations of the alphabet.
 */
function fitsBound(one: Deviation, blockSize: number): boolean {
  const letters = new Set(
    alphabetOf("blocks", 2, blockSize).map((letter) => JSON.stringify(letter)),
  );
  return witnessOf(one).every((operation) => letters.has(JSON.stringify(sorted(operation))));
}

/** As the alphabet writes it. */
function sorted(operation: Operation): Operation {
  if (operation.op !== "pwrite" && operation.op !== "direct_write") return operation;
  const { op, pos, len, readable, ...rest } = operation;
  return { op, pos, len, readable, ...rest };
}

const bounded = [...seededBugs, ...knownDeviations].filter(
  (one) =>
    one.visible === "step" &&
    one.witness.freeBlocks === undefined &&
    fitsBound(one, settingFor(one.witness).variant.blockSize),
);

/**
 * What this bug remembers of a file is no part of its state, and is not copied with it: that search
 * cannot see it.
 */
const REMEMBERS = new Set(["stale-mapping-accepted"]);

/**
 * Operations after which the bug shows first, by a search of its own (harness/differences): what a
 * call shows, or a read after it.
 */
function shortestOf(
  one: Deviation,
  { config }: ReturnType<typeof settingOf>,
  depth: number,
): number {
  const side = { name: "", kernel: "", config, deviations: [] };
  const { blockSize } = config;
  const { found } = differences({
    a: side,
    b: { ...side, deviations: [one] },
    alphabet: alphabetOf("blocks", 2, blockSize),
    most: 2 * blockSize,
    depth,
    goOn: false,
  });
  const lengths = found.map(({ kind, operations }) => {
    if (kind === "read") return operations.length + 1;
    const shows = ["panic", "result", "i_size", "map", "reserved", "st_blocks"].includes(kind);
    return shows ? operations.length : Infinity;
  });
  return Math.min(...lengths);
}

describe("a bug whose witness fits two blocks", () => {
  test("there are some", () => {
    expect(bounded.length).toBeGreaterThanOrEqual(8);
  });

  test.each(bounded.map((one) => [one.id, one] as const))(
    "%s is found at its shortest",
    (_, one) => {
      const setting = settingFor(one.witness);
      // What a checkpoint would show after the last of them takes an operation here.
      const length = witnessOf(one).length + 1;
      const { found } = exploreWith(setting, 2, length, one);
      expect(found?.shortest.length).toBeLessThanOrEqual(length);
      const shortest = REMEMBERS.has(one.id) ? length - 1 : shortestOf(one, setting, length);
      expect(found?.shortest).toHaveLength(shortest);
      expect(found?.divergence.step).toBe(found!.walked.length - 1);
    },
  );
});

/** The verdict on one variant, without a finding. */
const said = (one: Explored): string =>
  exploredVerdict([["v", one]], nothingRun(), (_, text) => text);

describe("what several jobs came to", () => {
  const { explored } = exploreWith(settingOf(variantNamed("4k-delalloc"), "6.18"), 1, 3).explorer;

  test("adds up", () => {
    const both = together(explored, { ...explored, seconds: 100 });
    expect(both).toMatchObject({
      edges: explored.edges,
      driven: 2 * explored.driven,
      seconds: 100,
    });
  });

  test("says what became of the edges that were not driven", () => {
    expect(placementText("v", explored)).toBe("");
    const { own } = explored;
    const guessed = { ...explored, elsewhere: 7, unreached: 2, driven: own - 2 };
    expect(placementText("v", guessed)).toMatch(
      /^v: 7 operations .*; 2 edges of states .*; none led out/,
    );
    expect(placementText("v", { ...guessed, outside: 3 })).toMatch(/; 3 led out .*\n$/);
  });

  test("is a row of a table", () => {
    const text = exploredText([["4k-delalloc", { ...explored, driven: explored.own - 1 }]]);
    expect(text).toMatch(/^variant +states +folded from +graph\n/);
    expect(text).toMatch(/^4k-delalloc +\d+ +\d+ +open at depth 3$/m);
    expect(text).toMatch(/^variant +edges +driven +share/m);
    expect(text).toMatch(/^4k-delalloc +\d+ .*9\d\.\d % /m);
  });

  test("says what was not entered", () => {
    const { own } = explored;
    expect(divergedText("v", explored)).toBe("");
    const some = { ...explored, diverged: 3, driven: own - 3 };
    expect(divergedText("v", some)).toBe(
      "v: 3 edges diverged, and no walk went on from there; other edges lead to all states all the same\n",
    );
    const more = { ...some, behind: 1, driven: own - 4, closed: true };
    expect(divergedText("v", more)).toMatch(/; 1 edge of states to which no others lead were not/);
    expect(exploredText([["v", more]])).toMatch(
      / closed at depth 3, but for what is behind 3 edges\n/,
    );
    expect(said(some)).toMatch(/, 1 variant; not entered: what is behind 3 edges that diverged$/);
    expect(said(more)).toMatch(/ diverged, with 1 edge of states to which nothing else leads$/);
    expect(said({ ...more, driven: own - 9 })).toMatch(/ leads; 5 left$/);
  });
});
