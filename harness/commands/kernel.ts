/**
 * `ext4-conform kernel config` and `kernel build`.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { configGroups } from "../../images/kernel-config.ts";
import type { Arch } from "../../images/kernel-config.ts";
import { exitStatus } from "../host/exit-status.ts";
import { UsageError } from "../case/failure.ts";
import { fileWord, ownCommand } from "../host/own-command.ts";
import { buildKernel, cacheFolder, kernelPlace } from "../kernel-build/build.ts";
import type { Built } from "../kernel-build/build.ts";
import { fragmentOf } from "../kernel-build/config.ts";
import { debianSource } from "../kernel-build/debian.ts";
import { kernelTree, patchFiles } from "../kernel-build/source.ts";
import { say } from "../text/say.ts";
import { addHelpAfter, integer } from "./arguments.ts";

const archOption = (): Option =>
  new Option("--arch <name>", "um is a program, needs no virtual machine and boots fastest")
    .choices(["um", "x86_64"])
    .default("um");

const coverageOption = ["--coverage", "with gcov over fs/ext4 and fs/iomap"] as const;

interface BuildArguments {
  source: string;
  patches?: string;
  arch: Arch;
  coverage: boolean;
  config: string[];
  out: string;
  jobs: number;
}

/** "debian", "debian:6.12", or a folder. */
function treeOf(source: string): Promise<string> | string {
  const debian = /^debian(?::(.+))?$/.exec(source);
  if (debian === null || existsSync(source)) return kernelTree(source);
  return debianSource(debian[1], cacheFolder());
}

function summary(
  { out, release, seconds, objects, refused, objectFolder }: Built,
  coverage: boolean,
): string {
  const names = refused.map(({ name }) => `CONFIG_${name}`);
  return [
    ...(names.length === 0 ? [] : [`note: this kernel does not have ${names.join(", ")}`]),
    `${out}: Linux ${release}, ${objects} objects in ${seconds.toFixed(0)} s`,
    ...(coverage ? [`objects for gcov: ${objectFolder}`] : []),
    `Try it: ${ownCommand(["run", "--kernel", fileWord(out)])}`,
    "",
  ].join("\n");
}

async function build(options: BuildArguments): Promise<void> {
  const { patches, config: configs, source, ...rest } = options;
  const missing = configs.find((file) => !existsSync(file));
  if (missing !== undefined) throw new UsageError(`there is no configuration ${missing}`);
  const files = patches === undefined ? [] : patchFiles(patches);
  // Before a tree is fetched, which takes minutes.
  kernelPlace(options.out);
  const tree = await treeOf(source);
  const built = await buildKernel({ ...rest, tree, patches: files, configs });
  say(summary(built, options.coverage));
  process.exitCode = exitStatus.conforms;
}

const append = (value: string, before: string[]): string[] => [...before, value];

/** Adds the commands. */
export function addKernelCommands(program: Command): void {
  const kernel = program.command("kernel").description("configure and build kernels to test");
  kernel
    .command("config")
    .description(
      "print the configuration fragment that a kernel under test needs, with the reasons",
    )
    .addOption(archOption())
    .option(...coverageOption, false)
    .action(({ arch, coverage }: { arch: Arch; coverage: boolean }) => {
      process.stdout.write(fragmentOf(configGroups(arch, coverage)));
    });
  kernel
    .command("build")
    .description("build one from a source tree, which is left as it is; needs no root")
    .requiredOption(
      "--source <dir>",
      "a kernel tree; or debian, or debian:6.12: the distribution's own source",
    )
    .requiredOption("--out <file>", "where the kernel goes")
    .option("--patches <path>", "a folder of patches, in the order of their names, or a mailbox")
    .addOption(archOption())
    .option(...coverageOption, false)
    .option("--config <file>", "a fragment of your own; may be given again, and wins", append, [])
    .addOption(
      new Option("--jobs <n>", "for make")
        .argParser(integer(1, 1024))
        .default(availableParallelism(), "one for each processor"),
    )
    .action(build);
  addHelpAfter(
    kernel,
    `\nA tree can have at most one build at a time. Objects are kept in ${join("~", ".cache")}.`,
  );
}
