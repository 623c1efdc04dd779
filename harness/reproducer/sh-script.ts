/**
 * A script of sh as it grows: its commands, and the functions that those need.
 */
import type { ScriptInShell } from "../aspects/in-shell.ts";
import { NO_ROOM_COMMAND } from "./file-system.ts";
import { clampOperation, fileOf, isStarved } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { inShell } from "../operations/in-shell.ts";

/** The case's files, and the descriptors that keep them open between two programs. */
const FILES = [
  { path: "mnt/file", fd: 3 },
  { path: "mnt/other", fd: 4 },
] as const;

const LETTERS = "ABCD";

/** Functions of the scripts, by their names: each script has those that it calls. */
const FUNCTIONS = {
  bytes: `# So many bytes that are this letter.
bytes() { head -c "$2" /dev/zero | tr '\\0' "$1"; }`,
  expect: `expect() {
	[ "$2" = "$3" ] && return
	printf '%s  expected: %s / seen: %s\\n' "$1" "$2" "$3"
	wrong=1
}`,
  expect_blocks: `# st_blocks, of which an extent tree may take so many blocks more.
expect_blocks() {
	more=$(($2 - $1))
	[ "$more" -ge 0 ] && [ $((more % $4)) -eq 0 ] && [ "$more" -le $(($3 * $4)) ] && return
	expect st_blocks "$1" "$2"
}`,
  map: `# The blocks of a file that are no holes, as first+count; neighbours of one state are one.
map() {
	filefrag -v "$1" | sed 's/[.:]/ /g' | awk '
		function told() { if (n) printf "%s%d+%d %s", (many++ ? ", " : ""), first, n, state }
		/^ *[0-9]+ / {
			is = /unwritten/ ? "unwritten" : /delalloc/ ? "delayed" : "written"
			if (is != state || $2 != first + n) { told(); first = $2; n = 0; state = is }
			n = $3 + 1 - first
		}
		END { told(); if (!n) printf "no blocks" }'
}`,
  reserved: `# Blocks that the file system has reserved for delayed allocation.
reserved() { cat "/sys/fs/ext4/$(basename "$(findmnt -n -o SOURCE mnt)")/delayed_allocation_blocks"; }`,
  expect_bytes: `# Bytes of a file, from there on so many, are this letter.
expect_bytes() {
	dd "if=$1" of=seen iflag=skip_bytes,count_bytes "skip=$2" "count=$3" bs=1M status=none
	bytes "$4" "$3" >must
	cmp -s seen must && return
	echo "bytes from $2 on  $(cmp seen must 2>&1)"
	printf '  expected: %s / seen: %s\\n' "$(od -A n -c -N 8 must)" "$(od -A n -c -N 8 seen)"
	wrong=1
}`,
} as const;

type FunctionName = keyof typeof FUNCTIONS;

/** What others a function calls. */
const CALLS: Partial<Record<FunctionName, readonly FunctionName[]>> = {
  expect_blocks: ["expect"],
  expect_bytes: ["bytes"],
};

export class ShScript implements ScriptInShell {
  readonly #functions = new Set<FunctionName>();
  readonly #lines: string[] = [];
  readonly #open = new Set<0 | 1>();
  #file: 0 | 1 = 0;
  /** It needs xfs_io. */
  takesXfsIo = false;
  syncsNext = false;
  /** What a power cut leaves is looked at by this; undefined where it is not. */
  looksAfterCut: (() => void) | undefined;
  roomCommand: string | undefined;

  get body(): readonly string[] {
    return this.#lines;
  }

  get functions(): readonly string[] {
    return [...this.#functions].map((name) => FUNCTIONS[name]);
  }

  get currentPath(): string {
    return FILES[this.#file].path;
  }

  /** The script has this function. */
  use(name: FunctionName): void {
    for (const called of CALLS[name] ?? []) this.use(called);
    this.#functions.add(name);
  }

  lines(...texts: string[]): void {
    this.#lines.push(...texts);
  }

  path(file = this.#file): string {
    this.open(file);
    return FILES[file].path;
  }

  /** A file is kept open: the last one to close it gives back what was preallocated. */
  open(file: 0 | 1): void {
    if (this.#open.has(file)) return;
    this.#open.add(file);
    const { path, fd } = FILES[file];
    this.lines(`exec ${fd}<>${path}`);
  }

  closeAll(): void {
    for (const file of this.#open) this.lines(`exec ${FILES[file].fd}>&-`);
    this.#open.clear();
  }

  letter(tag: number): string {
    return LETTERS[tag]!;
  }

  bytes(tag: number, len: number): string {
    this.use("bytes");
    return `bytes ${this.letter(tag)} ${len}`;
  }

  call(command: string): void {
    this.lines(`if ${command}; then r=success; else r=error; fi`);
  }

  xfsIo(...commands: string[]): void {
    this.takesXfsIo = true;
    const all = commands.map((command) => `-c '${command}'`);
    this.call(`xfs_io ${all.join(" ")} ${this.path()}`);
  }

  lookAfterCut(): void {
    if (this.looksAfterCut === undefined) this.lines("# It changes nothing: left out.");
    else this.looksAfterCut();
  }

  replaced(): void {
    const file = this.#file;
    if (this.#open.delete(file)) this.lines(`exec ${FILES[file].fd}>&-`);
    this.open(file);
  }

  /** Perform number `index` of a case on a file of `i_size` bytes. */
  perform(operation: Operation, index: number, i_size: number): void {
    this.#file = fileOf(operation);
    const clamped = clampOperation(operation, i_size);
    if (clamped === undefined) {
      this.lines("# Nothing is left to do there.", "r=success");
      return;
    }
    this.open(this.#file);
    const starved = isStarved(clamped);
    if (starved) this.lines(NO_ROOM_COMMAND);
    inShell(clamped).write(this, clamped, index % LETTERS.length);
    if (starved && this.roomCommand !== undefined) this.lines(this.roomCommand);
  }
}
