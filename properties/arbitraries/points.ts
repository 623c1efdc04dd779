/**
 * Points: the byte positions at which the operations of a case begin and end.
 *
 * What makes a case fail is mostly how its operations lie relative to one another. So besides
 * simplifying single operations, the shrinker moves whole points: every operation that begins or
 * ends at a position moves with it.
 */
import type { DuringOperation, Operation } from "../../harness/operations/operation.ts";

/** Add the points of `operation` to `to`. */
function collect(operation: Operation, to: Set<number>): void {
  switch (operation.op) {
    case "pwrite":
      to.add(operation.pos).add(operation.pos + operation.len);
      if (operation.readable < operation.len) to.add(operation.pos + operation.readable);
      if (operation.limit !== undefined) to.add(operation.limit);
      return;
    case "direct_write":
      to.add(operation.pos).add(operation.pos + operation.len);
      if (operation.readable < operation.len) to.add(operation.pos + operation.readable);
      return;
    case "mmap_write":
    case "pread":
    case "direct_read":
    case "sync_file_range":
    case "fallocate":
      to.add(operation.pos).add(operation.pos + operation.len);
      return;
    case "ftruncate":
      to.add(operation.size);
      return;
    case "paused_write":
      to.add(operation.pos).add(operation.pos + operation.len);
      to.add(operation.pos + operation.pause_at);
      for (const one of operation.during) collect(one, to);
      return;
    case "fsync":
    case "drop_cache":
    case "power_cut":
    case "unlink":
    case "other_file":
      return;
  }
}

/** All points of a case, ascending, each once. */
export function pointsOf(operations: readonly Operation[]): number[] {
  const points = new Set<number>();
  for (const operation of operations) collect(operation, points);
  return [...points].toSorted((a, b) => a - b);
}

/** `operation` with its points moved, or undefined where nothing of its range is left. */
export function moveOperation(
  operation: Operation,
  move: (point: number) => number,
): Operation | undefined {
  switch (operation.op) {
    case "pwrite": {
      const pos = move(operation.pos);
      const len = move(operation.pos + operation.len) - pos;
      const whole = operation.readable === operation.len;
      const readable = whole ? len : move(operation.pos + operation.readable) - pos;
      if (len < 1 || readable < 0 || readable > len) return undefined;
      const { limit } = operation;
      return {
        ...operation,
        pos,
        len,
        readable,
        ...(limit === undefined ? {} : { limit: move(limit) }),
      };
    }
    case "direct_write": {
      const pos = move(operation.pos);
      const len = move(operation.pos + operation.len) - pos;
      const whole = operation.readable === operation.len;
      const readable = whole ? len : move(operation.pos + operation.readable) - pos;
      if (len < 1 || readable < 0 || readable > len) return undefined;
      return { ...operation, pos, len, readable };
    }
    case "mmap_write":
    case "pread":
    case "direct_read":
    case "sync_file_range":
    case "fallocate": {
      const pos = move(operation.pos);
      const len = move(operation.pos + operation.len) - pos;
      return len < 1 ? undefined : { ...operation, pos, len };
    }
    case "ftruncate":
      return { op: "ftruncate", size: move(operation.size) };
    case "paused_write":
      return movePaused(operation, move);
    case "fsync":
    case "drop_cache":
    case "power_cut":
    case "unlink":
    case "other_file":
      return operation;
  }
}

function movePaused(
  operation: Extract<Operation, { op: "paused_write" }>,
  move: (point: number) => number,
): Operation | undefined {
  const pos = move(operation.pos);
  const len = move(operation.pos + operation.len) - pos;
  const pause_at = move(operation.pos + operation.pause_at) - pos;
  const during = moveAll(operation.during, move) as DuringOperation[] | undefined;
  if (len < 1 || pause_at < 0 || pause_at >= len || during === undefined) return undefined;
  return { ...operation, pos, len, pause_at, during };
}

/** The case with all points moved; undefined where an operation would be left without a range. */
export function moveAll(
  operations: readonly Operation[],
  move: (point: number) => number,
): Operation[] | undefined {
  const moved: Operation[] = [];
  for (const operation of operations) {
    const one = moveOperation(operation, move);
    if (one === undefined) return undefined;
    moved.push(one);
  }
  return moved;
}

/**
 * Ways to move points together, the most promising first: all of them onto block boundaries; the
 * empty and the dull stretches between them shortened; single points rounded.
 */
export function* moves(points: readonly number[], unit: number): Generator<(p: number) => number> {
  const down = (p: number): number => Math.floor(p / unit) * unit;
  const up = (p: number): number => Math.ceil(p / unit) * unit;
  yield down;
  yield (p) => Math.round(p / unit) * unit;
  yield up;
  yield spread(points, down, unit);
  yield spread(points, up, unit);
  let before = 0;
  for (const point of points) {
    const gap = point - before;
    const start = before;
    for (const kept of keptGaps(gap, unit)) {
      yield (p) => (p <= start ? p : p >= point ? p - gap + kept : Math.min(p, start + kept));
    }
    before = point;
  }
  for (const point of points) {
    if (point % unit === 0) continue;
    for (const to of [down(point), up(point), Math.floor(point / 512) * 512]) {
      yield (p) => (p === point ? to : p);
    }
  }
}

/**
 * Every point onto a block boundary, and no two onto the same one, so that nothing between them
 * vanishes.
 */
function spread(
  points: readonly number[],
  round: (p: number) => number,
  unit: number,
): (p: number) => number {
  const to = new Map<number, number>();
  let least = 0;
  for (const point of points) {
    const at = Math.max(least, round(point));
    to.set(point, at);
    least = at + unit;
  }
  return (p) => to.get(p) ?? round(p);
}

/**
 * Shorter stretches to try instead of one of `gap` bytes. Whole blocks come off first, so what
 * follows stays aligned.
 */
function* keptGaps(gap: number, unit: number): Generator<number> {
  const rest = gap % unit;
  yield 0;
  if (rest > 0) yield rest;
  for (let cut = gap - rest; cut >= unit; cut = Math.floor(cut / 2 / unit) * unit) yield gap - cut;
  if (gap > unit) yield unit;
}
