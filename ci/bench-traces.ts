/**
 * `npm run bench:traces`: how fast recorded kernels are checked, and in how much memory. Needs no
 * root. `--brief` takes seconds, to see that it works.
 */
import { createReadStream, createWriteStream, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { packageRoot } from "../harness/host/package.ts";
import { checkFile } from "../harness/trace/check.ts";
import type { FileResult } from "../harness/trace/check.ts";
import { DEFAULT_LIMITS, MIB } from "../harness/trace/limits.ts";
import { grouped } from "../harness/text/numbers.ts";
import { BRIEF, median, out, table } from "./bench-measure.ts";

const folder = join(packageRoot, "properties", "traces");

/**
 * Bytes of a recording that is repeated until the compiler has seen enough, and of the large one.
 */
const LONG_BYTES = BRIEF ? MIB : 16 * MIB;
const LARGE_BYTES = BRIEF ? 4 * MIB : 1024 * MIB;
const ROUNDS = BRIEF ? 1 : 3;

async function linesOf(packed: string): Promise<string[]> {
  const input = createReadStream(packed).pipe(createBrotliDecompress());
  const lines: string[] = [];
  for await (const line of createInterface({ input })) lines.push(line);
  return lines;
}

/** The recording again and again, its cases renumbered, until it has so many bytes. */
function* repeated([header, ...cases]: readonly string[], bytes: number): Generator<string> {
  const steps = cases.map((line) => line.slice(line.indexOf(",")));
  yield `${header}\n`;
  for (let number = 0, written = 0; written < bytes;) {
    const lines = steps.map((text) => `{"case":${number++}${text}\n`).join("");
    written += lines.length;
    yield lines;
  }
}

async function check(file: string): Promise<FileResult> {
  const options = { allowed: "needed" as const, only: undefined, limits: DEFAULT_LIMITS };
  const result = await checkFile(file, options);
  if (result.first === undefined && result.compared === result.steps) return result;
  throw new Error(`diverges: ${result.first?.divergence.message}`);
}

/** Steps a second of the last time through the file. */
async function speed(file: string): Promise<{ steps: number; perSecond: number }> {
  const speeds: number[] = [];
  let steps = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const result = await check(file);
    steps = result.steps;
    speeds.push(result.compared / result.seconds);
  }
  return { steps, perSecond: median(speeds) };
}

const peakMib = (): number => process.resourceUsage().maxRSS / 1024;

async function bench(directory: string): Promise<void> {
  out(`${availableParallelism()} cores, Node ${process.versions.node}\n`);
  const large = join(directory, "large.jsonl");
  const all = readdirSync(folder).filter((name) => name.endsWith(".br"));
  const files = BRIEF ? all.slice(0, 2) : all;
  const [first] = files;
  if (first === undefined) throw new Error(`no recordings in ${folder}`);
  await pipeline(
    Readable.from(repeated(await linesOf(join(folder, first)), LARGE_BYTES)),
    createWriteStream(large),
  );
  const { steps, compared, seconds } = await check(large);
  out(
    `${LARGE_BYTES / MIB} MiB of ${first}: ${grouped(steps)} steps, ${grouped(compared / seconds)} steps/s`,
  );
  out(`peak memory ${grouped(peakMib())} MiB\n`);
  rmSync(large);

  const rows: string[][] = [];
  for (const name of files) {
    const long = join(directory, "long.jsonl");
    const lines = repeated(await linesOf(join(folder, name)), LONG_BYTES);
    await pipeline(Readable.from(lines), createWriteStream(long));
    const [once, more] = [await speed(join(folder, name)), await speed(long)];
    rmSync(long);
    rows.push([basename(name, ".jsonl.br"), grouped(once.perSecond), grouped(more.perSecond)]);
  }
  out(table(["steps/s, median of 3", "the file", `${LONG_BYTES / MIB} MiB of it`], rows));
}

const directory = mkdtempSync(join(tmpdir(), "conform-bench-"));
try {
  await bench(directory);
} finally {
  rmSync(directory, { recursive: true });
}
