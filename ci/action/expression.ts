/**
 * For tests: expressions of GitHub Actions, by GitHub's own evaluator, and texts that hold them.
 *
 * Source: docs.github.com, "Evaluate expressions in workflows and actions": a condition without a
 *         function of the status is asked only where all went well.
 */
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";

/** What an expression may name: inputs, steps ... */
export type Contexts = Readonly<Record<string, unknown>>;

const STATUS = ["success", "failure", "cancelled", "always"] as const;

function evaluated(words: string, contexts: Contexts, failed: boolean): string {
  const is = { success: !failed, failure: failed, cancelled: false, always: true };
  const functions = STATUS.map((name) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(is[name]),
  }));
  const { tokens } = new Lexer(words).lex();
  const expression = new Parser(tokens, Object.keys(contexts), functions).parse();
  const known = new Map(functions.map((each) => [each.name, each]));
  const context = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  return new Evaluator(expression, context, known).evaluate().coerceString();
}

/** A text with the values of its expressions. */
export function filledIn(text: string, contexts: Contexts): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/g, (_all, words: string) =>
    evaluated(words, contexts, false),
  );
}

/** Whether a step with this condition is run, where one before it has `failed` or not. */
export function isMet(condition: string | undefined, contexts: Contexts, failed: boolean): boolean {
  const words = (condition ?? "success()").replace(/^\$\{\{(.*)\}\}$/, "$1");
  const asks = STATUS.some((name) => words.includes(`${name}(`));
  const asked = asks ? words : `success() && (${words})`;
  return evaluated(`!!(${asked})`, contexts, failed) === "true";
}
