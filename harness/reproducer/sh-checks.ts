/**
 * What a script does and looks at, wherever it stands.
 */
import { isRemounted } from "../case/variant.ts";
import { describeOperation, effectsOf, fileOf, hasTwoFiles } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import { STAY_COMMAND, staysOnProcessor } from "./file-system.ts";
import { refusing } from "./refusals.ts";
import type { Refuse } from "./refusals.ts";
import type { Run } from "./runs.ts";
import type { ShScript } from "./sh-script.ts";
import { looksInPassing, mapText, operationsShown } from "./symptom.ts";
import type { FileLook, Symptom } from "./symptom.ts";

/** What of a look a script can show; it must be something, where there is anything. */
function visible(script: ShScript, look: FileLook, last: Operation): FileLook {
  const { pages, cache: _, ...left } = look;
  if (pages !== undefined) script.lines("# Not the page cache, of which no program shows enough.");
  if (Object.keys(left).length > 0 || Object.keys(look).length === 0) return left;
  const refuse: Refuse = refusing(script.ground.name);
  return refuse(describeOperation(last), "no program shows what it leaves in the kernel's caches");
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

/** `what` is that, as the shell prints `seen`. */
function expectValue(script: ShScript, what: string, expected: string, seen: string): void {
  script.use("expect");
  script.lines(`expect ${what} ${expected} "$(${seen})"`);
}

function checkFile(script: ShScript, path: string, look: FileLook, blockSize: number): void {
  const { i_size, st_blocks, map, reserved, bytes } = look;
  if (i_size !== undefined) expectValue(script, "i_size", `${i_size}`, `stat -c %s ${path}`);
  if (st_blocks !== undefined) {
    script.use("expect_blocks");
    const { units, tree } = st_blocks;
    script.lines(`expect_blocks ${units} "$(stat -c %b ${path})" ${tree} ${blockSize / 512}`);
  }
  if (map !== undefined) {
    script.use("map");
    expectValue(script, "map", `"${mapText(map)}"`, `map ${path}`);
  }
  if (reserved !== undefined) {
    script.use("reserved");
    expectValue(script, "reserved", `${reserved}`, "reserved");
  }
  if (bytes !== undefined) checkRuns(script, path, bytes);
}

function lookAfterCut(script: ShScript, { variant }: Counterexample, { file }: Symptom): void {
  const { cut, cutEndsMount } = script.ground;
  const path = script.pathAt(cut.at);
  script.lines(...cut.cuts);
  if (cutEndsMount) script.closeAll();
  script.lines(...cut.mounts);
  script.use("expect");
  if (file !== undefined) checkFile(script, path, file, variant.blockSize);
  else {
    const seen = `[ -e ${path} ] && echo one || echo none`;
    expectValue(script, "'a file after the power cut'", "none", seen);
  }
  script.lines(...cut.ends);
}

function unmount(script: ShScript, { atUnmount }: Symptom): void {
  const { unmount: command, check, mount, giveUp } = script.ground;
  script.use("expect");
  const log = atUnmount === "kernel log";
  if (log) {
    script.use("mark_log");
    script.use("warnings");
    script.lines("mark_log");
  }
  script.closeAll();
  script.lines(command);
  if (log) {
    script.lines(`warned=$(warnings) || ${giveUp("the kernel's log is too short")}`);
    script.lines(`expect 'kernel log' '' "$warned"`);
  } else script.lines(atUnmount === "e2fsck" ? check : `${mount} || expect mount 0 $?`);
}

/** What must be seen after the last operation. */
export function check(script: ShScript, counterexample: Counterexample, symptom: Symptom): void {
  const { result, read, place, file, atUnmount } = symptom;
  const { blockSize } = counterexample.variant;
  const last = operationsShown(counterexample).at(-1)!;
  if (!looksInPassing(symptom, last)) script.lines("", "# What must be seen now.");
  if (atUnmount === "free blocks") {
    refusing(script.ground.name)(describeOperation(last), "no script counts its blocks");
  }
  if (result !== undefined) {
    script.use("expect");
    script.lines(`expect result ${result < 0 ? "error" : "success"} "$r"`);
  }
  if (read !== undefined) checkRuns(script, script.own("got"), read);
  if (atUnmount !== undefined) unmount(script, symptom);
  else if (place === "mounted again") {
    script.closeAll();
    script.lines(script.ground.unmount, script.ground.mount);
    checkFile(script, script.pathAt(script.ground.mnt), file ?? {}, blockSize);
  } else if (place === "mounted") {
    checkFile(script, script.path(), visible(script, file ?? {}, last), blockSize);
  } else if (effectsOf(last).cutsPower !== true) lookAfterCut(script, counterexample, symptom);
}

/** The operations, each below what it is called. */
export function perform(script: ShScript, counterexample: Counterexample, symptom: Symptom): void {
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
      script.lines(`${script.ground.filefrag} -v ${script.path()} >/dev/null`);
    }
  }
}

/** Opens the files, older than the mount's delalloc where the variant has them so. */
export function openFirst(script: ShScript, { variant, operations }: Counterexample): void {
  if (staysOnProcessor(variant)) {
    script.lines(
      "# On one processor: another would put the next block of a file elsewhere.",
      STAY_COMMAND,
    );
  }
  script.lines("# Open to the end: a last close would give back what is preallocated.");
  script.open(fileOf(operations[0]!));
  if (!isRemounted(variant)) return;
  if (hasTwoFiles(operations)) script.open(1);
  script.lines(script.ground.remount);
}
