/**
 * What must be undone before this process ends, last first: normally, half-way through a failed set-up, on a signal,
 * on an uncaught error. Only kill -9 gets past it; `leftovers.ts` deals with that at the next start.
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
      // The next start's sweep tries again; the reason the process ends for matters more than this one.
      process.stderr.write(`ext4-conform: left behind: ${String(error)}\n`);
    }
  }
}

function onSignal(signal: NodeJS.Signals): void {
  // Another listener means that the program wants to end in its own way; the "exit" event then does our part.
  if (process.listenerCount(signal) > 1) return;
  undoEverything();
  unhook();
  process.kill(process.pid, signal);
}

/** Uncaught errors end in "exit" too. */
function hook(): void {
  process.on("exit", undoEverything);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unhook(): void {
  process.off("exit", undoEverything);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

/** Registers a step that must be undone. Returns a function that undoes it now, once. */
export function undoAtExit(undo: Undo): Undo {
  if (pending.length === 0) hook();
  pending.push(undo);
  return () => {
    const at = pending.indexOf(undo);
    if (at < 0) return;
    pending.splice(at, 1);
    if (pending.length === 0) unhook();
    undo();
  };
}
