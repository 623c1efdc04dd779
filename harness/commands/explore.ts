/**
 * `ext4-conform explore`: everything that a file of a few blocks can come to, and every operation
 * there, on a kernel.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { version } from "node:os";
import { dirname } from "node:path";
import { findingLines } from "../report/ranked.ts";
import { allResults, transientText, unaccepted } from "../report/verdict.ts";
import {
  differingText,
  divergedText,
  exploredText,
  exploredVerdict,
  placementText,
} from "./explored-text.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { colourWanted, say } from "../text/say.ts";
import { mustBeWritable, Output, writeOutput } from "../stored/output.ts";
import { counted } from "../text/numbers.ts";
import { paintWith } from "../text/terminal.ts";
import { byVariant } from "../run/by-variant.ts";
import { WorkerLost } from "../run/conversation.ts";
import { DrivenFile } from "../run/driven-file.ts";
import { perform } from "../run/perform.ts";
import { mountedAs } from "../run/supervisor.ts";
import type { PerformOptions, Performed } from "../run/perform.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { kernelWords } from "../workers/link.ts";
import type { KernelUnderTest } from "../workers/link.ts";
import { filesOf, Presenter, presentLost, printHead } from "./present.ts";
import type { Presented } from "./present.ts";
import type { Tell } from "./reports.ts";
import { runOutcome } from "./run-outcome.ts";
import type { Exploration } from "../explore/exploration.ts";
import type { Explored } from "../explore/explored.ts";
import { UsageError } from "../case/failure.ts";
import type { TellingStates } from "../explore/own-states.ts";
import { MAX_PICTURED } from "../explore/picture.ts";

export interface ExploreOptions
  extends Omit<PerformOptions, "work">, Pick<Exploration, "blocks" | "depth" | "alphabet"> {
  /** File for a picture of the graph, .dot or .svg; undefined for none. */
  picture: string | undefined;
  /** File in which it is kept what was driven, to go on from there; undefined for none. */
  resume: string | undefined;
  /** Folder for counterexamples. */
  save: string;
  /** Hears what it came to. */
  tell?: Tell | undefined;
}

/**
 * Where the picture of a single variant goes; several have names of their own.
 *
 * @throws UsageError where no picture can be written there
 */
function picturePlace(path: string, variants: number): Output | undefined {
  if (!/\.(dot|svg)$/.test(path)) throw new UsageError(`${path}: a picture is a .dot or a .svg`);
  mustBeWritable(dirname(path), "a picture");
  return variants === 1 ? Output.open(path) : undefined;
}

/** Where the picture of one of several variants goes: graph-4k-delalloc.svg. */
function pathOf(path: string, variant: string, variants: number): string {
  return variants === 1 ? path : path.replace(/(\.\w+)$/, `-${variant}$1`);
}

async function asSvg(dot: string): Promise<string> {
  const { instance } = await import("@viz-js/viz");
  return (await instance()).renderString(dot, { format: "svg" });
}

/** Writes the picture; what to say of it. @throws UsageError where the path cannot be written */
async function savePicture(
  path: string,
  variant: string,
  dot: string | undefined,
  place: Output | undefined,
): Promise<string> {
  if (dot === undefined) {
    return `no picture of ${variant}: it would have more than ${MAX_PICTURED} states, too many to see anything\n`;
  }
  const picture = path.endsWith(".dot") ? dot : await asSvg(dot);
  if (place?.path === path) place.write(picture);
  else writeOutput(path, picture);
  return `picture: ${path}\n`;
}

/**
 * Tells builds of one release apart: the file of a guest's kernel by its bytes, this machine's by
 * what it says of itself.
 */
function buildOf({ guest, what }: KernelUnderTest): string {
  return guest ? createHash("sha256").update(readFileSync(what)).digest("hex") : version();
}

/** The command that explores again what a worker was lost in. */
function exploreAgain(
  { where: { variant } }: WorkerLost,
  { kernel }: Performed,
  { blocks, depth, alphabet, strict, resume }: ExploreOptions,
): string {
  const flags = [
    ...(variant === "" ? [] : ["--variant", variant]),
    "--blocks",
    String(blocks),
    ...(depth === undefined ? [] : ["--depth", String(depth)]),
    "--alphabet",
    alphabet,
    ...(strict ? ["--strict"] : []),
    ...(resume === undefined ? [] : ["--resume", fileWord(resume)]),
  ];
  return ownCommand(["explore", ...kernelWords(kernel), ...flags]);
}

/** What is told of the graphs, to be printed in the end. */
interface Graphs {
  pictures: Map<string, string | undefined>;
  looks: Map<string, TellingStates>;
}

/** What is asked of the workers, and what becomes of what they tell. */
function askedOf(
  options: ExploreOptions,
  file: DrivenFile | undefined,
  { pictures, looks }: Graphs,
): PerformOptions {
  const { blocks, depth, alphabet, picture, accepted = new Map<string, string>() } = options;
  const foundBefore = file?.foundBefore(accepted) ?? [];
  return {
    ...options,
    foundBefore,
    work: {
      kind: "explore",
      exploration: {
        blocks,
        depth,
        alphabet,
        tellsDriven: file !== undefined,
        before: file?.before ?? {},
        pictured: picture !== undefined,
        compared: true,
      },
    },
    onMessage: (message, _, { result }) => {
      if (message.type === "driven") file?.add(message.variant, message.driven, result.found);
      if (message.type === "looks") looks.set(message.variant, message.looks);
      if (message.type === "picture") pictures.set(message.variant, message.picture);
    },
  };
}

/** The table, what else there is to be said of the variants, and the findings. */
function sayExplored(
  all: readonly (readonly [string, Explored])[],
  { result }: Performed,
  looks: Graphs["looks"],
  presented: readonly Presented[],
): void {
  say(exploredText(all));
  for (const [variant, explored] of all) {
    say(divergedText(variant, explored) + placementText(variant, explored));
  }
  const transient = allResults(result).reduce(
    (sum, { counts, explored }) => sum + counts.transient + (explored?.transient ?? 0),
    0,
  );
  say(transientText(transient));
  say(differingText(looks));
  const lines = findingLines(result.found, filesOf(presented), paintWith(colourWanted()), "time");
  if (lines.length > 0) say(`\n${lines.join("\n")}`);
}

/** Explore, print the table; the exit status. Throws what the command line turns into a message. */
export async function explore(options: ExploreOptions): Promise<ExitStatus> {
  const { resume, strict, picture, blocks, alphabet, depth } = options;
  const place = picture && picturePlace(picture, options.variants.length);
  const file = resume === undefined ? undefined : new DrivenFile(resume);
  const graphs: Graphs = { pictures: new Map(), looks: new Map() };
  const asked = askedOf(options, file, graphs);
  let presenter: Presenter | undefined;
  asked.onFound = (found, { result }) => {
    file?.addFound(result.found);
    presenter?.present(found, mountedAs(result, found.variant));
  };
  const performed = await perform(asked, (facts) => {
    mustBeWritable(options.save);
    const { release } = facts.traits;
    const limit = depth === undefined ? {} : { depth };
    file?.begin({ release, build: buildOf(facts.kernel), blocks, alphabet, strict, ...limit });
    printHead(facts);
    presenter = new Presenter(facts, options.save);
    const most = depth === undefined ? "" : `, at most ${counted(depth, "operation")} deep`;
    say(`a file of ${counted(blocks, "block")}, alphabet ${alphabet}${most}\n\n`);
  });
  const { result, failure, facts } = performed;
  if (facts !== undefined) file?.addFound(result.found);
  for (const one of asked.foundBefore ?? []) {
    presenter?.recall(one, mountedAs(result, one.variant));
  }
  const presented = presenter?.presented ?? [];
  const again = (lost: WorkerLost): string => exploreAgain(lost, performed, options);
  options.tell?.(runOutcome("explore", performed, presented, again));
  if (failure instanceof WorkerLost) {
    presentLost(failure, again(failure));
    return exitStatus.diverges;
  }
  if (failure instanceof UsageError) throw failure;
  const all = byVariant(allResults(result)).flatMap(({ variant, explored }) =>
    explored === undefined ? [] : [[variant, explored] as const],
  );
  sayExplored(all, performed, graphs.looks, presented);
  for (const [variant, dot] of graphs.pictures) {
    const path = pathOf(picture!, variant, graphs.pictures.size);
    say(await savePicture(path, variant, dot, place || undefined));
  }
  for (const line of file?.notes ?? []) say(`${line}\n`);
  // What it came to by then was told.
  if (failure !== undefined) throw failure;
  say(`\n${exploredVerdict(all, result, paintWith(colourWanted()))}\n`);
  return unaccepted(result).length > 0 ? exitStatus.diverges : exitStatus.conforms;
}
