/**
 * A C program as it grows: its main(), and what that needs. What it calls comes before it, each
 * once.
 */
import type { HelperInC, ProgramInC } from "../aspects/in-c.ts";
import type { PausedLook } from "../case/observation.ts";
import {
  clampOperation,
  describeOperation,
  effectsOf,
  fileOf,
  isStarved,
  meetsDevice,
} from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { inC } from "../operations/in-c.ts";
import { BUFFER, CALLED, EXPECT, RESERVED, STAT } from "./c-helpers.ts";
import { NO_ROOM_COMMAND } from "./file-system.ts";

/** Names of the case's files, and of the variables that hold their descriptors. */
const FILES = [
  { path: "mnt/file", fd: "fd", directFd: "direct" },
  { path: "mnt/other", fd: "other", directFd: "other_direct" },
] as const;

/** Memory of which no byte can be read, so that a write from there faults at once. */
const UNREADABLE =
  "char *unreadable = mmap(NULL, 1 << 22, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);";

/** Of a line of the program, about. */
const COLUMNS = 92;

export interface Around {
  /** What gives the device room again, where it is one that can run out of it. */
  roomCommand: string | undefined;
  /** Sizes of the file in its pause, before each operation of that; bytes. */
  sizesInPause: readonly number[];
  /** What a power cut leaves is looked at after the operation. */
  cutsPower: boolean;
  /** What must be seen in a pause. */
  looks: readonly PausedLook[];
  lookAfterCut(): void;
}

/** A text between the quotes of a string in C. */
export const inQuotes = (text: string): string => text.replaceAll(/[\\"]/g, String.raw`\$&`);

export class CProgram implements ProgramInC<Operation> {
  readonly #includes = new Set<string>();
  readonly #helpers: HelperInC[] = [];
  readonly #lines: string[] = [];
  readonly #open = new Set<string>();
  /** Descriptors by their variables, and whether each is declared where it is opened first. */
  readonly #declared = new Map<string, boolean>();
  #takesUnreadable = false;
  #indent = "\t";
  #file: 0 | 1 = 0;
  #memory = 0;
  #around: Around | undefined;
  /** Of the files, bytes, as the model has them: what an operation is clamped to. */
  #size = 0;

  get path(): string {
    return FILES[this.#file].path;
  }

  /** Descriptors that are open, by their variables. */
  get openDescriptors(): readonly string[] {
    return [...this.#open];
  }

  /** Descriptors of the case's files, one each. */
  get openFiles(): readonly string[] {
    return FILES.map(({ fd }) => fd).filter((name) => this.#open.has(name));
  }

  get body(): readonly string[] {
    return this.#lines;
  }

  get includes(): readonly string[] {
    return [...this.#includes].toSorted();
  }

  get helpers(): readonly string[] {
    return this.#helpers.map(({ text }) => text);
  }

  /** Variables of main(), but for those of descriptors that are declared where they are opened. */
  get variables(): readonly string[] {
    const descriptors = [...this.#declared].flatMap(([name, here]) => (here ? [] : [name]));
    return [
      ...(this.#takesUnreadable ? [UNREADABLE] : []),
      ...(this.#memory === 0
        ? []
        : [
            // Direct I/O takes memory that begins on a page.
            `static char got[${this.#memory}] __attribute__((aligned(4096)));`,
          ]),
      ...(descriptors.length === 0 ? [] : [`int ${descriptors.join(", ")};`]),
    ];
  }

  include(...headers: string[]): void {
    for (const header of headers) this.#includes.add(header);
  }

  use(helper: HelperInC): void {
    if (this.#helpers.includes(helper)) return;
    for (const needed of helper.needs ?? []) this.use(needed);
    this.include(...helper.includes);
    this.#helpers.push(helper);
  }

  lines(...texts: string[]): void {
    for (const text of texts) {
      // A brace at the end of a statement opens a block of it.
      if (text.startsWith("}")) this.#indent = this.#indent.slice(1);
      this.#lines.push(text === "" ? "" : `${this.#indent}${text}`);
      if (text.endsWith("{")) this.#indent += "\t";
    }
  }

  fd(file = this.#file): string {
    return this.#descriptor(file, "fd", "");
  }

  directFd(): string {
    this.fd();
    return this.#descriptor(this.#file, "directFd", " | O_DIRECT");
  }

  /** Read-ahead is off: only what is asked for comes into the page cache. */
  #descriptor(file: 0 | 1, which: "fd" | "directFd", flags: string): string {
    const { path, [which]: name } = FILES[file];
    if (this.#open.has(name)) return name;
    const first = !this.#declared.has(name);
    // What is declared in a block is not there behind it.
    const here = first ? this.#indent === "\t" : this.#declared.get(name)!;
    this.#open.add(name);
    this.#declared.set(name, here);
    this.include("fcntl.h");
    this.lines(
      `${first && here ? "int " : ""}${name} = open("${path}", O_RDWR | O_CREAT${flags}, 0600);`,
      `must(${name} >= 0 && posix_fadvise(${name}, 0, 0, POSIX_FADV_RANDOM) == 0);`,
    );
    return name;
  }

  buffer(tag: number, readable: number): string {
    if (readable === 0) {
      this.#takesUnreadable = true;
      this.include("sys/mman.h");
      return "unreadable";
    }
    this.use(BUFFER);
    return `buffer(${tag}, ${readable})`;
  }

  memory(bytes: number): string {
    this.#memory = Math.max(this.#memory, bytes);
    return "got";
  }

  call(expression: string): void {
    this.use(CALLED);
    this.lines(`r = called(${expression});`);
  }

  get looks(): readonly PausedLook[] {
    return this.#around?.looks ?? [];
  }

  during(operation: Operation, at: number, tag: number): void {
    const before = this.#around?.sizesInPause[at] ?? this.#size;
    this.lines(`/* Meanwhile: ${describeOperation(operation)} */`);
    this.#perform(operation, before, tag, 0);
  }

  look(at: number): void {
    const look = this.looks[at];
    if (look === undefined || this.#around?.cutsPower === true) return;
    this.use(EXPECT);
    this.use(STAT);
    this.use(RESERVED);
    if (at > 0) this.lines(`expect("result in the pause", ${look.result}, r);`);
    this.lines(
      `expect("i_size in the pause", ${look.i_size}, status(${this.fd()}).st_size);`,
      `expect("reserved in the pause", ${look.reserved}, reserved());`,
    );
  }

  lookAfterCut(): void {
    if (this.#around?.cutsPower === true) this.#around.lookAfterCut();
    else this.lines("/* It changes nothing, and is not what this is about: left out. */");
  }

  replaced(): void {
    const { fd, directFd } = FILES[this.#file];
    for (const name of [fd, directFd]) {
      if (!this.#open.delete(name)) continue;
      this.lines(`close(${name});`);
    }
    this.fd();
  }

  /** system(3) of commands, which must succeed; one that fails says that itself. */
  shell(...commands: string[]): void {
    const escaped = commands.map(inQuotes);
    this.include("stdlib.h");
    const all = `sh("${escaped.join(" && ")}");`;
    if (all.length <= COLUMNS) return this.lines(all);
    const last = escaped.length - 1;
    const each = escaped.map((text, i) => `\t"${text}${i === last ? "" : " && "}"`);
    this.lines("sh(", ...each.slice(0, -1), `${each.at(-1)});`);
  }

  /** What the harness does after such an operation as well, before anybody looks. */
  #afterwards(operation: Operation, starved: boolean): void {
    const { roomCommand } = this.#around ?? {};
    if (starved && roomCommand !== undefined) this.shell(roomCommand);
    if (roomCommand !== undefined && meetsDevice(operation)) {
      // A loop device says of the same lack ENOSPC since 6.16, and EIO before.
      this.use(CALLED);
      this.lines("if (r == -ENOSPC)", "\tr = -EIO;");
    }
    if (effectsOf(operation).startsWriteback?.(operation) !== true) return;
    const wait = "SYNC_FILE_RANGE_WAIT_BEFORE";
    this.lines(`sync_file_range(${this.fd()}, 0, 0, ${wait});`, "usleep(10000);");
  }

  /** Perform number `index` of a case on a file of `i_size` bytes. */
  perform(operation: Operation, index: number, i_size: number, around: Around): void {
    this.#file = fileOf(operation);
    this.#around = around;
    this.#size = i_size;
    this.#perform(operation, i_size, index % 4, index);
  }

  #perform(operation: Operation, i_size: number, tag: number, index: number): void {
    const clamped = clampOperation(operation, i_size);
    if (clamped === undefined) {
      this.lines("/* Nothing is left to do there. */", "r = 0;");
      return;
    }
    this.fd();
    const starved = isStarved(clamped);
    // What is opened is there by then.
    if (effectsOf(clamped).direct === true) this.directFd();
    if (starved) this.shell(NO_ROOM_COMMAND);
    inC(clamped).write(this, clamped, tag, index);
    this.#afterwards(clamped, starved);
  }
}
