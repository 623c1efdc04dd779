/**
 * Outcome: what a command came to, as plain data, of which every form of a report is made.
 *
 * It has one shape for all commands, since whoever collects reports wants one. The file of `run
 * --result` is another thing: `merge` reads it again and adds it up, so it holds all that a run
 * counts, found and cannot derive, and nothing that is there to be read; no other command has it.
 */
import { hostname } from "node:os";
import * as z from "zod";
import { patchLinesSchema } from "../coverage/patch-lines.ts";
import { count, text } from "../finding/recorded.ts";
import { SEVERITIES } from "../finding/severity.ts";
import { packageVersion } from "../host/package.ts";
import { foundSchema } from "../stored/result.ts";

/** What every outcome begins with. */
const head = { format: "ext4-conform outcome", version: 1 } as const;

const seconds = z.number().min(0);

const kernelSchema = z.strictObject({
  release: text.describe("uname -r"),
  machine: text.exactOptional().describe("What it runs on, as Node.js calls it: x64"),
  kind: text.exactOptional().describe("this machine's, user-mode Linux, bzImage"),
  what: text.exactOptional().describe("As the user named it: host, or the path of a file"),
  series: text.exactOptional().describe("Of a recording: the patches on top of it, in words"),
});

const findingSchema = z.strictObject({
  ...foundSchema.shape,
  severity: z.enum(SEVERITIES).describe("What it means to whoever has data there"),
  counterexample: text.exactOptional().describe("File of the stored case; absent where none is"),
  command: text.describe("The command that shows it again, as a shell takes it"),
  report: z.string().describe("What is printed of it for people, without colour"),
});

export type Finding = z.infer<typeof findingSchema>;

/** What became of a subtest. */
const STATUSES = ["pass", "fail", "not-reproduced", "incomplete", "not-run"] as const;

/** What is counted, each only where there is such a thing. */
const COUNTED = [
  "cases",
  "tries",
  "operations",
  "files",
  "states",
  "edges",
  "driven",
  "diverged",
  "behind",
  "unreached",
  "steps",
  "compared",
  "mapsChanged",
] as const;

const subtestSchema = z.strictObject({
  name: text.describe("Of the variant, or path of the recording or the stored case"),
  status: z
    .enum(STATUSES)
    .describe(
      "fail: a finding that showed again; not-reproduced: one that a fresh image did not show " +
        "again; incomplete: nothing found before it was ended; not-run: never begun",
    ),
  reason: text.exactOptional().describe("Why it has that status, where findings do not say it"),
  path: text.exactOptional().describe("What writes took: buffer_head or iomap"),
  mkfsOptions: text.exactOptional().describe("Of mkfs.ext4, as MKFS_OPTIONS of xfstests has them"),
  mountOptions: text.exactOptional().describe("As in /proc/self/mounts"),
  promised: text.exactOptional().describe("Why the contract alone judged it; else the model did"),
  kernel: kernelSchema.exactOptional().describe("Of a recording"),
  seconds,
  counts: z.partialRecord(z.enum(COUNTED), count),
  deviations: z.record(text, count).describe("Cases with a part in a known deviation, by its id"),
  findings: z.array(findingSchema).describe("The worst first"),
});

export type Subtest = z.infer<typeof subtestSchema>;

/** Of one that has not begun. */
export const NO_SUBTEST = {
  status: "not-run",
  seconds: 0,
  counts: {},
  deviations: {},
  findings: [],
} as const satisfies Partial<Subtest>;

const endSchema = z.strictObject({
  by: z
    .enum(["signal", "kernel", "machine", "error"])
    .describe("kernel: it went down or hung; machine: it cannot, a skip; error: a bug of the tool"),
  message: text,
});

export const outcomeSchema = z
  .strictObject({
    format: z.literal(head.format),
    version: z.literal(head.version),
    tool: text.describe("Version of the tool"),
    command: z.enum(["run", "explore", "compare", "replay", "trace check"]),
    host: text.describe("Name of the machine"),
    started: z.iso.datetime(),
    seconds,
    kernel: kernelSchema.exactOptional().describe("Absent where it never answered, or none ran"),
    baseline: kernelSchema.exactOptional().describe("Of compare, where kernel is the candidate"),
    seed: z.int().exactOptional().describe("Of generated cases"),
    strict: z.boolean().describe("Known deviations count as divergences"),
    verdict: z.enum(["conforms", "diverges", "not-reproduced", "incomplete"]),
    endedEarly: endSchema.exactOptional().describe("What ended it before its time"),
    subtests: z.array(subtestSchema),
    met: z
      .record(text, count)
      .exactOptional()
      .describe("How often each kind of operation met each state of blocks, by kind|state"),
    patch: patchLinesSchema.exactOptional().describe("Which of the lines of a patch ran"),
  })
  .describe("What a command of ext4-conform came to");

export type Outcome = z.infer<typeof outcomeSchema>;
export type Command = Outcome["command"];
export type EarlyEnd = z.infer<typeof endSchema>;

/** What somebody knows who makes an outcome; the rest follows. */
export interface OutcomeParts extends Pick<
  Outcome,
  "command" | "kernel" | "baseline" | "seed" | "endedEarly" | "subtests" | "met"
> {
  strict?: boolean;
  /** performance.now() at its beginning. */
  started: number;
}

function verdictOf(subtests: readonly Subtest[], endedEarly?: EarlyEnd): Outcome["verdict"] {
  const some = (status: Subtest["status"]): boolean =>
    subtests.some((subtest) => subtest.status === status);
  if (some("fail")) return "diverges";
  if (some("not-reproduced")) return "not-reproduced";
  const isWhole = endedEarly === undefined && !some("incomplete");
  return isWhole && some("pass") ? "conforms" : "incomplete";
}

/** The outcome of a command that ends now. */
export function outcomeOf({ started, strict = false, ...parts }: OutcomeParts): Outcome {
  const { command, subtests, endedEarly, ...others } = parts;
  return {
    ...head,
    tool: packageVersion(),
    command,
    host: hostname(),
    started: new Date(performance.timeOrigin + started).toISOString(),
    seconds: (performance.now() - started) / 1000,
    ...others,
    strict,
    verdict: verdictOf(subtests, endedEarly),
    ...(endedEarly && { endedEarly }),
    subtests,
  };
}

/** The same of one that was ended. What has said so itself stays as it is. */
export function endedBy(outcome: Outcome, endedEarly: EarlyEnd): Outcome {
  if (outcome.endedEarly !== undefined) return outcome;
  return { ...outcome, verdict: verdictOf(outcome.subtests, endedEarly), endedEarly };
}

/**
 * In a line: what a person must know of why it is what it is; undefined where nothing is to say.
 */
export function reasonOf({ status, reason, findings }: Subtest): string | undefined {
  const [worst, ...others] = findings.filter(({ accepted }) => accepted === undefined);
  if (worst === undefined) return reason;
  const more = others.length === 0 ? "" : `; and ${others.length} more`;
  const once = status === "not-reproduced" ? "a fresh image did not show again: " : "";
  return `${once}${worst.severity}: ${worst.divergence.message}${more}`;
}

/** "ext4-conform 0.1.0 run, kernel 6.18.44 x64, seed 7" */
export function titleOf({ tool, command, kernel, baseline, seed, strict }: Outcome): string {
  const named = ({ release, machine }: NonNullable<typeof kernel>): string =>
    `kernel ${release}${machine === undefined ? "" : ` ${machine}`}`;
  const facts = [
    ...(kernel === undefined ? [] : [named(kernel)]),
    ...(baseline === undefined ? [] : [`against ${named(baseline)}`]),
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...(strict ? ["strict"] : []),
  ];
  return [`ext4-conform ${tool} ${command}`, ...facts].join(", ");
}

/** "cases=501 operations=5817" */
export function countsText({ counts }: Subtest): string {
  return COUNTED.flatMap((name) =>
    counts[name] === undefined ? [] : [`${name}=${counts[name]}`],
  ).join(" ");
}
