/**
 * Measuring side by side: every round runs everything once, each time beginning with another, so
 * that what else the machine does hits all alike. Medians over the rounds.
 */

export interface Task {
  name: string;
  /** Runs once; nanoseconds that it took, without its preparation. */
  run: () => number;
}

export const out = (text: string): void => void process.stdout.write(`${text}\n`);

export function nanoseconds(): number {
  return Number(process.hrtime.bigint());
}

/** How long `work` takes, nanoseconds. */
export function timed(work: () => void): number {
  const start = nanoseconds();
  work();
  return nanoseconds() - start;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The command is only to be seen to work, in seconds: what it measures says nothing. */
export const BRIEF = process.argv.includes("--brief");

/** Fewest rounds: a median of less says nothing. */
const MIN_ROUNDS = BRIEF ? 1 : 3;

/**
 * What each task took in each round, nanoseconds; the first round only warms up. Rounds until
 * `seconds` are over.
 */
export function rounds(tasks: readonly Task[], seconds: number): Map<string, number[]> {
  const took = new Map<string, number[]>(tasks.map(({ name }) => [name, []]));
  const end = performance.now() + seconds * 1000;
  for (let round = 0; round <= MIN_ROUNDS || performance.now() < end; round++) {
    for (let i = 0; i < tasks.length; i++) {
      const task = tasks[(round + i) % tasks.length] as Task;
      const ns = task.run();
      if (round > 0) took.get(task.name)?.push(ns);
    }
  }
  return took;
}

/** Columns of a table, the first one text and the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, c) => Math.max(...[head, ...rows].map((r) => (r[c] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((text, c) => (c === 0 ? text.padEnd(widths[c] ?? 0) : text.padStart(widths[c] ?? 0)))
      .join("  ");
  return [line(head), ...rows.map(line)].join("\n");
}
