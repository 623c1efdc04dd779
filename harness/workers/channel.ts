/**
 * Channel: a worker's end of the line to its supervisor. Which line it is, is the only thing that a
 * worker in a guest and one on the host do not have in common.
 */
import { constants, createReadStream, openSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Message, Request } from "./messages.ts";

export interface Channel {
  /**
   * Sends at once and in order. What was sent before the kernel dies arrives, where the line is a
   * serial one.
   */
  send(message: Message): void;
  /** Calls for each request; `onEnd` when there will be no more. */
  listen(onRequest: (request: Request) => void, onEnd: () => void): void;
  /** Ends the line once everything that was sent has left. */
  close(): void;
}

/** The IPC channel of a child process. */
export function ipcChannel(): Channel {
  /** Settles once everything that was sent has left this process. */
  let sent = Promise.resolve();
  return {
    send(message) {
      const before = sent;
      sent = new Promise((resolve) => {
        // A supervisor that is gone is no error here: "disconnect" ends the process.
        process.send?.(message, undefined, undefined, () => resolve(before));
      });
    },
    listen(onRequest, onEnd) {
      process.once("disconnect", onEnd);
      process.on("message", (request) => onRequest(request as Request));
    },
    close() {
      // Closing the channel drops what is still in it: a finding, if it is a large one.
      void sent.finally(() => process.disconnect());
    },
  };
}

/** A line of JSON for each message, over a terminal device in raw mode. */
export function serialChannel(device: string): Channel {
  const fd = openSync(device, constants.O_RDWR | constants.O_NOCTTY);
  return {
    send(message) {
      // All of it: a terminal takes as much at a time as its buffer holds.
      writeFileSync(fd, Buffer.from(`${JSON.stringify(message)}\n`));
    },
    listen(onRequest, onEnd) {
      const lines = createInterface({ input: createReadStream(device, { fd, autoClose: false }) });
      lines.on("line", (line) => onRequest(JSON.parse(line) as Request));
      lines.on("close", onEnd);
    },
    close() {
      // The guest ends with whoever is at the other end of the line.
    },
  };
}
