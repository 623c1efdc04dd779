/**
 * What a worker was at when it was lost, by what it said before.
 */
import { expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import type { Message } from "../workers/messages.ts";
import { after, NOWHERE, placeText } from "./whereabouts.ts";

const variant = "4k-delalloc";
const fsync: Operation = { op: "fsync" };
const write: Operation = { op: "pwrite", pos: 0, len: 1, readable: 1 };

const mounted: Message = { type: "mounted", variant, path: "buffer_head", options: "rw" };
const first: Message = { type: "case", variant, case: 0, kept: true };
const second: Message = { type: "case", variant, case: 1, kept: false };
const trying: Message = { type: "trying", variant, operations: [fsync] };
const begins: Message = { type: "walking", variant, fresh: true, operations: [write] };
const goesOn: Message = { type: "walking", variant, fresh: false, operations: [fsync] };
const kept: Message = { type: "kept", variant, operations: [write, fsync] };
const renewed: Message = { type: "renewed", variant };
const looks: Message = { type: "checkpoint", variant, done: false };
const looked: Message = { type: "checkpoint", variant, done: true };

test.each<[string, Message[], string]>([
  ["nothing", [], ""],
  ["that it mounted", [mounted], ` in ${variant}`],
  ["a case", [mounted, first, second], ` in case 1 of ${variant}`],
  ["what it shrinks", [mounted, first, trying], ` in a stored or shrunk case of ${variant}`],
  ["a case after that", [mounted, trying, second], ` in case 1 of ${variant}`],
  ["a checkpoint", [mounted, first, looks], ` at a checkpoint of ${variant}`],
  ["that it is over", [mounted, second, looks, looked], ` in case 1 of ${variant}`],
  ["that what comes is on a fresh image", [mounted, first, looks, renewed], ` in ${variant}`],
  ["an attempt alone", [trying], ` in a stored or shrunk case of ${variant}`],
  ["what is of no case", [mounted, second, { type: "alive" }], ` in case 1 of ${variant}`],
])("after %s", (_, said, place) => {
  expect(placeText(said.reduce(after, NOWHERE))).toBe(place);
});

test("the files that wait for a checkpoint are those of cases and of walks, until it is over", () => {
  const waiting = [mounted, first, second, begins, goesOn, kept, looks].reduce(after, NOWHERE);
  expect(waiting).toMatchObject({ kept: [0], keptWalks: [[write, fsync]], atCheckpoint: true });
  expect(after(waiting, looked)).toMatchObject({ kept: [], keptWalks: [], atCheckpoint: false });
});

test("a walk is all that was done to its file", () => {
  const walked = [mounted, begins, goesOn].reduce(after, NOWHERE);
  expect(walked.trying).toEqual([write, fsync]);
  expect(after(walked, begins).trying).toEqual([write]);
});

test("on a fresh image no file waits any more", () => {
  const { kept: waiting, keptWalks } = [mounted, first, kept, renewed].reduce(after, NOWHERE);
  expect([waiting, keptWalks]).toEqual([[], []]);
});
