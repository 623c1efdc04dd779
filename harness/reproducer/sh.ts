/**
 * A stored case as a script of sh, as c.ts has it in C: for what programs can do. Exit status 0: as
 * it must be, 1: not, 2: it could not be tried.
 */
import type { Deviation } from "../../model/deviations/deviation.ts";
import { leavesFree } from "../case/variant.ts";
import type { Variant } from "../case/variant.ts";
import { cannotInShell } from "../operations/in-shell.ts";
import type { Counterexample } from "../stored/counterexample.ts";
import {
  DEVICE,
  THIN_COMMAND,
  TMPFS_MARGIN,
  fillerCommand,
  firstMountCommand,
  isThin,
  makeCommands,
  mountCommand,
  roomCommand,
} from "./file-system.ts";
import { headerOf } from "./header.ts";
import { mustBeExpressible, refusing } from "./refusals.ts";
import { check, openFirst, perform } from "./sh-checks.ts";
import type { Ground } from "./sh-ground.ts";
import { ShScript } from "./sh-script.ts";
import { looksAtBytes, operationsShown, symptomOf } from "./symptom.ts";

/** A folder of its own, with the image and what is mounted in it. */
const groundOf = (variant: Variant): Ground => ({
  name: "a script",
  mnt: "mnt",
  xfsIo: "xfs_io",
  python: "python3",
  filefrag: "filefrag",
  reserved: `cat "/sys/fs/ext4/${DEVICE}/delayed_allocation_blocks"`,
  device: DEVICE,
  unmount: "umount mnt",
  mount: mountCommand(variant, "image", "mnt"),
  remount: "mount -o remount,delalloc mnt",
  check: "e2fsck -fn image >&2 || expect e2fsck 0 $?",
  quiet: "",
  ignored: " || true",
  noted: "\n\twrong=1",
  giveUp: (why) => `{ echo "${why}" >&2; exit 2; }`,
  prefersFallocate: true,
  own: (name) => name,
  cut: {
    at: "cut",
    cuts: [
      "# The image as it is, mounted elsewhere: the journal is replayed.",
      "mkdir cut",
      "cp --sparse=always image cut.img",
    ],
    mounts: [mountCommand(variant, "cut.img", "cut")],
    ends: ["umount cut", "e2fsck -fn cut.img >&2 || expect 'e2fsck of the copy' 0 $?"],
  },
  cutEndsMount: false,
});

function prepare(script: ShScript, variant: Variant, fills: boolean): void {
  const { imageSize } = variant;
  const { mount, unmount } = script.ground;
  const size = isThin(variant) ? `-o size=${imageSize + TMPFS_MARGIN} ` : "";
  script.lines(
    "dir=$(mktemp -d)",
    "trap end EXIT",
    `mount -t tmpfs ${size}tmpfs "$dir"`,
    'cd "$dir"',
    "mkdir mnt",
    ...makeCommands(variant, fills),
    firstMountCommand(variant, "image", "mnt"),
  );
  const free = leavesFree(variant);
  if (free !== undefined) script.lines(fillerCommand(variant, free, "mnt"), unmount, mount);
  if (isThin(variant)) {
    script.lines(THIN_COMMAND);
    script.roomCommand = roomCommand(variant);
  }
}

/** Ends what the inner shell reads. */
const END = "END_OF_CASE";

/**
 * In a mount namespace of its own, so that all of it goes with the shell. That one reads it from a
 * descriptor: a script that comes through a pipe has no file that could be started again, and
 * standard input belongs to the commands.
 */
const HEAD = [
  "unshare --mount true || exit 2",
  `exec unshare --mount sh /proc/self/fd/9 9<<'${END}'`,
  "set -eu",
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
 * @param seeded as symptomOf() takes them
 * @throws UsageError where programs cannot do it, or show it, with one line that says what
 */
export function asShell(
  counterexample: Counterexample,
  running: string,
  seeded: readonly Deviation[] = [],
): string {
  const { variant } = counterexample;
  const ground = groundOf(variant);
  const operations = operationsShown(counterexample);
  mustBeExpressible(counterexample, operations, cannotInShell, refusing(ground.name));
  const symptom = symptomOf(counterexample, running, seeded);
  const script = new ShScript(ground);
  prepare(script, variant, looksAtBytes(symptom));
  openFirst(script, counterexample);
  perform(script, counterexample, symptom);
  check(script, counterexample, symptom);
  const header = headerOf(counterexample, symptom, [
    "sudo sh case.sh",
    "Exit status: 0 as it must be, 1 not, 2 it could not be tried.",
  ]);
  return [
    "#!/bin/sh",
    ...header.map((line) => `# ${line}`.trimEnd()),
    ...HEAD,
    "",
    ...script.functions.flatMap((text) => [text, ""]),
    ...(script.xfsIoCommands.length > 0 ? [needed("xfs_io")] : []),
    ...(script.has("short_write") ? [needed("python3")] : []),
    ...script.withoutResult(),
    "",
    "status=$wrong",
    "if [ $wrong = 0 ]; then echo 'as it must be'; else echo WRONG; fi",
    END,
    "",
  ].join("\n");
}

/** What the inner shell reads of a script, which shellcheck takes for a text, as a script. */
export function innerScript(script: string): string {
  const [, inner = ""] = script.split(new RegExp(`<<'${END}'\\n|^${END}\\n`, "m"));
  return `#!/bin/sh\n${inner}`;
}

const needed = (program: string): string =>
  `command -v ${program} >/dev/null || { echo '${program} is needed' >&2; exit 2; }`;
