/**
 * A stored case as a C program, for whoever has a kernel and a compiler and not this tool.
 *
 * It makes a file system in an image of its own, on a tmpfs that hides /tmp in a mount namespace of
 * its own, so that all of it goes with the process; performs the operations; looks at what the case
 * is about, and at nothing else. Exit status 0: as it must be, 1: not, 2: it could not be tried.
 */
import type { Deviation } from "../../model/deviations/deviation.ts";
import { leavesFree, isRemounted } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { cannotInC } from "../operations/in-c.ts";
import {
  describeOperation,
  duringOf,
  effectsOf,
  fileOf,
  hasTwoFiles,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { CALLED, EXPECT, LOG, MAP, STAT } from "./c-helpers.ts";
import { checkFile, checkRead } from "./c-checks.ts";
import { CProgram, inQuotes } from "./c-program.ts";
import type { Around } from "./c-program.ts";
import {
  THIN_COMMAND,
  TMPFS_MARGIN,
  fillerCommand,
  firstMountCommand,
  isThin,
  makeCommands,
  mountCommand,
  roomCommand,
  staysOnProcessor,
} from "./file-system.ts";
import { looksAtBytes, looksInPassing, operationsShown, symptomOf } from "./symptom.ts";
import type { Symptom } from "./symptom.ts";
import { headerOf } from "./header.ts";
import { mustBeExpressible, refusing } from "./refusals.ts";

const tmpfsOptions = ({ imageSize }: Variant): string => `size=${imageSize + TMPFS_MARGIN}`;

/** Lines that make and mount the file system. */
function prepare(program: CProgram, variant: Variant, fills: boolean): void {
  const tmpfs = isThin(variant) ? `"${tmpfsOptions(variant)}"` : "NULL";
  program.include("fcntl.h", "sched.h", "stdio.h", "stdlib.h", "sys/mount.h", "unistd.h");
  program.lines(
    `need(unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "root");`,
    `must(mount("tmpfs", "/tmp", "tmpfs", 0, ${tmpfs}) == 0 && chdir("/tmp") == 0);`,
  );
  if (staysOnProcessor(variant)) {
    program.lines(
      "cpu_set_t here;",
      "/* On one processor: another would put the next block of a file elsewhere. */",
      "CPU_ZERO(&here);",
      "CPU_SET(sched_getcpu(), &here);",
      "must(sched_setaffinity(0, sizeof(here), &here) == 0);",
    );
  }
  const [size, ...make] = makeCommands(variant, fills);
  program.shell(`mkdir mnt && ${size}`, ...make, firstMountCommand(variant, "image", "mnt"));
  const free = leavesFree(variant);
  if (free !== undefined) {
    const mount = mountCommand(variant, "image", "mnt");
    program.shell(fillerCommand(variant, free, "mnt"), "umount mnt", mount);
  }
  if (isThin(variant)) program.shell(THIN_COMMAND);
}

/** The file in the copy of the image, once a power cut was. */
function lookAfterCut(program: CProgram, variant: Variant, symptom: Symptom, path: string): void {
  const point = path.replace("mnt", "cut");
  program.lines("/* The image as it is, mounted elsewhere: the journal is replayed. */");
  const copy = "cp --sparse=always image cut.img";
  program.shell("mkdir cut", copy, mountCommand(variant, "cut.img", "cut"));
  if (symptom.file === undefined) {
    program.use(EXPECT);
    program.lines(`expect("a file after the power cut", 0, access("${point}", F_OK) == 0);`);
  } else {
    program.lines(`int left = open("${point}", O_RDONLY);`, "must(left >= 0);");
    checkFile(program, "left", symptom.file);
    program.lines("close(left);");
  }
  program.shell("umount cut");
  program.use(EXPECT);
  program.lines(`expect("e2fsck of the copy", 0, system("e2fsck -fn cut.img >&2"));`);
}

function closeAll(program: CProgram): void {
  for (const name of program.openDescriptors) program.lines(`close(${name});`);
}

/** What is looked at once it is unmounted. */
function unmount(program: CProgram, variant: Variant, symptom: Symptom): void {
  const { atUnmount } = symptom;
  if (atUnmount !== "kernel log") program.use(EXPECT);
  if (atUnmount === "kernel log") {
    program.use(LOG);
    program.lines("listen_to_kernel();");
  }
  if (atUnmount === "free blocks") {
    program.use(STAT);
    const held = program.openFiles.map((fd) => `status(${fd}).st_blocks`).join(" + ");
    program.lines(`long held = (${held}) / (${variant.blockSize} / 512);`, "");
  }
  closeAll(program);
  program.shell("umount mnt");
  if (atUnmount === "kernel log") program.lines("expect_silence();");
  if (atUnmount === "e2fsck") {
    program.lines(`expect("e2fsck", 0, system("e2fsck -fn image >&2"));`);
  }
  if (atUnmount === "mount" || atUnmount === "free blocks") {
    const mounts = `system("${inQuotes(mountCommand(variant, "image", "mnt"))}")`;
    program.lines(`expect("mount", 0, ${mounts});`);
  }
  if (atUnmount === "free blocks") {
    program.lines(`expect("free blocks", before - held, free_blocks());`);
  }
}

/** Free blocks of what is mounted. */
const FREE = {
  includes: ["sys/vfs.h"],
  text: `static long free_blocks(void)
{
	struct statfs s;

	must(statfs("mnt", &s) == 0);
	return s.f_bfree;
}`,
};

function mountedAgain(program: CProgram, variant: Variant, symptom: Symptom, path: string): void {
  closeAll(program);
  program.shell("umount mnt", mountCommand(variant, "image", "mnt"));
  program.lines(`int again = open("${path}", O_RDWR);`, "", "must(again >= 0);");
  checkFile(program, "again", symptom.file ?? {});
}

/** What is looked at after the last operation. */
function check(program: CProgram, variant: Variant, symptom: Symptom, last: Operation): void {
  const { result, read, place, file, atUnmount } = symptom;
  if (!looksInPassing(symptom, last)) program.lines("", "/* What must be seen now. */");
  if (result !== undefined) {
    program.use(EXPECT);
    program.lines(`expect("result", ${result}, r);`);
  }
  if (read !== undefined) checkRead(program, read, "got");
  if (atUnmount !== undefined) unmount(program, variant, symptom);
  else if (place === "mounted again") mountedAgain(program, variant, symptom, program.path);
  else if (place === "mounted") checkFile(program, program.fd(), file ?? {});
  else if (effectsOf(last).cutsPower !== true)
    lookAfterCut(program, variant, symptom, program.path);
}

/** Operations between which there is room for an empty line. */
const FEW = 8;

function perform(program: CProgram, counterexample: Counterexample, symptom: Symptom): void {
  const { variant, divergence } = counterexample;
  const operations = operationsShown(counterexample);
  const between = operations.length > FEW ? [] : [""];
  for (const [index, operation] of operations.entries()) {
    const isLast = index === operations.length - 1;
    const shows = isLast && divergence !== undefined ? "   <- shows it" : "";
    program.lines(
      ...(index === 0 ? [""] : between),
      `/* ${index}: ${describeOperation(operation)}${shows} */`,
    );
    const around: Around = {
      roomCommand: isThin(variant) ? roomCommand(variant) : undefined,
      sizesInPause: symptom.sizesInPause[index]!,
      cutsPower: isLast && symptom.place === "after a power cut",
      looks: isLast ? (symptom.during ?? []) : [],
      lookAfterCut: () => lookAfterCut(program, variant, symptom, program.path),
    };
    program.perform(operation, index, symptom.sizes[index]!, around);
    if (symptom.takesLooks && !isLast) {
      program.use(MAP);
      program.lines(`map(${program.fd()});`);
    }
  }
}

function openFirst(program: CProgram, { variant, operations }: Counterexample): void {
  if (isRemounted(variant)) {
    program.fd(0);
    if (hasTwoFiles(operations)) program.fd(1);
    program.shell("mount -o remount,delalloc mnt");
  } else program.fd(fileOf(operations[0]!));
}

/** What every program has before its helpers. */
const HEAD = [
  "#define must(what) ((what) ? (void)0 : (perror(#what), exit(2)))",
  '#define need(what, lacks) ((what) ? (void)0 : (fprintf(stderr, "This needs %s.\\n", lacks), exit(2)))',
  "#define sh(commands) (system(commands) == 0 ? (void)0 : exit(2))",
  "static int wrong;",
];

/**
 * The program.
 *
 * @param running release of the running kernel, for a case that names none
 * @param seeded as symptomOf() takes them
 * @param inMail what the case is stands around it, and the program says only how it is run
 * @throws UsageError where it cannot be written in C, with one line that says what
 */
export function asC(
  counterexample: Counterexample,
  running: string,
  seeded: readonly Deviation[] = [],
  inMail = false,
): string {
  const all = counterexample.operations.flatMap((one) => [one, ...duringOf(one)]);
  mustBeExpressible(counterexample, all, cannotInC, refusing("a C program"));
  const symptom = symptomOf(counterexample, running, seeded);
  const { variant } = counterexample;
  const program = new CProgram();
  prepare(program, variant, looksAtBytes(symptom));
  const free = symptom.atUnmount === "free blocks";
  if (free) {
    program.use(FREE);
    program.lines("long before = free_blocks();", "");
  }
  openFirst(program, counterexample);
  program.use(CALLED);
  perform(program, counterexample, symptom);
  const operations = operationsShown(counterexample);
  check(program, variant, symptom, operations.at(-1)!);
  return textOf(program, counterexample, (how) =>
    inMail ? how : headerOf(counterexample, symptom, how),
  );
}

/** Whether anything looks at what a call returned. */
const looksAtResult = (lines: readonly string[]): boolean =>
  lines.some((line) => /\br\b(?! = )/.test(line.replace(/^\s*\/\*.*/, "")));

/** Without what keeps that. */
function withoutResult(lines: readonly string[]): string[] {
  const left = lines.filter((line) => line.trim() !== "r = 0;");
  return left.map((line) =>
    line.replace(/^(\s*)r = /, "$1").replace(/^(\s*)called\((.*)\);$/, "$1$2;"),
  );
}

function textOf(
  program: CProgram,
  { variant }: Counterexample,
  head: (how: readonly string[]) => readonly string[],
): string {
  const pthread = program.includes.includes("pthread.h") ? " -pthread" : "";
  const usesBlock = program.helpers.some((text) => /\bBLOCK\b/.test(text));
  const result = looksAtResult(program.body);
  const lines = result ? program.body : withoutResult(program.body);
  const calls = [...lines, ...program.helpers].some((line) => /(?<!long )called\(/.test(line));
  const helpers = program.helpers.filter((text) => calls || text !== CALLED.text);
  const needsErrno = [...lines, ...helpers].some((line) => /\bE[A-Z]+\b|errno/.test(line));
  const variables = [...program.variables, ...(result ? ["long r = 0;"] : [])];
  const header = head([
    `cc${pthread} -o case case.c && sudo ./case`,
    "Exit status: 0 as it must be, 1 not, 2 it could not be tried.",
  ]);
  return [
    `/*\n${header.map((line) => ` * ${line}`.trimEnd()).join("\n")}\n */`,
    "#define _GNU_SOURCE",
    ...program.includes
      .filter((name) => needsErrno || name !== "errno.h")
      .map((name) => `#include <${name}>`),
    "",
    ...(usesBlock ? [`#define BLOCK ${variant.blockSize}`] : []),
    ...HEAD,
    "",
    ...helpers.flatMap((text) => [text, ""]),
    "int main(void)",
    "{",
    ...variables.map((line) => `\t${line}`),
    ...(variables.length === 0 ? [] : [""]),
    ...lines,
    "",
    `\tputs(wrong ? "WRONG" : "as it must be");`,
    "\treturn wrong;",
    "}",
    "",
  ].join("\n");
}
