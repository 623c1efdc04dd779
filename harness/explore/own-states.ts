/**
 * States that one variant, or one path, comes to and another does not.
 */
import { describeOperation } from "../operations/operation.ts";
import { counted } from "../text/numbers.ts";
import type { Graph } from "./graph.ts";
import { stateLines } from "./state-text.ts";

/** States of the largest graph of which they are told. */
const MAX_TOLD = 20_000;

/** What the states of a variant look like, each with a shortest way there, shallowest first. */
export interface TellingStates {
  /** Bytes. */
  blockSize: number;
  /** `look` as one line; `path` of operations, one after the other. */
  states: { look: string; path: string }[];
}

/** What the states of a graph look like; undefined where there are too many to be told. */
export function tellingStates(
  graph: Graph,
  blocks: number,
  blockSize: number,
): TellingStates | undefined {
  if (graph.states > MAX_TOLD) return undefined;
  const looks = new Map<string, string>();
  for (let state = 0; state < graph.states; state++) {
    const look = stateLines(graph.fileAt(state), blocks).join(" ");
    if (looks.has(look)) continue;
    looks.set(look, graph.operationsTo(state).map(describeOperation).join("; "));
  }
  return { blockSize, states: [...looks].map(([look, path]) => ({ look, path })) };
}

function exampleText(states: TellingStates["states"]): string {
  const first = states[0];
  return first === undefined ? "" : `, the first ${first.look} after ${first.path || "nothing"}`;
}

/** What a variant's states are beside those of another with blocks of one size. */
export function ownStatesText(
  [name, one]: readonly [string, TellingStates],
  [other, base]: readonly [string, TellingStates],
): string {
  const [looks, baseLooks] = [one, base].map(
    ({ states }) => new Set(states.map(({ look }) => look)),
  ) as [Set<string>, Set<string>];
  const own = one.states.filter(({ look }) => !baseLooks.has(look));
  const lacks = base.states.filter(({ look }) => !looks.has(look));
  const both = one.states.length - own.length;
  if (own.length + lacks.length === 0) return `${name} beside ${other}: the same ${both} looks\n`;
  return [
    `${name} beside ${other}: ${counted(both, "look")} of both`,
    `  only ${name}: ${own.length}${exampleText(own)}`,
    `  only ${other}: ${lacks.length}${exampleText(lacks)}`,
    "",
  ].join("\n");
}
