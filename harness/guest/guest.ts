/**
 * Guest: a kernel as a process of ours, with a worker inside. Nothing in it needs saving: its
 * images are in its memory, so to end one is to kill it.
 */
import { execa } from "execa";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import type { Duplex } from "node:stream";
import { EnvironmentError } from "../case/failure.ts";
import { makeWorkDirectory, removeWorkDirectory, sweepLeftovers } from "../subjects/leftovers.ts";
import { lacksProgram, searchPath } from "../system/process.ts";
import { undoAtExit } from "../system/undo.ts";
import { isStopped } from "../workers/held.ts";
import type { HeldBy, WorkerEnd, WorkerLink } from "../workers/link.ts";
import type { Message } from "../workers/messages.ts";
import { workerFile } from "../workers/host-kernel.ts";
import { nextProcessor } from "./processors.ts";
import { GuestConsole, remedyFor } from "./console.ts";
import { initScript } from "./init.ts";

/** How to start a machine, as data. */
export interface GuestRecipe {
  /** "user-mode Linux", "QEMU with KVM" */
  kind: string;
  program: string;
  /** It runs on one processor, and not where it likes. */
  onOneProcessor: boolean;
  /** The arguments, given the guest's own directory and its init script. */
  args: (directory: string, init: string) => string[];
  /** The worker's end of the line, in the guest. */
  line: string;
  /** The supervisor's end: descriptor 3, or a socket in the guest's directory. */
  connect: (directory: string, descriptor: Duplex) => Promise<Duplex>;
  /** Seconds in which the worker must have said that it is there. */
  bootSeconds: number;
}

/** Milliseconds in which a program that was killed is gone, on a machine that is busy. */
const KILL_MS = 10_000;

/** Milliseconds for what a guest said at its end to come through. */
const LAST_WORDS_MS = 100;

let swept = false;

/** Folders that a guest covers with file systems of its own. */
const COVERED = ["/dev", "/proc", "/sys", "/run"];

/** The folder that hides `path` from a guest, if one does. */
function coveredBy(path: string): string | undefined {
  return COVERED.find((folder) => path.startsWith(`${folder}/`));
}

/** Throws EnvironmentError where the guest could not see what it is to run. */
function mustBeVisible(path: string): void {
  const covered = coveredBy(path);
  if (covered === undefined) return;
  throw new EnvironmentError(
    "unsupported-platform",
    `a guest has a ${covered} of its own and does not see ${path}`,
    "Install the tool, and Node.js, somewhere else.",
  );
}

/** A guest's directory with its init script, removed when this process ends. */
function prepare(
  command: readonly string[],
  line: string,
): { directory: string; init: string; remove: () => void } {
  for (const path of command) mustBeVisible(path);
  if (!swept) sweepLeftovers();
  swept = true;
  const directory = makeWorkDirectory((place) => coveredBy(place) === undefined);
  const remove = undoAtExit(() => removeWorkDirectory(directory));
  const init = join(directory, "init");
  writeFileSync(init, initScript({ command, line }));
  chmodSync(init, 0o755);
  return { directory, init, remove };
}

/**
 * Becomes the program, after leaving a guard in its process group: a shell that reads what is never
 * written, comes to the end of it when this process closes it or is gone, whatever killed it, and
 * takes the group along. PR_SET_PDEATHSIG would reach the program only: the helpers of a user-mode
 * Linux of 6.1, which hold its memory, outlive it (seen).
 */
const GUARDED = `
exec 4<&0 </dev/null
{ exec >/dev/null 2>&1 3>&-; read -r never <&4; kill -KILL 0; } &
exec 4<&- "$@"`;

/**
 * The program ends when this process does, and is out of reach of the terminal's Ctrl-C, which is
 * for us.
 */
function startProgram(program: string, args: readonly string[], onOneProcessor: boolean) {
  const pinned = onOneProcessor ? ["taskset", "--cpu-list", String(nextProcessor())] : [];
  const PATH = searchPath().join(":");
  return execa("sh", ["-c", GUARDED, "guest", ...pinned, program, ...args], {
    reject: false,
    buffer: false,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    detached: true,
    cleanup: false,
    env: { PATH },
  });
}

/** A guest that runs. Its constructor throws EnvironmentError where a program for it is missing. */
export class Guest implements WorkerLink {
  readonly #recipe: GuestRecipe;
  readonly #console = new GuestConsole();
  readonly #program: ReturnType<typeof startProgram>;
  readonly #end: Promise<WorkerEnd>;
  /**
   * What the worker said and nobody has asked for yet. A stream that nobody listens to loses what
   * comes.
   */
  readonly #inbox = new PassThrough({ objectMode: true });
  readonly #boot: NodeJS.Timeout;
  readonly #up: Promise<Duplex>;
  #started = false;
  #stopped = false;
  #killed = false;

  /** @param command what runs in it, by paths; it is told the line as its last argument */
  constructor(recipe: GuestRecipe, command: readonly string[] = [process.execPath, workerFile]) {
    const lacking = lacksProgram("taskset");
    if (lacking !== undefined) throw lacking;
    this.#recipe = recipe;
    const { directory, init, remove } = prepare(command, recipe.line);
    const args = recipe.args(directory, init);
    this.#program = startProgram(recipe.program, args, recipe.onOneProcessor);
    const undo = undoAtExit(() => this.#killNow());
    for (const stream of [this.#program.stdout, this.#program.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    }
    this.#boot = setTimeout(() => this.#killNow(), recipe.bootSeconds * 1000);
    // Node.js makes a pipe of a child a pair of sockets: it goes both ways.
    const connected = recipe.connect(directory, this.#program.stdio[3] as Duplex);
    this.#up = connected.then((line) => this.#listen(line));
    this.#end = this.#program.then(({ exitCode, signal }) => {
      const killedByOthers = signal === "SIGKILL" && !this.#killed;
      clearTimeout(this.#boot);
      setTimeout(() => this.#inbox.end(), LAST_WORDS_MS);
      undo();
      remove();
      return this.#endOf(signal ?? `status ${exitCode}`, killedByOthers);
    });
  }

  /** The worker or the init script gave up: whoever waits for a word of theirs waits in vain. */
  #hear(text: string): void {
    this.#console.add(text);
    if (this.#console.gaveUp() !== undefined) this.#killNow();
  }

  #endOf(how: string, killedByOthers: boolean): WorkerEnd {
    const panic = this.#console.panic();
    const gaveUp = this.#console.gaveUp();
    const reason = gaveUp ?? panic ?? `the guest ended (${how})`;
    const killed = killedByOthers && panic === undefined;
    const kernelDied = gaveUp === undefined && !this.#stopped && !killed;
    return { reason, console: this.#console.all(), kernelDied, killed };
  }

  /**
   * Resolves when the worker has said its first word: what comes to a terminal before someone reads
   * there is lost.
   */
  #listen(line: Duplex): Promise<Duplex> {
    return new Promise((resolve) => {
      // A guest that is killed with something of ours unread resets the line (ECONNRESET). That it
      // ended is told by #end.
      line.on("error", () => {});
      const lines = createInterface({ input: line }).on("error", () => {});
      lines.on("line", (text) => {
        clearTimeout(this.#boot);
        this.#started = true;
        this.#inbox.write(JSON.parse(text));
        resolve(line);
      });
    });
  }

  async send(request: object): Promise<void> {
    const line = await Promise.race([this.#up, this.#end.then(() => undefined)]);
    line?.write(`${JSON.stringify(request)}\n`);
  }

  async *messages(): AsyncGenerator<Message> {
    for await (const message of this.#inbox) yield message as Message;
    if (!this.#started && !this.#stopped) throw this.#didNotStart(await this.#end);
  }

  #didNotStart({ reason, console }: WorkerEnd): EnvironmentError {
    const { kind, bootSeconds } = this.#recipe;
    const said = console
      .slice(-5)
      .map((text) => `\n  | ${text}`)
      .join("");
    const why =
      this.#console.panic() === undefined && this.#console.gaveUp() === undefined
        ? `not within ${bootSeconds} s`
        : reason;
    return new EnvironmentError(
      "guest-did-not-start",
      `the kernel did not come up in ${kind}: ${why}${said}${said === "" ? "" : "\n"}`,
      remedyFor(console),
    );
  }

  ended(): Promise<WorkerEnd> {
    return this.#end;
  }

  async finish(): Promise<void> {
    this.stop();
    await this.#end;
  }

  stop(): void {
    this.#stopped = true;
    this.#killNow();
  }

  isStopped(): boolean {
    const { pid } = this.#program;
    return pid !== undefined && isStopped(pid);
  }

  /** The kernel in it is the one under test: whatever it does, it is held by that. */
  heldBy(): Promise<HeldBy> {
    return Promise.resolve({ kernel: true, evidence: [] });
  }

  async kill(): Promise<boolean> {
    this.#killNow();
    const waited = new Promise<boolean>((resolve) => setTimeout(resolve, KILL_MS, false).unref());
    return Promise.race([this.#end.then(() => true), waited]);
  }

  /** The whole group: a user-mode Linux has a process for each address space. */
  #killNow(): void {
    const { pid } = this.#program;
    if (pid === undefined) return;
    this.#killed = true;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It is gone.
    }
  }
}
