import { expect, test } from "vitest";
import type { Operation } from "../operations/operation.ts";
import { identityOf, symptomOf } from "./identity.ts";
import type { Identifiable } from "./identity.ts";

const write = (pos: number, readable: number, len = 8192): Operation => ({
  op: "pwrite",
  pos,
  len,
  readable,
});

const found = (change: Partial<Identifiable> = {}): Identifiable => ({
  kind: "map",
  message: "block 1 is delayed, expected hole",
  operations: [write(0, 4096), { op: "fsync" }],
  step: 1,
  ...change,
});

const same = (a: Partial<Identifiable>, b: Partial<Identifiable> = {}): boolean =>
  identityOf(found(a)) === identityOf(found(b));

test("numbers make no other finding, of operands or in words", () => {
  expect(
    same({
      message: "blocks 7-12 are delayed, expected hole",
      operations: [write(4096, 0), { op: "fsync" }],
    }),
  ).toBe(true);
  const log = "EXT4-fs error (device loop4): ext4_x:12: inode #13: comm node: 0xdeadbeef";
  const other = "EXT4-fs error (device loop11): ext4_x:12: inode #99: comm node: 0x12";
  expect(same({ kind: "kernel-log", message: log }, { kind: "kernel-log", message: other })).toBe(
    true,
  );
});

test("operations after the step are no part of it", () => {
  expect(same({ operations: [...found().operations, { op: "unlink" }] })).toBe(true);
});

test.each<[string, Partial<Identifiable>]>([
  ["another kind", { kind: "reserved" }],
  ["other words", { message: "block 1 is a hole, expected delayed" }],
  ["another operation", { operations: [write(0, 4096), { op: "drop_cache" }] }],
  ["one more", { operations: [write(0, 4096), write(0, 4096), { op: "fsync" }], step: 2 }],
  ["a write that is whole", { operations: [write(0, 8192), { op: "fsync" }] }],
  ["a device without room", { operations: [write(0, 4096), { op: "fsync", starved: true }] }],
  ["no memory", { operations: [{ ...write(0, 4096), fail_nth: 2 } as Operation, { op: "fsync" }] }],
  ["a case before it", { before: [{ operations: [{ op: "fsync" }] }] }],
])("%s makes another", (_, change) => {
  expect(same(change)).toBe(false);
});

const paused = (during: Operation[]): Partial<Identifiable> => ({
  operations: [
    {
      op: "paused_write",
      pos: 0,
      len: 8192,
      pause_at: 4096,
      during,
      after: "fault",
    } as Operation,
  ],
  step: 0,
});

test("what happens in a pause counts", () => {
  expect(same(paused([{ op: "fsync" }]), paused([{ op: "drop_cache" }]))).toBe(false);
  expect(same(paused([{ op: "fsync" }]), paused([{ op: "fsync" }]))).toBe(true);
});

const inPieces = (iov: number[]): Partial<Identifiable> => ({
  operations: [{ ...write(0, 4096), iov } as Operation, { op: "fsync" }],
});

test("that a buffer is in pieces counts, their lengths do not", () => {
  expect(same(inPieces([4096, 4096]), inPieces([1024, 7168]))).toBe(true);
  expect(same(inPieces([4096, 4096]))).toBe(false);
});

test("what looks alike has the same last operation, whatever comes before it", () => {
  const longer = { operations: [write(0, 0), write(0, 4096), { op: "fsync" as const }], step: 2 };
  expect(symptomOf(found(longer))).toBe(symptomOf(found()));
  expect(symptomOf(found({ step: 0 }))).not.toBe(symptomOf(found()));
});
