/**
 * What holds a process that says nothing: the kernel, or something that is no business of the
 * kernel under test (it is stopped, it gets no time, it computes).
 *
 * Source: proc_pid_stat(5): the state, utime and stime in clock ticks;
 *           /proc/<pid>/task/<tid>/stack, which root may read.
 */
import { readFileSync, readdirSync } from "node:fs";

/**
 * Milliseconds between the two samples that are compared: long enough for a task that goes on to be
 * seen doing so.
 */
export const SAMPLE_MS = 2000;

/**
 * Of the clock ticks between two samples (100 a second), those in the kernel that make a task one
 * that does not come out of it, where it has none outside: a share of what there is, for it may not
 * have a processor of its own.
 */
const SPINNING_TICKS = 40;

/** A task at a moment. */
interface Sample {
  name: string;
  /** "D" is an uninterruptible sleep, "R" runs or wants to, "T" is stopped. */
  state: string;
  utime: number;
  stime: number;
  /** How often it gave the processor away or lost it. */
  switches: string;
}

/** Tasks of a process and of all that it started, by "pid/tid". */
export type Samples = Map<string, Sample>;

/** What is seen of something that may be gone by now, or nothing. */
function unlessGone<T>(look: () => T, nothing: T): T {
  try {
    return look();
  } catch {
    return nothing;
  }
}

/** What a file of /proc or /sys says; nothing where what it is of is gone. */
export const textOf = (file: string): string => unlessGone(() => readFileSync(file, "latin1"), "");

const namesIn = (folder: string): string[] => unlessGone(() => readdirSync(folder), []);

/**
 * The fields of a stat file from the state on; the name before them stands in parentheses and may
 * hold anything.
 */
function statOf(file: string): { name: string; fields: string[] } | undefined {
  const text = textOf(file);
  const end = text.lastIndexOf(")");
  if (end < 0) return undefined;
  return { name: text.slice(text.indexOf("(") + 1, end), fields: text.slice(end + 2).split(" ") };
}

/** Pids of a process and of all that it started and that still run. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of namesIn("/proc").filter((one) => /^\d+$/.test(one))) {
    const parent = Number(statOf(`/proc/${name}/stat`)?.fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [root];
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i]!) ?? []));
  return tree;
}

/** What a process and all that it started do now. */
export function sampleTasks(root: number): Samples {
  const samples: Samples = new Map();
  for (const pid of treeOf(root)) {
    for (const tid of namesIn(`/proc/${pid}/task`)) {
      const stat = statOf(`/proc/${pid}/task/${tid}/stat`);
      if (stat === undefined) continue;
      const { name, fields } = stat;
      const status = textOf(`/proc/${pid}/task/${tid}/status`);
      const switches = status.match(/^\w*voluntary_ctxt_switches:.*$/gm)?.join() ?? "";
      const [utime, stime] = [Number(fields[11]), Number(fields[12])];
      samples.set(`${pid}/${tid}`, { name, state: fields[0]!, utime, stime, switches });
    }
  }
  return samples;
}

/** Whether a process is stopped, by a signal or by who traces it. */
export function isStopped(pid: number): boolean {
  return /^[Tt]$/.test(statOf(`/proc/${pid}/stat`)?.fields[0] ?? "");
}

/**
 * What the kernel holds of the tasks in two samples, SAMPLE_MS apart, in the words of the kernel's
 * own detector of hung tasks, each with its stack: those that sleep there and have not been woken,
 * and those that run there and do not come out. Empty where it holds none.
 */
export function heldByKernel(before: Samples, after: Samples): string[] {
  return [...after].flatMap(([id, now]) => {
    const then = before.get(id);
    if (then === undefined) return [];
    const asleep = now.state === "D" && then.state === "D" && now.switches === then.switches;
    const spins = now.utime === then.utime && now.stime - then.stime >= SPINNING_TICKS;
    if (!asleep && !spins) return [];
    const how = asleep ? "is blocked in" : "runs and does not come out of";
    const stack = textOf(`/proc/${id.replace("/", "/task/")}/stack`)
      .trimEnd()
      .split("\n");
    return [`task ${now.name}:${id.split("/")[1]} ${how} the kernel`, ...stack];
  });
}
