/**
 * A picture of a graph, for Graphviz: a node for each state, an edge for each way from one to
 * another.
 */
import { describeOperation, shortNameOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Graph } from "./graph.ts";
import { BLOCKS_LEGEND, stateLines } from "./state-text.ts";

/** States of the largest graph of which a picture shows anything. */
export const MAX_PICTURED = 250;

/** What is written on an edge: more are counted, and listed where the pointer rests on it. */
const MAX_NAMES = 2;

function edgeText(operations: readonly Operation[]): string {
  const names = [...new Set(operations.map(shortNameOf))];
  const more = names.length > MAX_NAMES ? [`+${names.length - MAX_NAMES}`] : [];
  return [...names.slice(0, MAX_NAMES), ...more].join("\\n");
}

/**
 * The graph in the language of Graphviz; undefined where it has more than MAX_PICTURED states. What
 * leads from a state to itself is left out.
 *
 * @param blocks that the file may have
 */
export function pictureOf(graph: Graph, variant: string, blocks: number): string | undefined {
  if (graph.states > MAX_PICTURED) return undefined;
  const lines = [
    `digraph "${variant}" {`,
    `  label="${variant}, a file of ${blocks} ${blocks === 1 ? "block" : "blocks"}: ${BLOCKS_LEGEND}; blue is the empty file, and states that look alike differ in what comes after";`,
    `  labelloc=t; fontname="sans-serif"; rankdir=LR;`,
    `  node [shape=box, style="rounded,filled", fillcolor=white, fontname="monospace"];`,
    `  edge [fontname="sans-serif", fontsize=9, color="#00000080"];`,
  ];
  for (let state = 0; state < graph.states; state++) {
    const filled = state === 0 ? `, fillcolor="#d0e4ff"` : "";
    const text = stateLines(graph.fileAt(state), blocks).join("\\n");
    const path = graph.operationsTo(state).map(describeOperation);
    const tip = path.join("\\n") || "an empty file";
    lines.push(`  ${state} [label="${text}", tooltip="${tip}"${filled}];`);
    const ways = new Map<number, Operation[]>();
    for (const [by, operation] of graph.alphabet.entries()) {
      const target = graph.target(state, by);
      if (target < 0 || target === state) continue;
      ways.set(target, [...(ways.get(target) ?? []), operation]);
    }
    for (const [target, operations] of ways) {
      const all = operations.map(describeOperation).join("\\n");
      lines.push(
        `  ${state} -> ${target} [label="${edgeText(operations)}", tooltip="${all}", labeltooltip="${all}"];`,
      );
    }
  }
  return `${lines.join("\n")}\n}\n`;
}
