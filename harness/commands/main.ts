#!/usr/bin/env node
/**
 * The program: a command carried out, errors to one line and an exit status.
 */
import { constants } from "node:os";
import { CommanderError } from "commander";
import { EnvironmentError, Interrupted, ReaderGone, UsageError, lackOf } from "../case/failure.ts";
import { existsSync } from "node:fs";
import { exitStatus } from "../host/exit-status.ts";
import { ownCommand, ownSudoCommand } from "../host/own-command.ts";
import { DEBIAN_UML } from "./capabilities.ts";
import { BuildError } from "../kernel-build/build-error.ts";
import { endBySignal, whenSignalled } from "../system/undo.ts";
import { complain, outliveStreams } from "../text/say.ts";
import { keepSafe, printable } from "../text/terminal.ts";
import { listBySpaces } from "./arguments.ts";
import { program } from "./cli.ts";

/** The same command as root, and in a guest, which takes none; empty where that is not what lacks. */
function otherwise({ reason }: EnvironmentError): string {
  if (reason !== "not-root") return "";
  const words = process.argv.slice(2);
  const asRoot = `As root:\n  ${ownSudoCommand(words)}\n`;
  const takesKernel = program.commands
    .find((one) => one.name() === words[0])
    ?.options.some(({ long }) => long === "--kernel");
  if (takesKernel !== true) return asRoot;
  const kernel = ["--kernel", DEBIAN_UML];
  const install = existsSync(DEBIAN_UML) ? [] : ["  sudo apt-get install user-mode-linux"];
  const command = ownCommand([words[0]!, ...kernel, ...words.slice(1)]);
  return [`${asRoot}Without root:`, ...install, `  ${command}`, ""].join("\n");
}

/** `help kernel build` as `kernel build --help`: commander's own takes one word. */
function helpAsOption([help, ...words]: readonly string[]): string[] {
  const all = help === undefined ? [] : [help, ...words];
  return help === "help" && words.length > 1 ? [...words, "--help"] : all;
}

/** One line for what went wrong; the exit status that says whose business it is. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? exitStatus.conforms : exitStatus.usage;
  }
  if (error instanceof ReaderGone) return exitStatus.readerGone;
  if (error instanceof UsageError) {
    complain(`ext4-conform: ${printable(error.message)}\n`);
    return exitStatus.usage;
  }
  if (error instanceof BuildError) {
    complain(`ext4-conform: the kernel was not built: ${error.message}\n`);
    return exitStatus.notBuilt;
  }
  const lack = error instanceof EnvironmentError ? error : lackOf(error);
  if (lack !== undefined) {
    complain(`SKIP: ${lack.message}. ${lack.remedy}\n${otherwise(lack)}`);
    return exitStatus.cannotRun;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`ext4-conform: a bug of this tool, please report it\n${text}\n`);
  return exitStatus.ourBug;
}

whenSignalled(undefined);
keepSafe(process.stdout);
keepSafe(process.stderr);

// After what undoes things at the end, which may have something to say.
outliveStreams();

try {
  await program.parseAsync(helpAsOption(process.argv.slice(2)), { from: "user" });
} catch (error) {
  if (error instanceof Interrupted) {
    endBySignal(error.signal);
    // It comes when the kernel delivers it.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    // It never does to the first process of a container, which then ends as a shell says it did.
    process.exit(128 + constants.signals[error.signal]);
  }
  process.exitCode = explain(error);
}
if (process.exitCode === exitStatus.usage) complain(listBySpaces(process.argv.slice(2)));
// Not left to the event loop: a worker that the kernel holds in a system call would keep it alive.
process.exit();
