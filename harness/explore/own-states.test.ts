import { describe, expect, test } from "vitest";
import { settingOf } from "../../properties/settings.ts";
import { variantNamed } from "../under-test/variants.ts";
import { alphabetOf } from "./alphabet.ts";
import { Graph } from "./graph.ts";
import { ownStatesText, tellingStates } from "./own-states.ts";
import type { TellingStates } from "./own-states.ts";

function statesOf(name: string): readonly [string, TellingStates] {
  const variant = variantNamed(name);
  const { config } = settingOf(variant, "6.18");
  const { blockSize } = variant;
  const alphabet = alphabetOf("blocks", 1, blockSize);
  const graph = new Graph({ config, overrides: [], alphabet, most: blockSize, depth: Infinity });
  graph.grow();
  return [name, tellingStates(graph, 1, blockSize)!];
}

describe("the states that only one variant comes to", () => {
  const delayed = statesOf("4k-delalloc");
  const direct = statesOf("4k-nodelalloc");

  test("are those that delayed allocation makes: a folio that a failed write left, delayed blocks", () => {
    const text = ownStatesText(direct, delayed);
    expect(text).toMatch(/^4k-nodelalloc beside 4k-delalloc: \d+ looks of both\n/);
    expect(text).toMatch(/\n {2}only 4k-nodelalloc: 0\n/);
    expect(text).toMatch(
      /\n {2}only 4k-delalloc: [1-9]\d*, the first \. c 0 after pwrite\(pos=0, len=4096, readable=0\)\n$/,
    );
    const looks = delayed[1].states.map(({ look }) => look);
    expect(looks).toContain("d D 4096 (disk 0)");
    expect(direct[1].states.map(({ look }) => look)).not.toContain("d D 4096 (disk 0)");
  });

  test("are none beside the variant itself", () => {
    expect(ownStatesText(delayed, delayed)).toMatch(
      /^4k-delalloc beside .*: the same \d+ looks\n$/,
    );
  });

  test("look like something, each once, the empty file first", () => {
    const [, { states, blockSize }] = delayed;
    expect(blockSize).toBe(4096);
    expect(states[0]).toEqual({ look: ". - 0", path: "" });
    expect(new Set(states.map(({ look }) => look)).size).toBe(states.length);
  });
});
