/**
 * The steps of a finding as a page shows them: what was observed, in words and as what pictures are
 * drawn of.
 */
import { blocksHeld } from "../case/extents.ts";
import { describePages, EXTENT_STATES } from "../case/observation.ts";
import type { Divergence, DivergenceKind } from "../finding/divergence.ts";
import type { RecordedObservation } from "../finding/recorded.ts";
import type { TimelineStep } from "../finding/timeline.ts";
import { describeOperation, effectsOf, shortNameOf, targetOf } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { extentText, firstDifference } from "../text/block-map.ts";
import { describeResult } from "../text/errno.ts";
import type { Fact, Look, Step, Touched } from "./html/timeline.ts";
import { asLeft, cacheText, inBlocks, inUnits, readText } from "./observed.ts";

function lookOf({ i_size, map, reserved, st_blocks, pages }: RecordedObservation): Look {
  return { i_size, map, reserved, st_blocks, ...(pages && { pages }) };
}

function touchedBy(operation: Operation): Touched {
  const label = effectsOf(operation).label ?? shortNameOf(operation);
  const { pos, len } = targetOf(operation) ?? { pos: 0, len: 0 };
  return { label, pos, len, ...("readable" in operation && { readable: operation.readable }) };
}

/** The row of a table; none where neither side knows. */
type RowOf = (
  expected: RecordedObservation | undefined,
  seen: RecordedObservation,
  blockSize: number,
) => Omit<Fact, "name"> | undefined;

const row =
  (
    text: (one: RecordedObservation, blockSize: number) => string | undefined,
    differs?: (expected: RecordedObservation, seen: RecordedObservation) => boolean,
  ): RowOf =>
  (expected, seen, blockSize) => {
    // What has columns in a terminal has none here.
    const [should, is] = [expected && text(expected, blockSize), text(seen, blockSize)].map((one) =>
      one?.replaceAll(/ +/g, " "),
    );
    if (is === undefined && should === undefined) return undefined;
    const known = should !== undefined && is !== undefined;
    return {
      ...(should !== undefined && { expected: should }),
      seen: is ?? "not known",
      differs: expected !== undefined && (differs?.(expected, seen) ?? (known && should !== is)),
    };
  };

type Pause = NonNullable<RecordedObservation["during"]>[number];

/** Extents that are told one by one. */
const MOST_EXTENTS = 8;

function mapText({ map }: RecordedObservation): string {
  if (map.length <= MOST_EXTENTS) return map.map(extentText).join(", ") || "none";
  const held = EXTENT_STATES.flatMap((state) => {
    const blocks = blocksHeld(map.filter((extent) => extent.state === state));
    return blocks === 0 ? [] : [`${blocks} ${state}`];
  });
  return `${held.join(", ")}, in ${map.length} extents`;
}

const pauseText = ({ result, i_size, reserved }: Pause, index: number): string =>
  `${index === 0 ? "" : `then ${describeResult(result)}, `}i_size ${i_size}, reserved ${reserved}`;

const rows: Readonly<Record<string, RowOf>> = {
  returned: row(({ result }) => describeResult(result)),
  i_size: row(({ i_size }, blockSize) => inBlocks(i_size, blockSize)),
  // More than expected may be extent-tree blocks; only the comparison knows how many there can be.
  st_blocks: row(
    ({ st_blocks }, blockSize) => inUnits(st_blocks, blockSize),
    (expected, seen) => seen.st_blocks < expected.st_blocks,
  ),
  blocks: row(mapText, (expected, seen) => firstDifference(expected.map, seen.map) !== undefined),
  reserved: row(({ reserved }) => String(reserved)),
  "at its pause": row(({ during }) => during && during.map(pauseText).join("; ")),
  pages: row(({ pages }) => pages && describePages(pages)),
  read: row(
    ({ read }) => read && readText(read),
    (expected, seen) => expected.read?.sha256 !== seen.read?.sha256,
  ),
  // Where it is what is wrong: nobody expects more of it than that it is true.
  cache: row(({ cache }) => cache && cacheText(cache)),
  data: row(
    ({ cut }) => cut?.file?.bytes && readText(cut.file.bytes),
    (expected, seen) => expected.cut?.file?.bytes?.sha256 !== seen.cut?.file?.bytes?.sha256,
  ),
};

function factsOf(
  expected: RecordedObservation | undefined,
  seen: RecordedObservation,
  blockSize: number,
  kind: DivergenceKind | undefined,
): Fact[] {
  const asked = Object.entries(rows).filter(([name]) => name !== "cache" || kind === "cache");
  const facts = asked.flatMap(([name, of]) => {
    const fact = of(expected, seen, blockSize);
    return fact === undefined ? [] : [{ name, ...fact }];
  });
  return facts.map((fact) => (fact.name === kind ? { ...fact, differs: true } : fact));
}

function stepOf(
  { step, expected, seen }: TimelineStep,
  { operations, step: shows, kind }: Divergence,
  blockSize: number,
): Step[] {
  const operation = operations[step];
  if (operation === undefined) return [];
  const isCut = seen.cut !== undefined;
  const view = (one: RecordedObservation): RecordedObservation => (isCut ? asLeft(one) : one);
  return [
    {
      index: step,
      operation: describeOperation(operation),
      touched: touchedBy(operation),
      ...(expected && { expected: lookOf(view(expected)) }),
      seen: lookOf(view(seen)),
      facts: factsOf(
        expected && view(expected),
        view(seen),
        blockSize,
        step === shows ? kind : undefined,
      ),
      ...(isCut && { about: "Left by a power cut, once the journal is replayed." }),
      shows: step === shows,
    },
  ];
}

/**
 * The steps that led to a divergence, the one that shows it among them: of that one the finding
 * itself knows most, as from which byte on reads differ.
 */
export function stepsOf(divergence: Divergence, blockSize: number): Step[] {
  const { timeline = [], step, expected, seen } = divergence;
  const own = seen === undefined ? [] : [{ step, seen, ...(expected && { expected }) }];
  const before = timeline.filter((one) => own.length === 0 || one.step < step);
  return [...before, ...own].flatMap((one) => stepOf(one, divergence, blockSize));
}
