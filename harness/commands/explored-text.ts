/**
 * What is printed of an exploration.
 */
import { counted, grouped } from "../text/numbers.ts";
import { divergedVariants, worstKnown } from "../report/verdict.ts";
import { tableOf } from "../text/table.ts";
import type { Paint } from "../text/terminal.ts";
import { verdictWord } from "./run-result.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { leftOf, rateOf } from "../explore/explored.ts";
import type { Explored } from "../explore/explored.ts";
import { ownStatesText } from "../explore/own-states.ts";
import { BLOCKS_LEGEND } from "../explore/state-text.ts";
import type { TellingStates } from "../explore/own-states.ts";

/** The columns of numbers: of the graph, and of the walk through it. */
const GRAPH_COLUMNS = ["states", "folded from"] as const;
const WALK_COLUMNS = ["edges", "driven", "share", "a second", "operations", "unreached"] as const;

/** All of them. */
export const EDGE_COLUMNS = [...GRAPH_COLUMNS, ...WALK_COLUMNS];

function walked(explored: Explored): string[] {
  const { edges, driven, own, operations, unreached } = explored;
  const share = own === 0 ? 100 : (100 * driven) / own;
  return [
    ...[edges, driven].map(grouped),
    `${share === 100 ? "100" : (Math.floor(10 * share) / 10).toFixed(1)} %`,
    ...[rateOf(explored), operations, unreached].map(grouped),
  ];
}

/**
 * What is to be said of a variant whose edges were not all driven, or led out of the graph: nothing
 * where there is nothing.
 */
export function placementText(variant: string, explored: Explored): string {
  const { unreached, elsewhere, outside } = explored;
  // What was ended says that.
  if ((unreached === 0 && elsewhere === 0) || leftOf(explored) > 0) return "";
  const told = [
    `${counted(elsewhere, "operation")} ended in another state than the model had guessed without knowing where blocks are placed`,
    unreached === 0
      ? "it came to all states all the same"
      : `${counted(unreached, "edge")} of states to which it did not come, or not again, were not driven`,
    outside === 0
      ? "none led out of the states listed"
      : `${grouped(outside)} led out of the states listed, where nothing more was driven`,
  ];
  return `${variant}: ${told.join("; ")}\n`;
}

/** What is to be said of a variant some edges of which diverged: nothing where none did. */
export function divergedText(variant: string, { diverged, behind }: Explored): string {
  if (diverged === 0) return "";
  const others =
    behind === 0
      ? "other edges lead to all states all the same"
      : `${counted(behind, "edge")} of states to which no others lead were not driven`;
  return `${variant}: ${counted(diverged, "edge")} diverged, and no walk went on from there; ${others}\n`;
}

/** Each variant beside the first with blocks of its size. */
export function differingText(looks: ReadonlyMap<string, TellingStates>): string {
  const firsts = new Map<number, readonly [string, TellingStates]>();
  let text = "";
  for (const one of looks) {
    const first = firsts.get(one[1].blockSize);
    if (first === undefined) firsts.set(one[1].blockSize, one);
    else text += ownStatesText(one, first);
  }
  const legend = `what states look like, which several may have in common: ${BLOCKS_LEGEND}`;
  return text === "" ? "" : `\n${legend}\n${text}`;
}

function depthText({ closed, deepest, full, diverged }: Explored): string {
  const but = diverged === 0 ? "" : `, but for what is behind ${counted(diverged, "edge")}`;
  if (closed) return `closed at depth ${deepest}${but}`;
  return `open at depth ${deepest}${full ? ": too many states" : ""}${but}`;
}

/** The tables of what was explored: the graphs, and how far they were walked through. */
export function exploredText(all: readonly (readonly [string, Explored])[]): string {
  const graphs = all.map(([variant, explored]) => {
    const { states, unfolded } = explored;
    return [variant, ...[states, unfolded].map(grouped), depthText(explored)];
  });
  const walks = all.map(([variant, explored]) => [variant, ...walked(explored)]);
  return [
    ...tableOf("lrrl", [["variant", ...GRAPH_COLUMNS, "graph"], ...graphs]),
    "",
    ...tableOf("lrrrrrr", [["variant", ...WALK_COLUMNS], ...walks]),
    "",
  ].join("\n");
}

const WORDS = {
  conforms: ["green", "CONFORMS"],
  diverges: ["red", "DIVERGES"],
  "not-reproduced": ["yellow", "NOT REPRODUCED"],
} as const;

/** What the walks left out, and why; begins with "; ", may be empty. */
function notDriven(
  all: readonly (readonly [string, Explored])[],
  { results }: SupervisorResult,
): string {
  const sum = (of: (explored: Explored) => number): number =>
    all.reduce((before, [, explored]) => before + of(explored), 0);
  const [diverged, behind, left] = [
    sum((one) => one.diverged),
    sum((one) => one.behind),
    sum(leftOf),
  ];
  const among =
    behind === 0 ? "" : `, with ${counted(behind, "edge")} of states to which nothing else leads`;
  const enough = results.some(({ foundEnough }) => foundEnough) ? ": enough was found" : "";
  return [
    ...(diverged > 0
      ? [`; not entered: what is behind ${counted(diverged, "edge")} that diverged${among}`]
      : []),
    ...(left > 0 ? [`; ${grouped(left)} left${enough}`] : []),
  ].join("");
}

/** The last line: what it came to, on how much of the graphs. */
export function exploredVerdict(
  all: readonly (readonly [string, Explored])[],
  result: SupervisorResult,
  paint: Paint,
): string {
  const driven = all.reduce((sum, [, explored]) => sum + explored.driven, 0);
  const before = all.reduce((sum, [, explored]) => sum + explored.before, 0);
  const word = verdictWord(result);
  const variants = counted(all.length, "variant");
  const what = {
    conforms: "no unnamed divergence in ",
    diverges: `in ${divergedVariants(result).size} of ${variants}; `,
    "not-reproduced": "a fresh image did not show again what was found in ",
  }[word];
  const edges = `${counted(driven, "edge")}${before === 0 ? "" : `, ${grouped(before)} of them driven before`}`;
  const of = word === "diverges" ? "" : `, ${variants}`;
  const known = word === "conforms" ? worstKnown(result) : "";
  const [colour, said] = WORDS[word];
  return `${paint([colour, "bold"], said)}: ${what}${edges}${of}${notDriven(all, result)}${known}`;
}
