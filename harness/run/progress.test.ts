import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NOTHING_RUN } from "../stored/result.ts";
import type { Message } from "../workers/messages.ts";
import { Progress } from "./progress.ts";

const variant = "4k-delalloc";
const progress: Message = { type: "progress", variant, counts: { ...NOTHING_RUN, cases: 1200 } };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is on the line of a terminal after each of some messages of job 0, long after another. */
function shown(messages: readonly Message[]): string[] {
  const stream = Object.assign(new PassThrough(), { isTTY: true }) as unknown as NodeJS.WriteStream;
  const line = new Progress(stream);
  line.begin(3);
  return messages.map((message) => {
    vi.advanceTimersByTime(1000);
    line.hear(0, message);
    return String((stream as unknown as PassThrough).read() ?? "");
  });
}

test("the line says what a job is at, until it is at the next case", () => {
  const lines = shown([
    progress,
    { type: "checkpoint", variant, done: false },
    progress,
    { type: "checkpoint", variant, done: true },
    progress,
    { type: "diverged", variant },
    { ...progress, counts: { ...NOTHING_RUN, cases: 1201, tries: 30 } },
    { type: "renewed", variant },
    progress,
  ]);
  expect(
    lines.filter((text) => text !== "").map((text) => text.slice(text.indexOf("[1/"))),
  ).toEqual([
    "[1/3] 4k-delalloc: 1,200 cases, 0 operations, 1 s",
    "[1/3] 4k-delalloc: 1,200 cases, 0 operations, 3 s; looking at the disk",
    "[1/3] 4k-delalloc: 1,200 cases, 0 operations, 5 s",
    "[1/3] 4k-delalloc: 1,201 cases, 30 tries, 0 operations, 7 s; making a case that diverges smaller",
    "[1/3] 4k-delalloc: 1,200 cases, 0 operations, 9 s",
  ]);
});
