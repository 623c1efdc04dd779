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

const head = { format: "ext4-conform doctor", version: 1 } as const;

/** What a kernel can be seen by, and made to do; in words. */
const ABILITIES = {
  cacheIoctl: "extent status cache can be read",
  cachestat: "page cache can be counted (cachestat)",
  kernelLog: "kernel log can be read",
  pausedWrites: "writes can be paused (userfaultfd)",
  failNth: "allocations can fail (fail-nth)",
  bufferedIomap: "buffered_iomap is offered",
} as const;

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
    return { ...head, canRun: false, lacks: { reason, message, remedy } };
  }
}

const yesNo = (value: boolean): string => (value ? "yes" : "no");

type Fact = readonly [what: string, is: boolean];

/** Facts below a heading, and an empty line. */
const factLines = (facts: readonly Fact[]): string[] => [
  ...facts.map(([what, is]) => `  ${what.padEnd(58)} ${yesNo(is)}`),
  "",
];

function examinedText({ lacks, kernel, abilities: able, changes: shown = [] }: Examined): string {
  if (lacks !== undefined) {
    return `The main job cannot run here: ${lacks.message}.\n${lacks.remedy}\n`;
  }
  const { bufferedIomap, ...others } = able!;
  const here = abilities.flatMap((name): Fact[] =>
    name === "bufferedIomap" ? [] : [[ABILITIES[name], others[name]]],
  );
  const does = shown.map((one): Fact => [one.does, one.shown]);
  return [
    `kernel ${kernel!.release} ${kernel!.machine}\n`,
    "what can be seen and done here (the checks go without what cannot)",
    ...factLines([["own ext4 can be made and mounted", true], ...here]),
    "what this kernel does (the model follows it either way; neither is a fault)",
    ...factLines([[ABILITIES.bufferedIomap, bufferedIomap], ...does]),
    `The main job can run here: ${ownCommand(["run"])}\n`,
  ].join("\n");
}

/** Print it; 0 where the main job can run here, 4 where it cannot. */
export async function doctor({ json }: { json: boolean }): Promise<ExitStatus> {
  const examined = await examine();
  process.stdout.write(json ? jsonText(examined) : examinedText(examined));
  return examined.canRun ? exitStatus.conforms : exitStatus.cannotRun;
}
