/**
 * Which divergence an exploration ends with, and what it leaves for another time: a model that lies on chosen edges stands in for the
 * kernel.
 */
import { describe, expect, test } from "vitest";
import { settingOf } from "../../properties/settings.ts";
import { copyFile } from "../../model/state.ts";
import { ModelSubject } from "../lockstep/model-subject.ts";
import type { Observation } from "../observation.ts";
import type { Operation } from "../operation.ts";
import type { Executor } from "../run/executor.ts";
import { variantNamed } from "../variants.ts";
import { alphabetOf } from "./alphabet.ts";
import type { EdgeSet } from "./driven.ts";
import { Explorer } from "./explorer.ts";
import type { ExploredDivergence } from "./explorer.ts";
import { Graph } from "./graph.ts";
import { Walks } from "./walk.ts";

const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
const alphabet = alphabetOf("blocks", 1, 4096);
const graph = new Graph({ config, overrides: [], alphabet, most: 4096, depth: Infinity });
graph.grow();

/** A kernel that returns something else where an operation is done in a state. */
class LyingKernel extends ModelSubject implements Executor {
  wholeLooks = true;
  readonly #lies: ReadonlySet<string>;
  /** How often it did. */
  lied = 0;

  constructor(lies: ReadonlySet<string>) {
    super(config);
    this.#lies = lies;
  }

  override step(operation: Operation, index: number): Observation {
    const state = graph.idOf(copyFile(this.inode));
    const seen = super.step(operation, index);
    if (!this.#lies.has(`${state} ${alphabet.indexOf(operation)}`)) return seen;
    this.lied += 1;
    return { ...seen, result: seen.result + 1 };
  }

  supports(): boolean {
    return true;
  }
  override keep(): never {
    throw new Error("no file of a model is kept");
  }
  release(): void {}
}

/** A kernel that lies on these edges, explored until something is found or `steps` walks were made. */
function explored(lies: readonly string[], before?: EdgeSet) {
  const subject = new LyingKernel(new Set(lies));
  const walks = new Walks(graph, undefined, before);
  const explorer = new Explorer({
    graph,
    walks,
    model: new ModelSubject(config),
    subject,
    lockstep: { variant: "4k-delalloc", blockSize: 4096 },
    keep: () => {},
    complaint: () => undefined,
  });
  let found: ExploredDivergence | undefined;
  while (found === undefined && !explorer.done) found = explorer.drive(Infinity);
  return { found, walks, subject, explorer };
}

/** Edges of states that lie so deep, one a state. */
function edgesAt(depth: number): string[] {
  return graph.depths.flatMap((of, state) => {
    if (of !== depth || state >= graph.explored) return [];
    const by = alphabet.findIndex((_, i) => graph.target(state, i) >= 0);
    return [`${state} ${by}`];
  });
}

describe("an exploration of a kernel that is wrong on some edges", () => {
  test("there are states of several layers", () => {
    for (const depth of [0, 1, 2, 3]) expect(edgesAt(depth).length).toBeGreaterThan(0);
  });

  test("finds each of them", () => {
    for (const depth of [0, 1, 2, 3]) {
      for (const edge of edgesAt(depth)) {
        const { found, subject } = explored([edge]);
        expect(found?.shortest).toHaveLength(depth + 1);
        expect(subject.lied).toBe(1);
      }
    }
  });

  test("ends with a shortest one, whichever it comes to first", () => {
    for (const deep of [...edgesAt(2), ...edgesAt(3)]) {
      for (const shallow of edgesAt(1)) {
        expect(explored([deep, shallow]).found?.shortest).toHaveLength(2);
      }
    }
  });

  test("counts none as driven that diverged, so that who goes on finds it again", () => {
    for (const edge of [1, 2, 3].flatMap(edgesAt)) {
      const first = explored([edge]);
      expect(first.found).toBeDefined();
      const [state = 0, by = 0] = edge.split(" ").map(Number);
      expect(first.walks.drivenEdges.has(state * alphabet.length + by)).toBe(false);
      const second = explored([edge], first.walks.drivenEdges);
      expect(second.walks.before).toBe(first.walks.driven);
      expect(second.found?.shortest).toEqual(first.found?.shortest);
    }
  });
});
