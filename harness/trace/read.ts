/**
 * Reading a trace: what a kernel did, recorded earlier, as operations and observations (FORMAT.md).
 *
 * Whatever a file holds, the answer is a Trace or a UsageError of one line that names the file, the
 * line in it, the field, and the reason. A case is read when it is asked for: a recording may be
 * larger than memory.
 */
import * as z from "zod";
import { UsageError } from "../case/failure.ts";
import { colonsIn, isDeeperThan, repeatedKey } from "../stored/json-keys.ts";
import { pathText } from "../stored/json-path.ts";
import type { Observation } from "../case/observation.ts";
import { bytesIn } from "../case/stored-observation.ts";
import type { Operation } from "../operations/operation.ts";
import { configOf, guessedOf } from "./config.ts";
import type { ModelConfig } from "../../model/tables.ts";
import { fileError, lineError, shown, shownName } from "../stored/shown.ts";
import { stepCheck } from "./fields.ts";
import type { StepCheck } from "./fields.ts";
import {
  caseSchema,
  endSchema,
  headerV1Schema,
  headerV2Schema,
  headerV3Schema,
  KNOWN_VERSIONS,
  SINCE_2,
  stepSchema,
} from "./format.ts";
import type { Step, TraceEnd, TraceHeader, TraceHeaderV1, TraceHeaderV2 } from "./format.ts";
import { DEFAULT_LIMITS, MAX_DEPTH, MAX_READ_BYTES } from "./limits.ts";
import type { TraceLimits } from "./limits.ts";
import { linesOf } from "./lines.ts";
import type { Line } from "./lines.ts";
import { NAME_OF_PACKED, packingOf } from "./packing.ts";
import { schemaFault } from "./schema-fault.ts";
import { observationOf, operationOf } from "./step.ts";

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

/** A line under its number, and who to blame for it. */
class Parser {
  readonly #file: string;
  readonly #limits: TraceLimits;
  #line = 0;
  /** Of that line. */
  #text = "";

  constructor(file: string, limits: TraceLimits) {
    this.#file = file;
    this.#limits = limits;
  }

  /** Number of the line that was parsed last, from 1. */
  get line(): number {
    return this.#line;
  }

  error(reason: string): UsageError {
    return lineError(this.#file, this.#line, reason);
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

  /** What `schema` makes of the field `name`. */
  field<T>(name: string, value: unknown, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const fault = schemaFault(value, parsed.error.issues[0] as z.core.$ZodIssue);
    throw this.error(`${pathText([name, ...fault.path])}: ${fault.reason}`);
  }

  /** Nothing but the fields `names` may be there, and all of them. */
  only(line: Fields, names: readonly string[]): void {
    const missing = names.find((name) => !Object.hasOwn(line, name));
    if (missing !== undefined) throw this.error(`${missing}: is missing`);
    const unknown = Object.keys(line).find((name) => !names.includes(name));
    if (unknown !== undefined) throw this.error(`${shownName(unknown)}: there is no such field`);
  }

  /**
   * No object of the line may have a key twice.
   *
   * @param keys how many its value has in all, where that is known and none of its strings has a
   *   colon: counting is much faster than looking
   */
  #mustHaveKeysOnce(keys?: number): void {
    if (colonsIn(this.#text) === keys) return;
    if (isDeeperThan(this.#text, MAX_DEPTH)) {
      throw this.error(`has brackets inside one another, more than ${MAX_DEPTH} deep`);
    }
    const repeated = repeatedKey(this.#text);
    if (repeated === undefined) return;
    throw this.error(`column ${repeated.column}: ${shownName(repeated.name)}: is there twice`);
  }

  header(line: Fields): TraceHeader {
    this.#mustHaveKeysOnce();
    if (!Object.hasOwn(line, "header")) {
      throw this.error("header: is missing: the first line of a trace is its header");
    }
    this.only(line, ["header"]);
    const value = line["header"] as Fields;
    const isObject = typeof value === "object" && value !== null;
    if (!isObject || !Object.hasOwn(value, "version")) return this.#headerV1(value);
    const { version } = value;
    if (version === 1) return this.field("header", value, headerV1Schema);
    if (version === 2) return this.field("header", value, headerV2Schema);
    if (version === 3) return this.field("header", value, headerV3Schema);
    throw this.error(`header.version: is ${shown(version)}; known are ${KNOWN_VERSIONS}`);
  }

  /**
   * A header without a version is one of version 1, unless its fields say that it was meant for
   * another.
   */
  #headerV1(value: unknown): TraceHeader {
    const of2 = SINCE_2.find((name) => Object.hasOwn(Object(value), name));
    if (of2 === undefined) return this.field("header", value, headerV1Schema);
    throw this.error(`header.version: is missing; ${of2} is a field of version 2`);
  }

  config(header: TraceHeader): ModelConfig {
    try {
      return configOf(header);
    } catch (error) {
      throw error instanceof UsageError ? this.error(error.message) : error;
    }
  }

  /**
   * @param version of the trace; `before` is the number of the case before it, -1 where there is
   * none
   */
  case(line: Fields, version: number, before: number, check: StepCheck): TraceCase {
    if (Object.hasOwn(line, "header")) throw this.error("header: a trace has one, in line 1");
    this.only(line, ["case", "steps"]);
    const { case: number, steps } = line;
    if (!Number.isSafeInteger(number) || (number as number) < 0) {
      throw this.error(`case: ${shown(number)} is no whole number from 0 on`);
    }
    this.#mustRise(number as number, before);
    // Version 2 says at its end how many there are.
    if (version === 1 && number !== before + 1) {
      const missing = "a line is missing before it: in version 1 the numbers have no gaps";
      throw this.error(`case: is ${shown(number)}, not ${before + 1}: ${missing}`);
    }
    if (!Array.isArray(steps)) throw this.error("steps: is no list");
    this.#checkSteps(steps, check);
    const keys = (steps as object[]).reduce((sum, step) => sum + Object.keys(step).length, 2);
    this.#mustHaveKeysOnce(keys);
    return caseOf(number as number, this.#line, steps as Step[]);
  }

  #mustRise(number: number, before: number): void {
    if (number > before) return;
    throw this.error(`case: is ${shown(number)} after ${before}: the numbers of cases must rise`);
  }

  /** The line of version 3 that begins a case. */
  begin(line: Fields, before: number): TraceCase {
    if (Object.hasOwn(line, "header")) throw this.error("header: a trace has one, in line 1");
    if (Object.hasOwn(line, "operation")) throw this.error("operation: belongs to no case");
    this.#mustHaveKeysOnce(keysIn(line));
    const { case: number, freeBlocks } = this.whole(line, caseSchema);
    this.#mustRise(number, before);
    const free = freeBlocks === undefined ? {} : { freeBlocks };
    return { number, line: this.#line, ...free, operations: [], observations: [], digests: [] };
  }

  /** A line of version 3 that is a step of the case. */
  step(line: Fields, { operations, observations }: TraceCase): number {
    this.#mustHaveKeysOnce(keysIn(line));
    const { steps } = this.#limits;
    if (operations.length === steps) {
      throw this.error(`is one step more than ${steps}, the limit (see --max-steps)`);
    }
    const { operation, seen } = this.whole(line, stepSchema);
    operations.push(operation);
    observations.push(seen);
    return bytesIn(seen);
  }

  /** What `schema` makes of the line. */
  whole<T>(line: Fields, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(line);
    if (parsed.success) return parsed.data;
    const fault = schemaFault(line, parsed.error.issues[0] as z.core.$ZodIssue);
    throw this.error(`${pathText(fault.path)}: ${fault.reason}`);
  }

  #checkSteps(steps: readonly unknown[], check: StepCheck): void {
    const { steps: limit } = this.#limits;
    if (steps.length > limit) {
      throw this.error(`steps: ${steps.length} of them; ${limit} is the limit (see --max-steps)`);
    }
    for (let i = 0; i < steps.length; i++) {
      const fault = check(steps[i]);
      if (fault === undefined) continue;
      const at = fault.path === "" ? "" : `.${fault.path}`;
      throw this.error(`steps[${i}]${at}: ${fault.reason}`);
    }
    const last = steps.at(-1) as Step | undefined;
    if (last?.windows === undefined) return;
    const reason = "the last look of a case must be at the whole file";
    throw this.error(`steps[${steps.length - 1}].windows: is there, but ${reason}`);
  }

  end(line: Fields, seen: TraceEnd): void {
    this.#mustHaveKeysOnce();
    this.only(line, ["end"]);
    const end = this.field("end", line["end"], endSchema);
    for (const what of ["cases", "steps"] as const) {
      if (end[what] === seen[what]) continue;
      throw this.error(`end.${what}: is ${end[what]}, but there are ${seen[what]} before it`);
    }
  }
}

function caseOf(number: number, line: number, steps: readonly Step[]): TraceCase {
  return {
    number,
    line,
    operations: steps.map(operationOf),
    observations: steps.map(observationOf),
    digests: steps.map((step) => step.sha256),
  };
}

/** Keys of all objects in a value. */
function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value).reduce<number>((sum, one) => sum + keysIn(one), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}

type Lines = AsyncIterable<Line> | Iterable<Line>;

async function* each(lines: Lines): AsyncGenerator<Line> {
  yield* lines;
}

async function* casesOf(
  lines: AsyncIterable<Line>,
  header: TraceHeaderV1 | TraceHeaderV2,
  parser: Parser,
  name: string,
): AsyncGenerator<TraceCase> {
  const check = stepCheck(header);
  const seen = { cases: 0, steps: 0 };
  let before = -1;
  let ended = false;
  for await (const text of lines) {
    const line = parser.parse(text);
    if (ended) throw parser.error("nothing may follow the end of a trace");
    if (header.version > 1 && Object.hasOwn(line, "end")) {
      parser.end(line, seen);
      ended = true;
      continue;
    }
    const one = parser.case(line, header.version, before, check);
    before = one.number;
    seen.cases += 1;
    seen.steps += one.operations.length;
    yield one;
  }
  if (header.version > 1 && !ended) throw truncated(name, parser);
}

/** The end of a case of version 3: nothing may have been left out when the file was seen last. */
function whole(recorded: TraceCase, parser: Parser): TraceCase {
  if (recorded.observations.at(-1)?.windows === undefined) return recorded;
  throw parser.error(
    "seen.windows: in the line before: the last look of a case must be at all of it",
  );
}

async function* casesOfV3(
  lines: AsyncIterable<Line>,
  parser: Parser,
  name: string,
): AsyncGenerator<TraceCase> {
  const seen = { cases: 0, steps: 0 };
  let current: TraceCase | undefined;
  let before = -1;
  let ended = false;
  let bytes = 0;
  for await (const text of lines) {
    const line = parser.parse(text);
    if (ended) throw parser.error("nothing may follow the end of a trace");
    if (current !== undefined && Object.hasOwn(line, "operation")) {
      bytes += parser.step(line, current);
      if (bytes > MAX_READ_BYTES) throw parser.error(`seen: the case has read too many bytes`);
      seen.steps += 1;
      continue;
    }
    if (current !== undefined) yield whole(current, parser);
    current = undefined;
    if (Object.hasOwn(line, "end")) {
      parser.end(line, seen);
      ended = true;
      continue;
    }
    current = parser.begin(line, before);
    before = current.number;
    bytes = 0;
    seen.cases += 1;
  }
  if (!ended) throw truncated(name, parser);
}

function truncated(name: string, { line }: Parser): UsageError {
  return fileError(name, `is truncated: after line ${line} the line {"end": ...} is missing`);
}

/**
 * The trace that `lines` hold; `name` is what messages call it.
 *
 * @throws UsageError with one line; so does iterating over the cases
 */
export async function parseTrace(
  lines: Lines,
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
    const cases =
      header.version === 3 ? casesOfV3(all, parser, name) : casesOf(all, header, parser, name);
    return { header, config, cases, ...(guessed !== undefined && { guessed }) };
  } catch (error) {
    await all.return(undefined);
    throw error;
  }
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
  return parseTrace(linesOf(path, limits), path, limits);
}
