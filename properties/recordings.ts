/**
 * The recordings that the model is held against, and what each of them is known to show.
 */
import { fileURLToPath } from "node:url";

const SHORT = "short-write-keeps-reservation";
const MOVES = "failed-write-moves-size";
const FREES = "short-write-frees-preallocation";
const DIRTY = "dirty-tag-outlives-dirt";
const DIRECT = "direct-write-frees-preallocation";
const NOT_NEW = "delayed-blocks-not-new";

/** In how many cases which known deviation, by its id, has a part. */
export type Parts = Readonly<Record<string, number>>;

/** Folder of what kernels with and without the patch did, ending in "/". */
export const recordingsFolder = fileURLToPath(new URL("traces/", import.meta.url));

/**
 * The recordings; which known deviations each needs and in how many cases they have a part; how
 * many cases cannot be followed without them, and without read-ahead: what the model must not agree
 * with by accident. 6.12 keeps reservations of short writes only where blocks are smaller than a
 * page.
 */
export const recordings: Readonly<Record<string, { parts: Parts; ideal: number; ahead: number }>> =
  {
    "buffer_head-6.12.delalloc.1024": { parts: { [SHORT]: 295 }, ideal: 189, ahead: 0 },
    "buffer_head-6.12.delalloc.4096": { parts: {}, ideal: 0, ahead: 0 },
    "buffer_head-6.18.delalloc.1024": {
      parts: { [SHORT]: 351, [MOVES]: 172 },
      ideal: 289,
      ahead: 6,
    },
    "buffer_head-6.18.delalloc.4096": {
      parts: { [SHORT]: 351, [MOVES]: 150 },
      ideal: 234,
      ahead: 5,
    },
    "buffer_head-6.18.nodelalloc.1024": {
      parts: { [MOVES]: 172, [FREES]: 16 },
      ideal: 91,
      ahead: 6,
    },
    "buffer_head-6.18.nodelalloc.4096": {
      parts: { [MOVES]: 150, [FREES]: 14 },
      ideal: 89,
      ahead: 5,
    },
    "iomap-v1-as-posted.delalloc.1024": { parts: { [NOT_NEW]: 347 }, ideal: 296, ahead: 25 },
    "iomap-v1-as-posted.delalloc.4096": { parts: { [NOT_NEW]: 345 }, ideal: 271, ahead: 25 },
    "iomap-v1-as-posted.nodelalloc.1024": { parts: {}, ideal: 0, ahead: 25 },
    "iomap-v1-as-posted.nodelalloc.4096": { parts: {}, ideal: 0, ahead: 25 },
    "iomap-v1-release-fixed.delalloc.1024": { parts: {}, ideal: 0, ahead: 25 },
    "iomap-v1-release-fixed.delalloc.4096": { parts: {}, ideal: 0, ahead: 25 },
    "iomap-v2-as-posted.delalloc.1024": { parts: { [NOT_NEW]: 347 }, ideal: 296, ahead: 1 },
    "iomap-v2-as-posted.delalloc.4096": { parts: { [NOT_NEW]: 345 }, ideal: 272, ahead: 1 },
    "iomap-v2-as-posted.nodelalloc.1024": { parts: {}, ideal: 0, ahead: 1 },
    "iomap-v2-as-posted.nodelalloc.4096": { parts: {}, ideal: 0, ahead: 1 },
  };

/** Folder of what a kernel did with every kind of operation, ending in "/". */
export const ownRecordingsFolder = `${recordingsFolder}all-operations/`;

/** The steps of a recording, and in how many cases each deviation had a part. */
export interface OwnRecording {
  cases?: number;
  steps: number;
  parts: Parts;
}

/** The recordings of every kind of operation, 300 cases each where they do not say how many. */
export const ownRecordings: Readonly<Record<string, OwnRecording>> = {
  "buffer_head-6.18.1k-delalloc": { steps: 2470, parts: { [SHORT]: 168, [MOVES]: 66 } },
  "buffer_head-6.18.1k-nodelalloc": { steps: 2470, parts: { [FREES]: 5, [MOVES]: 66 } },
  "buffer_head-6.18.4k-delalloc": { steps: 2470, parts: { [SHORT]: 168, [MOVES]: 57 } },
  "buffer_head-6.18.4k-dioread-lock": { steps: 2470, parts: { [SHORT]: 168, [MOVES]: 57 } },
  "buffer_head-6.18.4k-nodelalloc": { steps: 2470, parts: { [FREES]: 5, [MOVES]: 57 } },
  "buffer_head-7.3-small-folios.1k-nodelalloc": { steps: 3572, parts: { [FREES]: 7, [MOVES]: 70 } },
  "buffer_head-7.3-small-folios.4k-delalloc": { steps: 3572, parts: { [SHORT]: 176, [MOVES]: 50 } },
  "buffer_head-7.3.4k-delalloc": { steps: 3572, parts: { [SHORT]: 176, [MOVES]: 64 } },
  "buffer_head-7.3.4k-nodelalloc": { steps: 3572, parts: { [FREES]: 8, [MOVES]: 64 } },
  "iomap-7.4-dev-small-folios.1k-delalloc": { cases: 400, steps: 3479, parts: {} },
  "iomap-7.4-dev-small-folios.1k-nodelalloc": { cases: 400, steps: 3479, parts: {} },
  "iomap-7.4-dev.1k-delalloc": { steps: 2470, parts: {} },
  "iomap-7.4-dev.4k-delalloc": { steps: 2470, parts: {} },
  "iomap-7.4-dev.4k-nodelalloc": { steps: 2470, parts: {} },
};

/** Folder of what a kernel did with all that a run generates (version 3), ending in "/". */
export const everythingFolder = `${recordingsFolder}everything/`;

/** What a recording of all that a run generates shows. */
export interface Everything extends OwnRecording {
  /** In how many cases which promise is broken, without the model and with nothing excused. */
  broken: Parts;
  /** The contract alone judges it. */
  promised?: true;
}

/** What SHORT and MOVES break. */
const delayedTooLong = (pastEof: number, afterWrite: number, moved: number, afterSync: number) => ({
  "nothing-delayed-past-eof": pastEof,
  "released-after-short-write": afterWrite,
  "size-follows-writes": moved,
  "nothing-delayed-after-sync": afterSync,
});

/** The recordings of all that a run generates, 60 cases each. */
export const everything: Readonly<Record<string, Everything>> = {
  "buffer_head-6.18.1k-delalloc": {
    steps: 493,
    parts: { [SHORT]: 33, [MOVES]: 12 },
    broken: delayedTooLong(15, 12, 6, 3),
  },
  "buffer_head-6.18.4k-delalloc": {
    steps: 493,
    parts: { [SHORT]: 33, [MOVES]: 11 },
    broken: delayedTooLong(11, 9, 6, 3),
  },
  "buffer_head-6.18.4k-full": {
    steps: 494,
    parts: { [MOVES]: 0 },
    broken: { "size-follows-writes": 3 },
    promised: true,
  },
  "buffer_head-6.18.4k-nodelalloc": {
    steps: 495,
    parts: { [MOVES]: 10, [DIRTY]: 1 },
    broken: { "size-follows-writes": 6 },
  },
  "buffer_head-6.18.4k-thin": {
    steps: 497,
    parts: { [SHORT]: 32, [MOVES]: 9 },
    broken: delayedTooLong(11, 9, 4, 3),
  },
  "iomap-7.4-dev-small-folios.1k-nodelalloc": { steps: 527, parts: {}, broken: {} },
  "iomap-7.4-dev-small-folios.4k-thin": {
    steps: 477,
    parts: { [DIRECT]: 1 },
    broken: { "allocated-stays": 1 },
  },
  "iomap-7.4-dev.1k-delalloc": { steps: 478, parts: {}, broken: {} },
  "iomap-7.4-dev.4k-delalloc": { steps: 478, parts: {}, broken: {} },
};
