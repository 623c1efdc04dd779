/**
 * `ext4-conform differences`: what tells two tables of the model apart, by a shortest sequence
 * each. No kernel, no root.
 */
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { Interrupted, UsageError } from "../case/failure.ts";
import { describeOperation } from "../operations/operation.ts";
import { packageVersion } from "../host/package.ts";
import { witnessOf } from "../lockstep/deviations.ts";
import { whenSignalled } from "../system/undo.ts";
import { LiveLine } from "../text/live-line.ts";
import { counted } from "../text/numbers.ts";
import { say } from "../text/say.ts";
import { tableOf } from "../text/table.ts";
import { beside, MANUAL_COLUMNS } from "../text/wrap.ts";
import { alphabetOf } from "../explore/alphabet.ts";
import { Search } from "../differences/differences.ts";
import type { Difference, Differences } from "../differences/differences.ts";
import type { Exploration } from "../explore/exploration.ts";
import { KINDS } from "../differences/seen.ts";
import type { Kind } from "../differences/seen.ts";
import { sideOf } from "../differences/side.ts";
import type { Side } from "../differences/side.ts";

/** Milliseconds after which Ctrl-C is heard. */
const BETWEEN_SIGNALS_MS = 100;

/** As the command line has it. */
export interface DifferencesArguments extends Pick<Exploration, "blocks" | "depth" | "alphabet"> {
  a: string;
  b: string;
  goOn: boolean;
}

/** The kind of a difference, and of maps what the blocks are. */
export function kindText({ kind, states }: Difference): string {
  return states === "" ? kind : `${kind}: ${states}`;
}

/** How far a search went, in words. */
export function extentOfSearch({ closed, deepest, goOn, pairs, tried }: Differences): string {
  const of = `${counted(pairs, "pair")} of states, ${counted(tried, "operation")}`;
  const until = goOn ? "" : " up to its first difference";
  return closed
    ? `closed at depth ${deepest}, so no sequence shows anything else${until}: ${of}`
    : `open at depth ${deepest}, longer sequences may show more: ${of}`;
}

/**
 * Where nothing was found: what is known to show the deviations of one side, be it longer or of
 * other calls.
 */
function witnessesText(a: Side, b: Side): string[] {
  const all = [...a.deviations, ...b.deviations];
  return all
    .filter((one) => !(a.deviations.includes(one) && b.deviations.includes(one)))
    .map((one) => `${one.id} is shown by: ${witnessOf(one).map(describeOperation).join("; ")}`);
}

/** A side, and below it what it is. */
function sideText(letter: string, { name, config, kernel, deviations }: Side): string {
  const ids = deviations.map(({ id }) => id).join(", ") || "no deviations: as it should be";
  return `${letter}  ${name}\n   ${config.path}, ${kernel}; ${ids}`;
}

/**
 * The table of a search, with the sequences below one another.
 *
 * @param endedEarly what ended it before its time; undefined where nothing did
 */
export function differencesText(
  a: Side,
  b: Side,
  result: Differences,
  endedEarly?: string,
): string {
  const isEarly = endedEarly !== undefined;
  const head = ["kind", "A", "B"] as const;
  const rows = result.found.map((one) => [kindText(one), one.a, one.b] as const);
  const [title, ...lines] = tableOf("lll", [head, ...rows]);
  return [
    sideText("A", a),
    sideText("B", b),
    "",
    ...(rows.length === 0
      ? [`nothing tells them apart${isEarly ? " so far" : ""}`, ...witnessesText(a, b)]
      : [title!]),
    ...result.found.flatMap(({ operations }, i) => [
      lines[i]!,
      `  ${operations.map(describeOperation).join("; ")}`,
    ]),
    "",
    `${isEarly ? "no difference so far" : "alike"}: ${result.alike.join(", ")}`,
    extentOfSearch(result),
    ...(isEarly ? [`ENDED EARLY: ${endedEarly}`] : []),
    "",
  ].join("\n");
}

/** What each kind is, for the help. */
export function kindsText(): string {
  const width = Math.max(...Object.keys(KINDS).map((kind) => kind.length));
  return (Object.keys(KINDS) as Kind[])
    .map((kind) => beside(kind, width, KINDS[kind], MANUAL_COLUMNS))
    .join("\n");
}

/** Two sides that can be compared. Throws UsageError where they cannot, and says why. */
export function sidesOf(a: string, b: string): [Side, Side] {
  const [ofA, ofB] = [sideOf(a), sideOf(b)];
  const [x, y] = [ofA.config.blockSize, ofB.config.blockSize];
  if (x !== y) {
    throw new UsageError(
      `${a} has blocks of ${x} bytes, and ${b} of ${y}: the same calls mean other blocks; compare variants of one block size`,
    );
  }
  return [ofA, ofB];
}

/** Searches to the end, or up to a signal, which is returned. */
async function searched(search: Search): Promise<NodeJS.Signals | undefined> {
  const line = new LiveLine(process.stderr);
  const heard: NodeJS.Signals[] = [];
  whenSignalled((signal) => heard.push(signal));
  while (heard.length === 0 && !search.advance(BETWEEN_SIGNALS_MS)) {
    line.show(() => `${counted(search.pairs, "pair")} of states so far`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  line.end();
  whenSignalled(undefined);
  return heard[0];
}

/**
 * Search, print the table; the exit status, 0 whatever was found. Throws UsageError, and Interrupted
 * once what was found by then is printed.
 */
export async function showDifferences(options: DifferencesArguments): Promise<ExitStatus> {
  const { blocks, alphabet, depth, goOn } = options;
  const [a, b] = sidesOf(options.a, options.b);
  const { blockSize } = a.config;
  const search = new Search({
    a,
    b,
    alphabet: alphabetOf(alphabet, blocks, blockSize),
    most: blocks * blockSize,
    depth: depth ?? Infinity,
    goOn,
  });
  const signal = await searched(search);
  const { result } = search;
  const head = `ext4-conform ${packageVersion()}   a file of ${counted(blocks, "block")}, alphabet ${alphabet}`;
  say(`${head}\n\n${differencesText(a, b, result, signal)}`);
  if (signal !== undefined) throw new Interrupted(signal);
  return exitStatus.conforms;
}
