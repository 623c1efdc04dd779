/**
 * A script of sh as it grows: its commands, and the functions that those need.
 */
import type { ScriptInShell } from "../aspects/in-shell.ts";
import { NO_ROOM_COMMAND } from "./file-system.ts";
import { clampOperation, fileOf, isStarved } from "../operations/operation.ts";
import type { Operation } from "../operations/operation.ts";
import { inShell } from "../operations/in-shell.ts";
import { functionText, withCalled } from "./sh-functions.ts";
import type { FunctionName } from "./sh-functions.ts";
import type { Ground } from "./sh-ground.ts";

/** The case's files, and the descriptors that keep them open between two programs. */
const FILES = [
  { name: "file", fd: 3 },
  { name: "other", fd: 4 },
] as const;

const LETTERS = "ABCD";

export class ShScript implements ScriptInShell {
  readonly ground: Ground;
  readonly #functions = new Set<FunctionName>();
  readonly #lines: string[] = [];
  readonly #open = new Set<0 | 1>();
  readonly #commands = new Set<string>();
  #file: 0 | 1 = 0;
  #syncsNext = false;
  /** What a power cut leaves is looked at by this; undefined where it is not. */
  looksAfterCut: (() => void) | undefined;
  roomCommand: string | undefined;

  constructor(ground: Ground) {
    this.ground = ground;
  }

  get body(): readonly string[] {
    return this.#lines;
  }

  get functions(): readonly string[] {
    const silent = this.withoutResult().some((line) => /\bsilent /.test(line));
    const called = [...this.#functions].filter((name) => name !== "silent" || silent);
    return called.map((name) => functionText(name, this.ground));
  }

  /** Commands of xfs_io that it needs; falloc with what xfstests asks for apart, "falloc -k". */
  get xfsIoCommands(): readonly string[] {
    return [...this.#commands];
  }

  has(name: FunctionName): boolean {
    return this.#functions.has(name);
  }

  get syncsNext(): boolean {
    return this.#syncsNext && this.ground.prefersFallocate;
  }

  set syncsNext(value: boolean) {
    this.#syncsNext = value;
  }

  own(name: string): string {
    return this.ground.own(name);
  }

  /** The script has this function. */
  use(name: FunctionName): void {
    for (const needed of withCalled(name)) this.#functions.add(needed);
  }

  lines(...texts: string[]): void {
    this.#lines.push(...texts);
  }

  /** The path of the current file where the file system is mounted at `mnt`. */
  pathAt(mnt: string): string {
    return `${mnt}/${FILES[this.#file].name}`;
  }

  path(file = this.#file): string {
    this.open(file);
    return `${this.ground.mnt}/${FILES[file].name}`;
  }

  /** A file is kept open: the last one to close it gives back what was preallocated. */
  open(file: 0 | 1): void {
    if (this.#open.has(file)) return;
    this.#open.add(file);
    const { name, fd } = FILES[file];
    this.lines(`exec ${fd}<>${this.ground.mnt}/${name}`);
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
    this.lines(`if ${command}${this.ground.quiet}; then r=success; else r=error; fi`);
  }

  xfsIo(...commands: string[]): void {
    for (const command of commands) this.#commands.add(/^(?:falloc -k|\w+)/.exec(command)![0]);
    const all = commands.map((command) => `-c "${command}"`);
    this.use("silent");
    this.call(`silent ${this.ground.xfsIo} ${all.join(" ")} ${this.path()}`);
  }

  xfsIoEach(words: string, command: string): void {
    this.#commands.add(/^(?:falloc -k|\w+)/.exec(command)![0]);
    this.use("silent");
    const each = `silent ${this.ground.xfsIo} -c "${command}" ${this.path()}`;
    this.call(`(for at in $(${words}); do ${each} || exit; done)`);
  }

  shortWrite(
    { pos, len, readable }: { pos: number; len: number; readable: number },
    tag: number,
    direct: boolean,
  ): void {
    this.use("short_write");
    const what = `${this.path()} ${pos} ${len} ${readable} ${this.letter(tag)}`;
    this.call(`short_write ${what}${direct ? " direct" : ""}`);
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

  /** Something looks at whether a command succeeded. */
  get #looksAtResult(): boolean {
    return this.#lines.some((line) => line.includes('"$r"'));
  }

  /** The lines, less what keeps whether a command succeeded where nothing looks at that. */
  withoutResult(): readonly string[] {
    if (this.#looksAtResult) return this.#lines;
    const left = this.#lines.filter((line) => line !== "r=success");
    const { ignored } = this.ground;
    return left.map((line) =>
      line.replace(/^if (?:silent )?(.*); then r=success; else r=error; fi$/, `$1${ignored}`),
    );
  }
}
