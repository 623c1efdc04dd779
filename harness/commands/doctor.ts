/**
 * `ext4-conform doctor`: what this machine and its kernel can do.
 */
import * as z from "zod";
import { changeNames, changes } from "../../model/kernels/changes.ts";
import type { Change } from "../../model/kernels/changes.ts";
import { exitStatus } from "../host/exit-status.ts";
import type { ExitStatus } from "../host/exit-status.ts";
import { EnvironmentError } from "../case/failure.ts";
import { failNth } from "../system/fail-nth.ts";
import { pausedWriter } from "../system/paused-writer.ts";
import { jsonText } from "../report/json.ts";
import { probeKernel } from "../subjects/probe.ts";
import { ownCommand } from "../host/own-command.ts";
import { columns, say } from "../text/say.ts";
import { beside } from "../text/wrap.ts";
import { capabilities } from "./capabilities.ts";
import type { Capability } from "./capabilities.ts";

const head = { format: "ext4-conform doctor", version: 1 } as const;

/** What a kernel can be seen by, and made to do; in words. */
const ABILITIES = {
  cacheIoctl: "the extent status cache, by EXT4_IOC_GET_ES_CACHE",
  cachestat: "how many pages of a file are cached, and dirty, by cachestat(2)",
  kernelLog: "the kernel's log, for what it complains of",
  pausedWrites: "writes that sleep in a page fault, by userfaultfd(2)",
  failNth: "allocations that fail, by /proc/self/fail-nth",
  bufferedIomap: "offers the mount option buffered_iomap, so the path is iomap",
} as const;

/** By what the kernel is seen; the others are among the capabilities, or what it does. */
const LOOKS = ["cacheIoctl", "cachestat", "kernelLog"] as const;

type Ability = keyof typeof ABILITIES;
const abilities = Object.keys(ABILITIES) as Ability[];

export const examinedSchema = z
  .strictObject({
    format: z.literal(head.format),
    version: z.literal(head.version),
    canRun: z.boolean().describe("The main job can run here"),
    lacks: z
      .strictObject({ reason: z.string(), message: z.string(), remedy: z.string() })
      .exactOptional()
      .describe("What keeps it from that"),
    kernel: z
      .strictObject({ release: z.string(), machine: z.string() })
      .exactOptional()
      .describe("Absent where it cannot run"),
    capabilities: z
      .array(
        z.strictObject({
          name: z.string(),
          is: z.boolean(),
          lacks: z.string().exactOptional().describe("Why not"),
          command: z.string().describe("What does it, or brings what it lacks"),
        }),
      )
      .describe("What can be done here"),
    abilities: z.record(z.enum(abilities), z.boolean()).exactOptional(),
    changes: z
      .array(z.strictObject({ name: z.enum(changeNames), does: z.string(), shown: z.boolean() }))
      .exactOptional()
      .describe("What kernels do differently, and whether this one was seen to"),
  })
  .describe("What ext4-conform finds this machine and its kernel able to do");

type Examined = z.infer<typeof examinedSchema>;

/** What this machine can do, and its kernel does. */
async function examine(): Promise<Examined> {
  try {
    const { release, machine, ...traits } = await probeKernel();
    const asked = changeNames.filter((name) => {
      const { path, recorded }: Change = changes[name];
      return !recorded && (path !== "iomap" || traits.bufferedIomap);
    });
    const { cacheIoctl, cachestat, kernelLog, bufferedIomap } = traits;
    const pausedWrites = pausedWriter() !== undefined;
    const canFail = failNth() !== undefined;
    const able = {
      cacheIoctl,
      cachestat,
      kernelLog,
      pausedWrites,
      failNth: canFail,
      bufferedIomap,
    };
    return {
      ...head,
      canRun: true,
      kernel: { release, machine },
      capabilities: capabilities(undefined, able),
      abilities: able,
      changes: asked.map((name) => ({
        name,
        does: changes[name].does,
        shown: traits.changes.includes(name),
      })),
    };
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    const { reason, message, remedy } = error;
    return {
      ...head,
      canRun: false,
      lacks: { reason, message, remedy },
      capabilities: capabilities(error, undefined),
    };
  }
}

/** Behind yes or no, what it is about. */
const factLine = (what: string, is: boolean): string =>
  beside(is ? "yes" : "no", "yes".length, what, columns());

type Fact = readonly [what: string, is: boolean];

/** Facts below a heading, and an empty line. */
const factLines = (facts: readonly Fact[]): string[] => [
  ...facts.map(([what, is]) => factLine(what, is)),
  "",
];

/** What can be done, each with its command, and what cannot with that and why. */
const capabilityLines = (all: readonly Capability[]): string[] =>
  all.flatMap(({ name, is, lacks, command }) => [
    factLine(lacks === undefined ? name : `${name}: ${lacks}`, is),
    `         ${command}`,
  ]);

function kernelLines({ kernel, abilities: able, changes: shown = [] }: Examined): string[] {
  if (kernel === undefined || able === undefined) return [];
  const { bufferedIomap } = able;
  const seen = LOOKS.map((name): Fact => [ABILITIES[name], able[name]]);
  const does = shown.map((one): Fact => [one.does, one.shown]);
  return [
    `what kernel ${kernel.release} can be asked (what it cannot is not compared)`,
    ...factLines(seen),
    "what kernels do differently, and whether this one does (neither is a fault)",
    ...factLines([[ABILITIES.bufferedIomap, bufferedIomap], ...does]),
  ];
}

function examinedText(examined: Examined): string {
  const { lacks } = examined;
  return [
    "what can be done here: the command that does it, or brings what is missing",
    ...capabilityLines(examined.capabilities),
    "",
    ...kernelLines(examined),
    ...(lacks === undefined
      ? ["The kernel of this machine can be tested here:", `  ${ownCommand(["run"])}`]
      : [`The kernel of this machine cannot be tested here: ${lacks.message}.`, lacks.remedy]),
    "",
  ].join("\n");
}

/** Print it; 0 where the main job can run here, 4 where it cannot. */
export async function doctor({ json }: { json: boolean }): Promise<ExitStatus> {
  const examined = await examine();
  if (json) process.stdout.write(jsonText(examined));
  else say(examinedText(examined));
  return examined.canRun ? exitStatus.conforms : exitStatus.cannotRun;
}
