/**
 * The live line: rewritten in place on a terminal, a line now and then elsewhere.
 */
import { TO_LINE_START } from "./terminal.ts";

/** Milliseconds between two lines where there is no terminal, and on one. */
const LINE_MS = 10_000;
const REWRITE_MS = 50;

export class LiveLine {
  readonly #stream: NodeJS.WriteStream;
  #shownAt = Date.now();
  #open = false;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Show `text()`, if it is time to. */
  show(text: () => string): void {
    const now = Date.now();
    if (now - this.#shownAt <= (this.#stream.isTTY ? REWRITE_MS : LINE_MS)) return;
    this.#shownAt = now;
    this.#open = this.#stream.isTTY;
    this.#stream.write(this.#stream.isTTY ? `${TO_LINE_START}${text()}` : `${text()}\n`);
  }

  /** Leave the line clean for what is printed next. */
  end(): void {
    if (this.#open) this.#stream.write(TO_LINE_START);
    this.#open = false;
  }
}
