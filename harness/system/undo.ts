/**
 * What must be undone before this process ends, last first: normally, half-way through a failed
 * set-up, on a signal, on an uncaught error. Only kill -9 gets past it; `leftovers.ts` deals with
 * that at the next start.
 */

/** Synchronous, since nothing else runs in an "exit" listener. */
type Undo = () => void;

const pending: Undo[] = [];
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function undoEverything(): void {
  for (const undo of pending.splice(0).toReversed()) {
    try {
      undo();
    } catch (error) {
      // The next start's sweep tries again; the reason the process ends for matters more than this
      // one.
      process.stderr.write(`ext4-conform: left behind: ${String(error)}\n`);
    }
  }
}

/**
 * Undo everything and end as the signal would have ended this process, whoever else listens to it.
 */
export function endBySignal(signal: NodeJS.Signals): void {
  undoEverything();
  process.off("exit", undoEverything);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

let hooked = false;
let end: (signal: NodeJS.Signals) => void = endBySignal;

/**
 * Listen from now on to the end. A listener that came and went with what there is to undo would
 * lose a signal that arrives while the last of it is undone. Uncaught errors end in "exit" too.
 */
function hook(): void {
  if (hooked) return;
  hooked = true;
  process.on("exit", undoEverything);
  for (const signal of SIGNALS) process.on(signal, (s) => end(s));
}

/**
 * Let `how` decide what a signal does, until this is called with undefined; it must come to
 * `endBySignal`.
 */
export function whenSignalled(how: ((signal: NodeJS.Signals) => void) | undefined): void {
  hook();
  end = how ?? endBySignal;
}

/** Whether a signal is one that a terminal or a supervisor sends to end a program. */
export function endsPrograms(signal: string | undefined): signal is (typeof SIGNALS)[number] {
  return SIGNALS.some((known) => known === signal);
}

/** Registers a step that must be undone. Returns a function that undoes it now, once. */
export function undoAtExit(undo: Undo): Undo {
  hook();
  pending.push(undo);
  return () => {
    const at = pending.indexOf(undo);
    if (at < 0) return;
    pending.splice(at, 1);
    undo();
  };
}
