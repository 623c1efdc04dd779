import { describe, expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { machineLacks } from "../system/machine.ts";
import { variantNamed } from "../under-test/variants.ts";
import { openExecutor } from "./executor.ts";
import type { ExecutorName } from "./executor.ts";
import { openImage } from "./image.ts";
import { eventsDuring } from "./passed-events.ts";

const lacks = machineLacks();
if (lacks !== undefined) console.warn(`SKIP: ${lacks.message}`);

const CASE: Operation[] = [
  { op: "pwrite", pos: 0, len: 8192, readable: 8192 },
  { op: "fsync" },
  { op: "ftruncate", size: 4096 },
];

/** What the call of one step passes. */
async function passedBy(name: ExecutorName, step: number): Promise<string[] | undefined> {
  const image = await openImage(variantNamed("4k-delalloc"));
  const executor = openExecutor(name, image);
  try {
    return eventsDuring(image, (around) => {
      executor.aroundCall = { step, around };
      executor.begin(CASE);
      for (const [i, operation] of CASE.entries()) executor.step(operation, i);
    });
  } finally {
    executor.release();
    image.close();
  }
}

const names = (events: string[] | undefined): string[] | undefined =>
  events?.map((event) => event.replace(/^\S+: /, "").split(" ")[0]!);

describe.skipIf(lacks !== undefined)("of a call", () => {
  test.for([
    { step: 0, has: "ext4_da_write_begin", last: /^ext4_da_write_end .* len 8192 copied 8192$/ },
    { step: 1, has: "ext4_writepages", last: /^ext4_sync_file_exit .* ret 0$/ },
    { step: 2, has: "ext4_truncate_enter", last: /./ },
  ])("number $step the events are told, and not those of looks", async (one, { skip }) => {
    const { step, has, last } = one;
    const events = await passedBy("ffi", step);
    skip(events === undefined, "this kernel has no tracefs");
    expect(names(events)).toContain(has);
    // FIEMAP looks the blocks up, which is an event too: one behind the call would be the last.
    expect(events!.at(-1)).toMatch(last);
    const all = [/_write_(?:begin|end)$/, /^ext4_sync_file/, /^ext4_truncate/];
    const others = all.filter((_, i) => i !== step);
    const passed = names(events)!;
    expect(passed.filter((event) => others.some((other) => other.test(event)))).toEqual([]);
  });

  test("that a program makes they are the program's", async ({ skip }) => {
    const events = await passedBy("dd", 0);
    skip(events === undefined, "this kernel has no tracefs");
    expect(events).toContainEqual(expect.stringMatching(/^dd: ext4_da_write_begin .* len 8192\b/));
  });
});
