/**
 * For tests: KTAP, read as strictly as Documentation/dev-tools/ktap.rst has it. What that only
 * recommends is asked for (a plan, a "#" before all that is no result), and nothing unknown is let
 * through.
 */
import assert from "node:assert";

/** A test, and the tests within it. */
export interface ParsedTest {
  ok: boolean;
  name: string;
  directive: string | undefined;
  /** What follows the name and the directive. */
  about: string;
  /** The lines that are about it, without their "# ". */
  diagnostics: string[];
  subtests: ParsedTest[];
}

const RESULT =
  /^(ok|not ok) ([1-9]\d*)(?: ([^#]*[^# ]))?(?: # (?:(SKIP|TODO|XFAIL|TIMEOUT|ERROR)(?= |$) ?)?(.*))?$/;

class Parser {
  readonly #lines: string[];
  #at = 0;

  constructor(text: string) {
    assert(text.endsWith("\n"), "the last line ends");
    this.#lines = text.slice(0, -1).split("\n");
  }

  get isAtEnd(): boolean {
    return this.#at === this.#lines.length;
  }

  /** The next line at this depth without its indentation; undefined where it is at another. */
  #peek(indent: string): string | undefined {
    const line = this.#lines[this.#at];
    if (line === undefined || !line.startsWith(indent)) return undefined;
    const rest = line.slice(indent.length);
    return rest.startsWith(" ") ? undefined : rest;
  }

  #take(indent: string, what: string): string {
    const line = this.#peek(indent);
    assert(line !== undefined, `line ${this.#at + 1} is ${what}: ${this.#lines[this.#at]}`);
    this.#at += 1;
    return line;
  }

  #diagnostics(indent: string): string[] {
    const lines: string[] = [];
    for (;;) {
      const line = this.#peek(indent);
      if (line?.startsWith("# ") !== true) return lines;
      lines.push(this.#take(indent, "a diagnostic").slice(2));
    }
  }

  /** A version line, a plan, and as many tests as that says. */
  tests(indent: string): ParsedTest[] {
    assert.equal(this.#take(indent, "a version"), "KTAP version 1");
    const plan = /^1\.\.(\d+)$/.exec(this.#take(indent, "a plan"));
    assert(plan, "a plan follows the version");
    return Array.from({ length: Number(plan[1]) }, (_, i) => this.#test(indent, i + 1));
  }

  #test(indent: string, number: number): ParsedTest {
    const before = this.#diagnostics(indent);
    const inner = `${indent}  `;
    const subtests = this.#peek(inner) === undefined ? [] : this.tests(inner);
    const diagnostics = [...before, ...this.#diagnostics(indent)];
    const line = this.#take(indent, "a result");
    const [, word, numbered, name = "", directive, about = ""] = RESULT.exec(line) ?? [];
    assert(word !== undefined, `no result: ${line}`);
    assert.equal(Number(numbered), number, "results are numbered");
    const ok = word === "ok";
    assert(ok || directive !== "SKIP", "what is skipped is ok here");
    assert(!ok || !/^(?:TIMEOUT|ERROR)$/.test(directive ?? ""), `ok, and ${directive}`);
    assert(!ok || subtests.every((one) => one.ok), "a test fails with its subtests");
    return { ok, name, directive, about, diagnostics, subtests };
  }
}

/** The tests in `text`. Throws where it is not KTAP of version 1. */
export function parseKtap(text: string): ParsedTest[] {
  const parser = new Parser(text);
  const tests = parser.tests("");
  assert(parser.isAtEnd, "nothing follows the last result");
  return tests;
}
