/**
 * The model against what kernels did: every recorded case, every step, no kernel needed. A change of the model that
 * only looks right fails here.
 */
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runCase } from "../harness/lockstep/lockstep.ts";
import { ReplaySubject } from "../harness/lockstep/replay-subject.ts";
import { ModelWithoutReads, readTrace } from "../harness/stored/trace.ts";
import type { TraceHeader } from "../harness/stored/trace.ts";
import { knownDeviations } from "../model/deviations/index.ts";
import type { Override, ModelConfig } from "../model/tables.ts";

const folder = fileURLToPath(new URL("traces/", import.meta.url));

/**
 * The recordings, and in how many cases each shows a known deviation, and read-around: what the model must not agree
 * with by accident. 6.12 keeps reservations of short writes only where blocks are smaller than a page.
 */
const recordings = [
  { file: "buffer_head-6.12.delalloc.1024.jsonl.br", ideal: 189, around: 0 },
  { file: "buffer_head-6.12.delalloc.4096.jsonl.br", ideal: 0, around: 0 },
  { file: "buffer_head-6.18.delalloc.1024.jsonl.br", ideal: 289, around: 6 },
  { file: "buffer_head-6.18.delalloc.4096.jsonl.br", ideal: 234, around: 5 },
  { file: "buffer_head-6.18.nodelalloc.1024.jsonl.br", ideal: 84, around: 6 },
  { file: "buffer_head-6.18.nodelalloc.4096.jsonl.br", ideal: 84, around: 5 },
].map((recording) => ({ ...recording, name: recording.file.slice(12, -9) }));

/** The recordings were made on images of this size, bytes. */
const IMAGE_BYTES = 256 * 2 ** 20;

/**
 * The recordings of 6.18 were made with read-ahead on, and do not say how much. Stores through a mapping show it: with
 * a window of 64 pages or more the model follows all of them, with less it does not (the files end before page 68, so
 * how much more makes no difference). Those of 6.12 show none: without large folios a page more in the cache changes
 * nothing that is compared.
 */
const READ_AROUND_PAGES = 64;

function configOf({ kernel, mount, blockSize }: TraceHeader): ModelConfig {
  const [major, minor] = kernel.split(".").map(Number) as [number, number];
  const since616 = major > 6 || (major === 6 && minor >= 16);
  const delalloc = mount === "delalloc";
  return {
    path: "buffer_head",
    blockSize,
    delalloc,
    journal: "ordered",
    dioread: delalloc ? "nolock" : "lock",
    largeFolios: since616,
    prefaultFirst: !since616,
    zeroesGap: "after",
    punchesTo: "page",
    readAhead: { pages: READ_AROUND_PAGES, growsFrom: "window" },
    freeBlocks: Math.floor((0.9 * IMAGE_BYTES) / blockSize),
  };
}

/** What a replay came to. */
interface Replayed {
  cases: number;
  steps: number;
  diverged: string[];
}

async function replay(
  file: string,
  overrides: readonly Override[],
  change: Partial<ModelConfig> = {},
): Promise<Replayed> {
  const { header, cases } = await readTrace(folder + file);
  const model = new ModelWithoutReads({ ...configOf(header), ...change }, overrides);
  const done: Replayed = { cases: 0, steps: 0, diverged: [] };
  for await (const { number, operations, observations } of cases) {
    const options = { variant: file, blockSize: header.blockSize };
    const result = runCase(model, new ReplaySubject(observations), operations, options);
    done.cases += 1;
    done.steps += result.steps;
    const { divergence } = result;
    if (divergence !== undefined) {
      done.diverged.push(`case ${number} step ${divergence.step}: ${divergence.message}`);
    }
  }
  return done;
}

const asKernelsDo = knownDeviations
  .filter(({ visible }) => visible === "step")
  .map(({ override }) => override);

describe("recorded kernels", () => {
  test("every recording is replayed", () => {
    expect(readdirSync(folder).filter((name) => name.endsWith(".br"))).toEqual(
      recordings.map(({ file }) => file),
    );
  });

  test.each(recordings)("$name: the model agrees with every step", async ({ file }) => {
    expect(await replay(file, asKernelsDo)).toEqual({ cases: 400, steps: 3472, diverged: [] });
  });

  test.each(recordings)("$name: $ideal cases show a known deviation", async ({ file, ideal }) => {
    const { diverged } = await replay(file, []);
    expect(diverged.length).toBe(ideal);
  });

  test.each(recordings)("$name: $around cases show read-around", async ({ file, around }) => {
    const { diverged } = await replay(file, asKernelsDo, {
      readAhead: { pages: 0, growsFrom: "window" },
    });
    expect(diverged.length).toBe(around);
  });
});
