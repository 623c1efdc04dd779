import { instance } from "@viz-js/viz";
import { describe, expect, test } from "vitest";
import { settingOf } from "../../properties/settings.ts";
import { variantNamed } from "../under-test/variants.ts";
import { alphabetOf } from "./alphabet.ts";
import { Graph } from "./graph.ts";
import { pictureOf } from "./picture.ts";

function graphOf(blocks: number, depth = Infinity): Graph {
  const { config } = settingOf(variantNamed("4k-delalloc"), "6.18");
  const alphabet = alphabetOf("blocks", blocks, 4096);
  const most = blocks * 4096;
  const graph = new Graph({ config, overrides: [], alphabet, most, depth });
  graph.grow();
  return graph;
}

describe("a picture", () => {
  const graph = graphOf(1);
  const dot = pictureOf(graph, "4k-delalloc", 1)!;

  test("has every state, and says of the empty file where a write leads", () => {
    for (let state = 0; state < graph.states; state++) {
      expect(dot).toContain(`\n  ${state} [label="`);
    }
    expect(dot).toMatch(/\n {2}0 \[label="\.\\n-\\n0"/);
    const whole = graph.alphabet.findIndex((one) => one.op === "pwrite" && one.readable === 4096);
    const target = graph.target(0, whole);
    expect(dot).toContain(
      `\n  ${target} [label="d\\nD\\n4096 (disk 0)", tooltip="pwrite(pos=0, len=4096)"]`,
    );
    expect(dot).toMatch(
      new RegExp(`\\n {2}0 -> ${target} .*tooltip="pwrite\\(pos=0, len=4096\\)"`),
    );
  });

  test("is one that Graphviz draws", async () => {
    const svg = (await instance()).renderString(dot, { format: "svg" });
    expect(svg.match(/class="node"/g)).toHaveLength(graph.states);
  });

  test("is none where there would be too much in it", () => {
    expect(pictureOf(graphOf(2, 3), "4k-delalloc", 2)).toBeUndefined();
  });
});
