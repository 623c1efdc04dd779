/**
 * A stored case as a script of sh, as c.ts has it in C: for what programs can do. Exit status 0: as
 * it must be, 1: not, 2: it could not be tried.
 */
import { isRemounted, leavesFree } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { cannotInShell } from "../operations/in-shell.ts";
import { describeOperation, effectsOf, fileOf, hasTwoFiles } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import {
  DEVICE,
  THIN_COMMAND,
  TMPFS_MARGIN,
  fillerCommand,
  isThin,
  makeCommands,
  mountCommand,
  roomCommand,
} from "./file-system.ts";
import { headerOf } from "./header.ts";
import { mustBeExpressible, refusing } from "./refusals.ts";
import type { Refuse } from "./refusals.ts";
import type { Run } from "./runs.ts";
import { ShScript } from "./sh-script.ts";
import { looksAtBytes, looksInPassing, mapText, operationsShown, symptomOf } from "./symptom.ts";
import type { FileLook, Symptom } from "./symptom.ts";

const refuse: Refuse = refusing("a script");

/** What of a look a script can show; it must be something, where there is anything. */
function visible(script: ShScript, look: FileLook, last: Operation): FileLook {
  const { pages, cache: _, ...left } = look;
  if (pages !== undefined) script.lines("# Not the page cache, of which no program shows enough.");
  if (Object.keys(left).length > 0 || Object.keys(look).length === 0) return left;
  refuse(describeOperation(last), "no program shows what it leaves in the kernel's caches");
}

/** The runs as letters: those of one region that touch are one. */
function letterRuns(
  script: ShScript,
  runs: readonly Run[],
): { pos: number; len: number; letter: string }[] {
  const result: { pos: number; len: number; letter: string }[] = [];
  for (const { pos, len, from } of runs) {
    const letter = from === undefined ? String.raw`'\0'` : script.letter(from.tag);
    const last = result.at(-1);
    if (last?.letter === letter && last.pos + last.len === pos) last.len += len;
    else result.push({ pos, len, letter });
  }
  return result;
}

function checkRuns(script: ShScript, path: string, runs: readonly Run[]): void {
  for (const { pos, len, letter } of letterRuns(script, runs)) {
    script.use("expect_bytes");
    script.lines(`expect_bytes ${path} ${pos} ${len} ${letter}`);
  }
}

function checkFile(script: ShScript, path: string, look: FileLook, blockSize: number): void {
  const { i_size, st_blocks, map, reserved, bytes } = look;
  if (i_size !== undefined) {
    script.use("expect");
    script.lines(`expect i_size ${i_size} "$(stat -c %s ${path})"`);
  }
  if (st_blocks !== undefined) {
    script.use("expect_blocks");
    const { units, tree } = st_blocks;
    script.lines(`expect_blocks ${units} "$(stat -c %b ${path})" ${tree} ${blockSize / 512}`);
  }
  if (map !== undefined) {
    script.use("expect");
    script.use("map");
    script.lines(`expect map "${mapText(map)}" "$(map ${path})"`);
  }
  if (reserved !== undefined) {
    script.use("expect");
    script.use("reserved");
    script.lines(`expect reserved ${reserved} "$(reserved)"`);
  }
  if (bytes !== undefined) checkRuns(script, path, bytes);
}

function lookAfterCut(script: ShScript, { variant }: Counterexample, symptom: Symptom): void {
  const path = script.currentPath.replace("mnt", "cut");
  script.use("expect");
  script.lines(
    "# The image as it is, mounted elsewhere: the journal is replayed.",
    "mkdir cut",
    "cp --sparse=always image cut.img",
    mountCommand(variant, "cut.img", "cut"),
  );
  if (symptom.file === undefined) {
    script.lines(
      `expect 'a file after the power cut' none "$([ -e ${path} ] && echo one || echo none)"`,
    );
  } else checkFile(script, path, symptom.file, variant.blockSize);
  script.lines("umount cut", "e2fsck -fn cut.img >&2 || expect 'e2fsck of the copy' 0 $?");
}

/** Warnings and worse that the kernel's log has of the device. */
const WARNINGS = "dmesg -l emerg,alert,crit,err,warn | grep";

function unmount(script: ShScript, variant: Variant, { atUnmount }: Symptom): void {
  script.use("expect");
  const log = atUnmount === "kernel log";
  if (log) script.lines(`device=${DEVICE}`, `before=$(${WARNINGS} -cF "$device" || true)`);
  script.closeAll();
  script.lines("umount mnt");
  if (log) {
    script.lines(`expect 'kernel log' '' "$(${WARNINGS} -F "$device" | tail -n +$((before + 1)))"`);
  } else if (atUnmount === "e2fsck") {
    script.lines("e2fsck -fn image >&2 || expect e2fsck 0 $?");
  } else {
    script.lines(`${mountCommand(variant, "image", "mnt")} || expect mount 0 $?`);
  }
}

function check(script: ShScript, counterexample: Counterexample, symptom: Symptom): void {
  const { result, read, place, file, atUnmount } = symptom;
  const { variant } = counterexample;
  const last = operationsShown(counterexample).at(-1)!;
  if (!looksInPassing(symptom, last)) script.lines("", "# What must be seen now.");
  if (atUnmount === "free blocks") refuse(describeOperation(last), "no script counts its blocks");
  if (result !== undefined) {
    script.use("expect");
    script.lines(`expect result ${result < 0 ? "error" : "success"} "$r"`);
  }
  if (read !== undefined) checkRuns(script, "got", read);
  if (atUnmount !== undefined) unmount(script, variant, symptom);
  else if (place === "mounted again") {
    script.closeAll();
    script.lines("umount mnt", mountCommand(variant, "image", "mnt"));
    checkFile(script, script.currentPath, file ?? {}, variant.blockSize);
  } else if (place === "mounted") {
    checkFile(script, script.path(), visible(script, file ?? {}, last), variant.blockSize);
  } else if (effectsOf(last).cutsPower !== true) lookAfterCut(script, counterexample, symptom);
}

function perform(script: ShScript, counterexample: Counterexample, symptom: Symptom): void {
  const { divergence } = counterexample;
  const operations = operationsShown(counterexample);
  for (const [index, operation] of operations.entries()) {
    const next = operations[index + 1];
    const shows = next === undefined && divergence !== undefined ? "   <- shows it" : "";
    script.lines("", `# ${index}: ${describeOperation(operation)}${shows}`);
    script.syncsNext =
      next !== undefined && effectsOf(next).syncsAll === true && fileOf(next) === fileOf(operation);
    const cuts = next === undefined && symptom.place === "after a power cut";
    script.looksAfterCut = cuts ? () => lookAfterCut(script, counterexample, symptom) : undefined;
    script.perform(operation, index, symptom.sizes[index]!);
    if (symptom.takesLooks && next !== undefined) {
      script.lines(`filefrag -v ${script.path()} >/dev/null`);
    }
  }
}

function prepare(script: ShScript, { variant, operations }: Counterexample, fills: boolean): void {
  const { imageSize } = variant;
  const size = isThin(variant) ? `-o size=${imageSize + TMPFS_MARGIN} ` : "";
  script.lines(
    "dir=$(mktemp -d)",
    "trap end EXIT",
    `mount -t tmpfs ${size}tmpfs "$dir"`,
    'cd "$dir"',
    "mkdir mnt",
    ...makeCommands(variant, fills),
    mountCommand(variant, "image", "mnt"),
  );
  const free = leavesFree(variant);
  if (free !== undefined) script.lines(fillerCommand(variant, free));
  if (isThin(variant)) {
    script.lines(THIN_COMMAND);
    script.roomCommand = roomCommand(variant);
  }
  script.open(fileOf(operations[0]!));
  if (!isRemounted(variant)) return;
  if (hasTwoFiles(operations)) script.open(1);
  script.lines("mount -o remount,delalloc mnt");
}

/** In a mount namespace of its own, so that all of it goes with the shell. */
const HEAD = [
  "set -eu",
  '[ -n "${INSIDE-}" ] || INSIDE=1 exec unshare --mount sh "$0"',
  "wrong=0",
  "status=2",
  "",
  "end() {",
  "\tcd /",
  '\tumount -l "$dir"',
  '\trmdir "$dir"',
  "\texit $status",
  "}",
];

/**
 * The script.
 *
 * @param running release of the running kernel, for a case that names none
 * @throws UsageError where programs cannot do it, or show it, with one line that says what
 */
export function asShell(counterexample: Counterexample, running: string): string {
  mustBeExpressible(counterexample, operationsShown(counterexample), cannotInShell, refuse);
  const symptom = symptomOf(counterexample, running);
  const script = new ShScript();
  prepare(script, counterexample, looksAtBytes(symptom));
  perform(script, counterexample, symptom);
  check(script, counterexample, symptom);
  const header = headerOf(counterexample, symptom, [
    "sudo sh case.sh",
    "Exit status: 0 as it must be, 1 not, 2 it could not be tried.",
  ]);
  const needs = "command -v xfs_io >/dev/null || { echo 'xfs_io is needed' >&2; exit 2; }";
  return [
    "#!/bin/sh",
    ...header.map((line) => `# ${line}`.trimEnd()),
    ...HEAD,
    "",
    ...script.functions.flatMap((text) => [text, ""]),
    ...(script.takesXfsIo ? [needs] : []),
    ...withoutResult(script.body),
    "",
    "status=$wrong",
    "if [ $wrong = 0 ]; then echo 'as it must be'; else echo WRONG; fi",
    "",
  ].join("\n");
}

/** Without what keeps whether a program succeeded, where nothing looks at that. */
function withoutResult(lines: readonly string[]): readonly string[] {
  if (lines.some((line) => line.includes('"$r"'))) return lines;
  const left = lines.filter((line) => line !== "r=success");
  return left.map((line) =>
    line.replace(/^if (.*); then r=success; else r=error; fi$/, "$1 || true"),
  );
}
