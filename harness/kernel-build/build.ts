/**
 * Building a kernel: configure, make, put the result where it is wanted. Objects stay in a cache
 * folder of their own, so that building again after a change takes seconds.
 *
 * Source: Documentation/kbuild/ (O=, ARCH=, KCONFIG_ALLCONFIG); scripts/Makefile.lib
 *         (GCOV_PROFILE_<object>.o, which a command line may set for each object, so that no
 *         Makefile needs changing).
 */
import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { execa } from "execa";
import type { Arch, ConfigGroup } from "../../images/kernel-config.ts";
import { configGroups } from "../../images/kernel-config.ts";
import { EnvironmentError, UsageError } from "../case/failure.ts";
import { lacksProgram, searchPath } from "../system/process.ts";
import { endsPrograms, endBySignal, undoAtExit } from "../system/undo.ts";
import { mustBeWritable, Output } from "../stored/output.ts";
import { LiveLine } from "../text/live-line.ts";
import { grouped } from "../text/numbers.ts";
import { BuildError } from "./build-error.ts";
import { fragmentOf, readConfig, refusedSymbols } from "./config.ts";
import type { Refused } from "./config.ts";
import { lockFolder } from "./lock.ts";
import { treeToBuild } from "./source.ts";

export interface BuildOptions {
  /** Absolute path of the tree. */
  tree: string;
  /** Patches to put on it, in this order. */
  patches: readonly string[];
  arch: Arch;
  coverage: boolean;
  /** Fragments of the user's, which win over ours. */
  configs: readonly string[];
  /** Where the kernel goes. */
  out: string;
  jobs: number;
}

export interface Built {
  out: string;
  release: string;
  seconds: number;
  /** Objects that were compiled. */
  objects: number;
  /** What was asked for in the configuration and this kernel does not have. */
  refused: readonly Refused[];
  /** Folder of the objects. */
  objectFolder: string;
}

/** What make is asked for, and where it puts it. */
const images: Readonly<Record<Arch, { target: string; file: string }>> = {
  um: { target: "linux", file: "linux" },
  x86_64: { target: "bzImage", file: "arch/x86/boot/bzImage" },
};

/** Folder of what is kept between builds. */
export function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const folder = join(base, "ext4-conform", "kernels");
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EnvironmentError(
      "no-space",
      `${folder} cannot be made: ${code}`,
      "Set XDG_CACHE_HOME to a folder that can be written to.",
    );
  }
  return folder;
}

/** One folder for each tree and way of building it. */
function folderFor({ tree, arch, coverage }: BuildOptions): string {
  const key = createHash("sha256")
    .update(JSON.stringify([tree, arch, coverage]))
    .digest("hex");
  const folder = join(cacheFolder(), `${basename(tree)}-${arch}-${key.slice(0, 12)}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

const PROGRAMS = ["make", "gcc", "ld", "flex", "bison", "bc", "git", "cp"];

/** Where the header lies that objtool is compiled with (package libelf-dev), on x86 only. */
const LIBELF = "/usr/include/libelf.h";

/** Packages of Debian that have all that a build takes. */
export const BUILD_PACKAGES = ["build-essential", "flex", "bison", "bc", "git", "libelf-dev"];

/** Programs and headers that a build takes and that are not here. */
export function missingForBuild(arch: Arch = "um"): string[] {
  const missing = PROGRAMS.filter((program) => lacksProgram(program) !== undefined);
  return arch === "x86_64" && !existsSync(LIBELF) ? [...missing, "libelf-dev"] : missing;
}

/** Throws EnvironmentError that names everything that is missing, with what to install. */
function mustHaveTools(arch: Arch): void {
  const missing = missingForBuild(arch);
  if (missing.length === 0) return;
  throw new EnvironmentError(
    "missing-program",
    `a kernel cannot be built here without ${missing.join(", ")}`,
    `On Debian: apt-get install ${BUILD_PACKAGES.join(" ")}.`,
  );
}

/** Values for make that profile the objects of fs/ext4 and fs/iomap. */
function profiled(tree: string): string[] {
  const sources = ["fs/ext4", "fs/iomap"].flatMap((folder) => readdirSync(join(tree, folder)));
  const names = sources.filter((name) => name.endsWith(".c")).map((name) => name.slice(0, -2));
  return [...new Set(names)].map((name) => `GCOV_PROFILE_${name}.o=y`);
}

/** What make says of an object that it makes; the rest (LD, GEN, DESCEND) goes by. */
const OBJECT = /^\s+(?:CC|AS)\s+(\S+)$/;

/** What is worth quoting of a build that failed. */
const FAILURE = /error:|undefined reference|No rule to make target|\*\*\* .*(?:Error|clean)/;

const countFile = (folder: string): string => join(folder, "count");

/** The most objects that a build of this folder made, as one from nothing does; 0 before any. */
function knownCount(folder: string): number {
  const file = countFile(folder);
  return existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
}

class Make {
  readonly #tree: string;
  readonly #options: BuildOptions;
  /** Folder of the objects. */
  readonly objects: string;
  readonly #log: string;
  readonly #line = new LiveLine(process.stderr);
  readonly #started = Date.now();
  readonly #errors: string[] = [];
  readonly #known: number;
  count = 0;

  constructor(tree: string, options: BuildOptions, folder: string) {
    this.#tree = tree;
    this.#options = options;
    this.objects = join(folder, "objects");
    this.#log = join(folder, "log");
    mkdirSync(this.objects, { recursive: true });
    this.#known = knownCount(folder);
  }

  /** Run make. Throws BuildError with what it complained of first. */
  async run(targets: readonly string[], env: Record<string, string> = {}): Promise<void> {
    const { arch, jobs } = this.#options;
    const args = ["-C", this.#tree, `O=${this.objects}`, `ARCH=${arch}`, `-j${jobs}`, ...targets];
    const PATH = searchPath().join(":");
    const make = execa("make", args, {
      reject: false,
      buffer: false,
      all: true,
      stdin: "ignore",
      cleanup: false,
      env: { ...env, LC_ALL: "C", PATH },
    });
    const stop = undoAtExit(() => void make.kill("SIGTERM"));
    const log = createWriteStream(this.#log, { flags: "a" });
    for await (const text of createInterface({ input: make.all })) {
      log.write(`${text}\n`);
      this.#hear(text);
    }
    const { exitCode, signal } = await make;
    stop();
    log.end();
    this.#line.end();
    if (endsPrograms(signal)) endBySignal(signal);
    if (exitCode === 0) return;
    const said = this.#errors.slice(0, 5).map((text) => `\n  ${text}`);
    throw new BuildError(`make ${targets[0]} failed${said.join("")}\n  all of it: ${this.#log}`);
  }

  #hear(text: string): void {
    if (FAILURE.test(text)) this.#errors.push(text);
    const object = OBJECT.exec(text)?.[1];
    if (object === undefined) return;
    this.count += 1;
    this.#line.show(() => {
      const seconds = Math.floor((Date.now() - this.#started) / 1000);
      const of = this.#known > this.count ? ` of at most ${grouped(this.#known)}` : "";
      return `[kernel build] ${grouped(this.count)}${of} objects, ${seconds} s: ${object}`;
    });
  }
}

/**
 * allnoconfig with the fragments. What this kernel does not have is returned, what it cannot do
 * without is thrown.
 */
async function configure(
  make: Make,
  options: BuildOptions,
  folder: string,
): Promise<readonly Refused[]> {
  const groups: ConfigGroup[] = configGroups(options.arch, options.coverage);
  const own = options.configs.map((file) => readFileSync(file, "utf8"));
  const users = new Set(own.flatMap((text) => [...readConfig(text).keys()]));
  const fragment = join(folder, "fragment");
  // The last value counts.
  writeFileSync(fragment, [fragmentOf(groups), ...own].join("\n"));
  const configFile = join(make.objects, ".config");
  const before = existsSync(configFile) ? readFileSync(configFile, "utf8") : "";
  await make.run(["allnoconfig"], { KCONFIG_ALLCONFIG: fragment });
  const config = readFileSync(configFile, "utf8");
  if (config === before) await make.run(["syncconfig"]);
  const refused = refusedSymbols(groups, config).filter(({ name }) => !users.has(name));
  const missing = refused.filter(({ required }) => required);
  if (missing.length === 0) return refused;
  const names = missing.map(({ name, reason }) => `CONFIG_${name} (${reason})`);
  throw new BuildError(`this kernel cannot be configured with ${names.join(", ")}`);
}

/**
 * Where a kernel is to go; its folder is made. Throws UsageError where no file can be put there.
 */
export function kernelPlace(path: string): Output {
  const out = resolve(path);
  mustBeWritable(dirname(out), "the kernel");
  const place = Output.open(out);
  if (place.isFile) return place;
  throw new UsageError(`${out} is no regular file: a kernel is one`);
}

/**
 * Build. Throws BuildError where the kernel does not build or a patch does not apply,
 * EnvironmentError where a tool is missing, UsageError where `out` cannot be written.
 */
export async function buildKernel(options: BuildOptions): Promise<Built> {
  const started = Date.now();
  mustHaveTools(options.arch);
  const out = resolve(options.out);
  const place = kernelPlace(out);
  const folder = folderFor(options);
  const unlock = lockFolder(folder);
  try {
    rmSync(join(folder, "log"), { force: true });
    const tree = await treeToBuild(options.tree, options.patches, folder);
    const make = new Make(tree, options, folder);
    const refused = await configure(make, options, folder);
    const { target, file } = images[options.arch];
    make.count = 0;
    await make.run([target, ...(options.coverage ? profiled(tree) : [])]);
    const release = readFileSync(
      join(make.objects, "include/config/kernel.release"),
      "utf8",
    ).trim();
    const made = join(make.objects, file);
    place.write(readFileSync(made), statSync(made).mode);
    if (make.count > knownCount(folder)) writeFileSync(countFile(folder), String(make.count));
    const seconds = (Date.now() - started) / 1000;
    return { out, release, seconds, objects: make.count, refused, objectFolder: make.objects };
  } finally {
    unlock();
  }
}
