/**
 * Reading a trace: what a kernel did, recorded earlier, as operations and observations (FORMAT.md).
 *
 * Whatever a file holds, the answer is a Trace or a UsageError of one line that names the file, the
 * line in it, the field, and the reason. A case is read when it is asked for: a recording may be
 * larger than memory.
 */
import * as z from "zod";
import type { ModelConfig } from "../../model/tables.ts";
import { UsageError } from "../case/failure.ts";
import type { Observation } from "../case/observation.ts";
import { bytesIn } from "../case/stored-observation.ts";
import type { Operation } from "../operations/operation.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { COUNTEREXAMPLE } from "../stored/counterexample.ts";
import { colonsIn, depthFault, repeatedKey, shapeOf } from "../stored/json-keys.ts";
import { valueAt } from "../stored/json-path.ts";
import { fileError, lineError, shown, shownName } from "../stored/shown.ts";
import { formatOf } from "../stored/stored-file.ts";
import { configOf, guessedOf } from "./config.ts";
import { caseSchema, endSchema, headerSchemas, stepSchema, wholeCaseSchema } from "./format.ts";
import type { TraceEnd, TraceHeader } from "./format.ts";
import { DEFAULT_LIMITS, MAX_DEPTH, MAX_READ_BYTES } from "./limits.ts";
import type { TraceLimits } from "./limits.ts";
import { linesOf } from "./lines.ts";
import type { Line } from "./lines.ts";
import { NAME_OF_PACKED, packingOf } from "./packing.ts";
import { parsedBy } from "./schema-fault.ts";
import { observationOf, operationOf, stepSchemaOf } from "./step.ts";
import type { Step } from "./step.ts";

/** One case: what was done, and what was seen right after each operation. */
export interface TraceCase {
  number: number;
  /** In the file, from 1: where it begins. */
  line: number;
  /** Blocks that were free before it; absent where nobody recorded that. */
  freeBlocks?: number;
  operations: Operation[];
  observations: Observation[];
  /**
   * SHA-256 of the bytes that each operation read; undefined where it read none, or nobody recorded
   * it: version 3 has the bytes.
   */
  digests: (string | undefined)[];
}

export interface Trace {
  header: TraceHeader;
  /** The configuration of the model for it. */
  config: ModelConfig;
  /** What of it was guessed, since nothing is known of that kernel; absent where nothing was. */
  guessed?: string;
  /** To be iterated over once. */
  cases: AsyncIterable<TraceCase>;
}

type Fields = Readonly<Record<string, unknown>>;

/** Keys of all objects in a value. */
function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value).reduce<number>((sum, one) => sum + keysIn(one), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}

/** The lines of a file, one after the other, and who to blame for each. */
class Parser {
  readonly #file: string;
  readonly #limits: TraceLimits;
  /** Number of the line that was parsed last, from 1. */
  #line = 0;
  /** Of that line. */
  #text = "";
  /** Cases and steps so far. */
  readonly #seen: TraceEnd = { cases: 0, steps: 0 };
  /** Number of the last case, -1 where there is none. */
  #before = -1;
  /** Bytes that this case has read. */
  #bytes = 0;

  constructor(file: string, limits: TraceLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  error(reason: string): UsageError {
    return lineError(this.#file, this.#line, reason);
  }

  /** The end is missing. */
  get truncated(): UsageError {
    const missing = `after line ${this.#line} the line {"end": ...} is missing`;
    return fileError(this.#file, `is truncated: ${missing}`);
  }

  /** The JSON object of the next line. */
  parse({ text, ended }: Line): Fields {
    this.#line += 1;
    this.#text = text;
    if (text.trim() === "") throw this.error("is empty");
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      throw this.error(
        `is not JSON${ended ? "" : ": the file ends in the middle of it"}${this.#hint(text)}`,
      );
    }
    if (typeof data === "object" && data !== null && !Array.isArray(data)) return data as Fields;
    throw this.error(`is ${shown(data)}, not a JSON object`);
  }

  /** What a file may be that begins with `text`, which is not JSON. */
  #hint(text: string): string {
    const packed = this.#line === 1 && !text.startsWith("{") && packingOf(this.#file) === undefined;
    return packed ? `; ${NAME_OF_PACKED}` : "";
  }

  #parsed<T>(schema: z.ZodType<T>, value: unknown, at?: readonly PropertyKey[]): T {
    return parsedBy(schema, value, (fault) => this.error(fault), at);
  }

  /** What `schema` makes of the line. */
  #whole<T>(schema: z.ZodType<T>, line: Fields): T {
    const parsed = this.#parsed(schema, line);
    this.#mustHaveKeysOnce(line);
    return parsed;
  }

  /** No object of the line, whose fields are right, may have a key twice. */
  #mustHaveKeysOnce(line: Fields): void {
    // As many colons as keys: counting is much faster than looking, where no string has a colon.
    if (colonsIn(this.#text) === keysIn(line)) return;
    const tooDeep = depthFault(shapeOf(this.#text), MAX_DEPTH);
    if (tooDeep !== undefined) throw this.error(tooDeep);
    const repeated = repeatedKey(this.#text);
    if (repeated === undefined) return;
    throw this.error(`column ${repeated.column}: ${shownName(repeated.name)}: is there twice`);
  }

  header(line: Fields): TraceHeader {
    if (!Object.hasOwn(line, "header")) {
      throw this.error("header: is missing: the first line of a trace is its header");
    }
    // One without a version is of version 1, unless its fields say that it was meant for another.
    const version = valueAt(line, ["header", "version"]);
    const since2 = ["variant", "traits", "freeBlocks", "mmapReadAround"];
    const of2 = since2.find((name) => valueAt(line, ["header", name]) !== undefined);
    if (version === undefined && of2 !== undefined) {
      throw this.error(`header.version: is missing; ${of2} is a field of version 2`);
    }
    const header = headerSchemas.get(version === undefined ? 1 : version);
    if (header !== undefined) return this.#whole(z.strictObject({ header }), line).header;
    throw this.error(`header.version: is ${shown(version)}; known are 1, 2 and 3`);
  }

  config(header: TraceHeader): ModelConfig {
    try {
      return configOf(header);
    } catch (error) {
      throw error instanceof UsageError ? this.error(error.message) : error;
    }
  }

  #begun(number: number): TraceCase {
    if (number <= this.#before) {
      const rise = "the numbers of cases must rise";
      throw this.error(`case: is ${number} after ${this.#before}: ${rise}`);
    }
    this.#before = number;
    this.#seen.cases += 1;
    this.#bytes = 0;
    return { number, line: this.#line, operations: [], observations: [], digests: [] };
  }

  /** A case of version 1 or 2, whose steps `schema` is of. */
  case(line: Fields, version: number, schema: z.ZodType<Step>): TraceCase {
    const { case: number, steps } = this.#parsed(wholeCaseSchema, line);
    // Version 2 says at its end how many there are.
    if (version === 1 && number > this.#before + 1) {
      const missing = "a line is missing before it: in version 1 the numbers have no gaps";
      throw this.error(`case: is ${number}, not ${this.#before + 1}: ${missing}`);
    }
    const recorded = this.#begun(number);
    const { steps: limit } = this.#limits;
    if (steps.length > limit) {
      throw this.error(`steps: ${steps.length} of them; ${limit} is the limit (see --max-steps)`);
    }
    for (const [i, value] of steps.entries()) {
      const step = this.#parsed(schema, value, ["steps", i]);
      recorded.operations.push(operationOf(step));
      recorded.observations.push(observationOf(step));
      recorded.digests.push(step.sha256);
    }
    this.#mustHaveKeysOnce(line);
    this.#seen.steps += steps.length;
    return this.ended(recorded, `steps[${steps.length - 1}].windows: is there, but`);
  }

  /** A case that is all there: when the file was seen last, nothing may have been left out. */
  ended(recorded: TraceCase, where = "seen.windows: in the line before:"): TraceCase {
    if (recorded.observations.at(-1)?.windows === undefined) return recorded;
    throw this.error(`${where} the last look of a case must be at the whole file`);
  }

  /** The line of version 3 that begins a case. */
  begin(line: Fields): TraceCase {
    if (Object.hasOwn(line, "operation")) throw this.error("operation: belongs to no case");
    const { case: number, freeBlocks } = this.#whole(caseSchema, line);
    return { ...this.#begun(number), ...(freeBlocks !== undefined && { freeBlocks }) };
  }

  /** A line of version 3 that is a step of the case. */
  step(line: Fields, { operations, observations }: TraceCase): void {
    const { steps } = this.#limits;
    if (operations.length === steps) {
      throw this.error(`is one step more than ${steps}, the limit (see --max-steps)`);
    }
    const { operation, seen } = this.#whole(stepSchema, line);
    operations.push(operation);
    observations.push(seen);
    this.#seen.steps += 1;
    this.#bytes += bytesIn(seen);
    if (this.#bytes > MAX_READ_BYTES) throw this.error("seen: the case has read too many bytes");
  }

  end(line: Fields): void {
    const { end } = this.#whole(endSchema, line);
    for (const what of ["cases", "steps"] as const) {
      if (end[what] === this.#seen[what]) continue;
      throw this.error(`end.${what}: is ${end[what]}, but there are ${this.#seen[what]} before it`);
    }
  }
}

async function* each(lines: AsyncIterable<Line> | Iterable<Line>): AsyncGenerator<Line> {
  yield* lines;
}

async function* casesOf(
  lines: AsyncIterable<Line>,
  header: TraceHeader,
  parser: Parser,
): AsyncGenerator<TraceCase> {
  const schema = header.version === 3 ? undefined : stepSchemaOf(header);
  /** A case of version 3, of which more lines may follow. */
  let open: TraceCase | undefined;
  let ended = false;
  for await (const text of lines) {
    const line = parser.parse(text);
    if (ended) throw parser.error("nothing may follow the end of a trace");
    if (open !== undefined && Object.hasOwn(line, "operation")) {
      parser.step(line, open);
      continue;
    }
    if (open !== undefined) yield parser.ended(open);
    open = undefined;
    if (Object.hasOwn(line, "header")) throw parser.error("header: a trace has one, in line 1");
    if (header.version > 1 && Object.hasOwn(line, "end")) {
      parser.end(line);
      ended = true;
    } else if (schema === undefined) open = parser.begin(line);
    else yield parser.case(line, header.version, schema);
  }
  if (header.version > 1 && !ended) throw parser.truncated;
}

/**
 * The trace that `lines` hold; `name` is what messages call it.
 *
 * @throws UsageError with one line; so does iterating over the cases
 */
export async function parseTrace(
  lines: AsyncIterable<Line> | Iterable<Line>,
  name: string,
  limits: TraceLimits = DEFAULT_LIMITS,
): Promise<Trace> {
  const parser = new Parser(name, limits);
  const all = each(lines);
  const first = await all.next();
  if (first.done === true) throw fileError(name, "is empty");
  try {
    const header = parser.header(parser.parse(first.value));
    const config = parser.config(header);
    const guessed = guessedOf(header);
    const cases = casesOf(all, header, parser);
    return { header, config, cases, ...(guessed !== undefined && { guessed }) };
  } catch (error) {
    await all.return(undefined);
    throw error;
  }
}

/** What is to be said of a file of ours that is no trace; undefined of any other. */
function ofAnotherKind(path: string): UsageError | undefined {
  const format = formatOf(path);
  if (format === undefined) return undefined;
  if (format !== COUNTEREXAMPLE) return fileError(path, `is an ${format}, not a recording`);
  const command = ownCommand(["replay", fileWord(path)]);
  return fileError(path, `is a counterexample, not a recording; to see it again: ${command}`);
}

/**
 * Open a trace; packed with brotli or gzip where its name ends in .br or .gz.
 *
 * @throws UsageError with one line; so does iterating over the cases
 */
export async function readTrace(
  path: string,
  limits: TraceLimits = DEFAULT_LIMITS,
): Promise<Trace> {
  try {
    return await parseTrace(linesOf(path, limits), path, limits);
  } catch (error) {
    throw ofAnotherKind(path) ?? error;
  }
}
