/**
 * What is printed of an exploration.
 */
import { counted, grouped } from "../text/numbers.ts";
import { divergedVariants } from "../report/verdict.ts";
import type { Paint } from "../text/terminal.ts";
import { verdictWord } from "./run-result.ts";
import type { SupervisorResult } from "../run/supervisor.ts";
import { rateOf } from "../explore/explored.ts";
import type { Explored } from "../explore/explored.ts";
import { ownStatesText } from "../explore/own-states.ts";
import { BLOCKS_LEGEND } from "../explore/state-text.ts";
import type { TellingStates } from "../explore/own-states.ts";

const COLUMNS = [
  "states",
  "folded from",
  "edges",
  "driven",
  "share",
  "a second",
  "operations",
  "unreached",
];

function row(explored: Explored): string[] {
  const { states, unfolded, edges, driven, own, operations, unreached } = explored;
  const share = own === 0 ? 100 : (100 * driven) / own;
  return [
    ...[states, unfolded, edges, driven].map(grouped),
    `${share === 100 ? "100" : (Math.floor(10 * share) / 10).toFixed(1)} %`,
    ...[rateOf(explored), operations, unreached].map(grouped),
  ];
}

/**
 * What is to be said of a variant whose edges were not all driven, or led out of the graph: nothing
 * where there is nothing.
 */
export function placementText(variant: string, explored: Explored): string {
  const { unreached, elsewhere, outside, driven, own } = explored;
  // What stopped at a divergence says that.
  if ((unreached === 0 && elsewhere === 0) || driven + unreached < own) return "";
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

function depthText({ closed, deepest, full }: Explored): string {
  if (closed) return `closed at depth ${deepest}`;
  return `open at depth ${deepest}${full ? ": too many states" : ""}`;
}

/** The table of what was explored. */
export function exploredText(all: readonly (readonly [string, Explored])[]): string {
  const width = Math.max(7, ...all.map(([variant]) => variant.length));
  const line = (name: string, cells: readonly string[], end: string): string =>
    `${name.padEnd(width)} ${cells.map((cell) => cell.padStart(11)).join(" ")}  ${end}`;
  return [
    line("variant", COLUMNS, "graph"),
    ...all.map(([variant, explored]) => line(variant, row(explored), depthText(explored))),
    "",
  ].join("\n");
}

const WORDS = {
  conforms: ["green", "CONFORMS"],
  diverges: ["red", "DIVERGES"],
  "not-reproduced": ["yellow", "NOT REPRODUCED"],
} as const;

/** The last line: what it came to, on how much of the graphs. */
export function exploredVerdict(
  all: readonly (readonly [string, Explored])[],
  result: SupervisorResult,
  paint: Paint,
): string {
  const sum = (of: (explored: Explored) => number): number =>
    all.reduce((before, [, explored]) => before + of(explored), 0);
  const [driven, before] = [sum((explored) => explored.driven), sum((explored) => explored.before)];
  const left = sum(({ own, driven: done, unreached }) => own - done - unreached);
  const word = verdictWord(result);
  const variants = counted(all.length, "variant");
  const what = {
    conforms: "no unnamed divergence in ",
    diverges: `in ${divergedVariants(result).size} of ${variants}; `,
    "not-reproduced": "a fresh image did not show again what was found in ",
  }[word];
  const edges = `${counted(driven, "edge")}${before === 0 ? "" : `, ${grouped(before)} of them driven before`}`;
  const rest = left === 0 ? "" : `; ${grouped(left)} left: a variant ends with a divergence`;
  const [colour, said] = WORDS[word];
  return `${paint([colour, "bold"], said)}: ${what}${edges}${word === "diverges" ? "" : `, ${variants}`}${rest}`;
}
