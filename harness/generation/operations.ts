/**
 * The arbitrary of a case: a sequence of operations for one file.
 *
 * It draws straight from fast-check's generator instead of composing `fc.array(fc.oneof(...))`, for
 * three reasons: operands depend on one another (a short write maps at most what it writes, a case
 * allocates at most an eighth of the image), shrinking moves operands of several operations
 * together, and it is ten times as fast. What composed arbitraries promise holds all the same:
 * values are plain data, and any valid sequence, read from a file as well as generated, can be
 * shrunk.
 */
import * as fc from "fast-check";
import {
  canLackMemory,
  canStarve,
  effectsOf,
  fileOf,
  inFile,
  isWrite,
  operationsSchema,
  targetOf,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { Draw, expand } from "../draw/draw.ts";
import { generationOf, namesToDraw } from "../operations/generation.ts";
import { type ShrinkContext, shrinkOperations } from "./shrink.ts";
import { type Space, type Spacious, spaceOf } from "../draw/space.ts";
import { drawPrelude } from "./deep.ts";
import {
  CASE_LENGTH_WEIGHTS,
  CUT_AFTER_COMMIT_PERCENT,
  CUT_PER_MILLE,
  DEEP_LENGTH,
  DEEP_PER_MILLE,
  FAIL_NTH_OCTAVES,
  FAIL_NTH_PERCENT,
  STARVED_PERCENT,
  TWO_FILES_PERCENT,
  WHOLE_PERCENT,
} from "./weights.ts";

const names = {
  recordable: namesToDraw("recordable"),
  all: namesToDraw("all"),
  twoFiles: namesToDraw("twoFiles"),
  deep: namesToDraw("deep"),
};
const caseLengths = expand(CASE_LENGTH_WEIGHTS);

/** Operations in the next case: 1 to `maxLength`. */
function drawLength(draw: Draw, maxLength: number): number {
  switch (draw.pick(caseLengths)) {
    case "upTo5":
      return draw.between(1, Math.min(5, maxLength));
    case "upTo20":
      return draw.between(1, Math.min(20, maxLength));
    case "long": {
      const octave = draw.between(0, Math.floor(Math.log2(maxLength)));
      return draw.between(1, Math.min(maxLength, 2 ** (octave + 1) - 1));
    }
  }
}

/** Tell `draw` where `operation` lies and where the file may end after it. */
function note(draw: Draw, operation: Operation): void {
  const { cutsTo, replacesFile } = effectsOf(operation);
  const size = replacesFile === true ? 0 : cutsTo?.(operation);
  if (size !== undefined) draw.endsAt(size);
  const target = targetOf(operation);
  if (target === undefined) return;
  const { pos } = target;
  const end = pos + ("readable" in operation ? operation.readable : target.len);
  if (end > draw.space.maxFile) return;
  if ("readable" in operation && end > pos) draw.reaches(end);
  draw.remember(pos);
  draw.remember(end);
}

/**
 * Where in a case to cut the power: an index of `operations`, which are at least one, or their end.
 */
function placeOfCut(draw: Draw, operations: readonly Operation[]): number {
  const commits = operations.flatMap((operation, i) =>
    generationOf(operation).commitsInPassing?.(operation) === true ? [i + 1] : [],
  );
  if (commits.length > 0 && draw.percent(CUT_AFTER_COMMIT_PERCENT)) return draw.pick(commits);
  return draw.between(1, operations.length);
}

/** What is left to draw of each. */
const finished = (draw: Draw, operations: readonly Operation[]): Operation[] =>
  operations.map((one) => generationOf(one).finish?.(draw, one) ?? one);

class OperationsArbitrary extends fc.Arbitrary<Operation[]> {
  readonly #space: Space;
  readonly #maxLength: number;
  readonly #everything: boolean;
  readonly #twoFiles: boolean;
  readonly #cutPerMille: number;
  readonly #deepPerMille: number;

  constructor(
    space: Space,
    { maxLength, everything = false, twoFiles = false }: OperationsOptions,
    { cutPerMille, deepPerMille }: Rare,
  ) {
    super();
    const deep = !space.full && maxLength >= DEEP_LENGTH.least;
    this.#deepPerMille = deep ? deepPerMille : 0;
    this.#twoFiles = twoFiles;
    this.#cutPerMille = cutPerMille;
    this.#space = space;
    this.#maxLength = Math.max(1, maxLength);
    this.#everything = everything;
  }

  /** fast-check's own bias towards small values is not used: the tables of weights.ts decide. */
  override generate(random: fc.Random): fc.Value<Operation[]> {
    const draw = new Draw(random, this.#space, this.#everything);
    const length = drawLength(draw, this.#maxLength);
    const operations: Operation[] = [];
    const two = this.#twoFiles && draw.percent(TWO_FILES_PERCENT.cases);
    if (two) draw.file = 0;
    const whole = this.#space.full && draw.percent(WHOLE_PERCENT);
    while (operations.length < length) {
      if (two && draw.percent(TWO_FILES_PERCENT.changes)) draw.changeFile();
      const every = two ? names.twoFiles : names.all;
      const op = draw.pick(this.#everything ? every : names.recordable);
      const drawn = generationOf({ op }).generate(draw);
      // A short one can be made whole, but for one that is paused.
      if (whole && effectsOf(drawn).during !== undefined) continue;
      const long = whole && "readable" in drawn ? { ...drawn, readable: drawn.len } : drawn;
      const operation = inFile(long, draw.file ?? 0);
      note(draw, operation);
      const starved =
        !two &&
        this.#everything &&
        this.#space.thin &&
        canStarve(operation) &&
        draw.percent(STARVED_PERCENT);
      operations.push(
        starved ? ({ ...operation, starved } as Operation) : this.#lackingMemory(draw, operation),
      );
    }
    if (draw.perMille(this.#cutPerMille)) {
      const at = placeOfCut(draw, operations);
      const cut = { op: "power_cut" } as const;
      operations.splice(at, 0, inFile(cut, fileOf(operations[at - 1]!)));
    }
    // Last, so that it changes no other case.
    const deep = draw.perMille(this.#deepPerMille);
    const drawn = deep ? this.#generateDeep(random) : operations;
    return new fc.Value(this.#everything ? finished(draw, drawn) : drawn, undefined);
  }

  #generateDeep(random: fc.Random): Operation[] {
    const draw = new Draw(random, this.#space, true);
    const operations = drawPrelude(draw);
    const most = Math.min(DEEP_LENGTH.most, this.#maxLength - operations.length);
    for (let left = draw.between(1, most); left > 0; left--) {
      const operation = generationOf({ op: draw.pick(names.deep) }).generate(draw);
      note(draw, operation);
      operations.push(operation);
    }
    return operations;
  }

  /** Of delayed writes a few have an allocation of memory fail, mostly an early one. */
  #lackingMemory(draw: Draw, operation: Operation): Operation {
    const can = this.#everything && this.#space.delays && isWrite(operation);
    if (!can || !canLackMemory(operation) || !draw.percent(FAIL_NTH_PERCENT)) return operation;
    const fail_nth = draw.between(1, 2 ** draw.between(1, FAIL_NTH_OCTAVES));
    return { ...operation, fail_nth } as Operation;
  }

  override canShrinkWithoutContext(value: unknown): value is Operation[] {
    return operationsSchema.safeParse(value).success;
  }

  override shrink(value: Operation[], context: unknown): fc.Stream<fc.Value<Operation[]>> {
    const shrunk = shrinkOperations(value, context as ShrinkContext | undefined, this.#space);
    return fc.stream(shrunk).map(([operations, place]) => new fc.Value(operations, place));
  }
}

/** Of a thousand cases, those that ... */
interface Rare {
  /** ... have a power cut. */
  readonly cutPerMille: number;
  /** ... are about a deep extent tree. */
  readonly deepPerMille: number;
}

export interface OperationsOptions {
  /**
   * Block and image size decide which positions are worth visiting and how much a case may
   * allocate.
   */
  variant: Spacious;
  /** Most operations in a case, at least 1. */
  maxLength: number;
  /** Bytes of a page of the kernel under test. */
  kernelPageSize?: number;
  /**
   * Also what versions 1 and 2 of recordings do not hold: writes that sleep inside the kernel, in pieces, to the end, with
   * a sync, up to a limit.
   */
  everything?: boolean;
  /** Some cases work on two files. */
  twoFiles?: boolean;
  /**
   * Of a thousand cases, those with a power cut; the default is as seldom as weights.ts says, and
   * never where not everything is asked for.
   */
  cutPerMille?: number | undefined;
  /**
   * Of a thousand cases, those that begin with hundreds of extents (deep.ts); as seldom as
   * weights.ts says where everything is asked for, else none. A file system that is full has none.
   */
  deepPerMille?: number | undefined;
}

/**
 * Cases of 1 to `maxLength` operations, mostly up to 20. Drawing one operation takes a fraction of
 * a microsecond. How often what is drawn is in weights.ts.
 *
 * `shrink(value, undefined)` works for every value that `operationsSchema` accepts.
 */
export function operations(options: OperationsOptions): fc.Arbitrary<Operation[]> {
  const { variant, kernelPageSize = 4096, everything = false } = options;
  const { cutPerMille = everything ? CUT_PER_MILLE : 0 } = options;
  const { deepPerMille = everything ? DEEP_PER_MILLE : 0 } = options;
  const rare = { cutPerMille, deepPerMille };
  return new OperationsArbitrary(spaceOf(variant, kernelPageSize), options, rare);
}
