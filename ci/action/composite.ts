/**
 * For tests: runs the steps of a composite action one after the other, as a runner of GitHub does.
 * What a step `uses` is another action; what that does is done in its place.
 *
 * Source: docs.github.com, "Metadata syntax", "Workflow commands" (files that a step writes to:
 *         GITHUB_OUTPUT, GITHUB_PATH, GITHUB_STEP_SUMMARY) and "Workflow syntax" (`shell: bash` is
 *         bash --noprofile --norc -eo pipefail FILE).
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { filledIn, isMet } from "./expression.ts";

type Texts = Record<string, string>;

export interface Step {
  name?: string;
  id?: string;
  if?: string;
  uses?: string;
  run?: string;
  shell?: string;
  env?: Texts;
  with?: Texts;
}

export interface Action {
  inputs: Record<string, { description: string; default?: string }>;
  outputs: Record<string, { value: string }>;
  runs: { using: "composite"; steps: Step[] };
}

/** Does what another action does, with what it is given; its outputs. */
export type StandIn = (given: Texts) => Texts;

/** Where the steps run, and with what. */
export interface Machine {
  /** The folder of the action. */
  actionPath: string;
  /** The folder in which steps begin. */
  workspace: string;
  /** Folder of what is gone after the job. */
  temp: string;
  /** Beside what the runner sets. */
  env?: Texts;
  /** Words before the command of each script, as of a program that takes rights away. */
  through?: readonly string[];
  /** By what a step uses, without its version. */
  standIns: Readonly<Record<string, StandIn>>;
}

export interface Ran {
  failed: boolean;
  outputs: Texts;
  /** What the steps printed that ran, by their name, or by what they use. */
  logs: ReadonlyMap<string, string>;
  summary: string;
}

export const readAction = (actionPath: string): Action =>
  parse(readFileSync(join(actionPath, "action.yml"), "utf8")) as Action;

const nameOf = ({ name, uses = "" }: Step): string => name ?? uses.replace(/@.*$/, "");

/** Lines `name=value`; the form for values of several lines is not in use here. */
function pairsIn(text: string): Texts {
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([\w-]+)=(.*)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`no output of a step: ${line}`);
      return [name, value!];
    }),
  );
}

class Run {
  readonly #machine: Machine;
  readonly #folder: string;
  readonly #contexts: Record<string, object> & { steps: Record<string, object> };
  #path: string[] = [];
  #failed = false;
  readonly logs = new Map<string, string>();

  constructor(machine: Machine, inputs: Texts) {
    this.#machine = machine;
    this.#folder = mkdtempSync(join(machine.temp, "runner-"));
    for (const name of ["output", "path", "summary"]) writeFileSync(this.#file(name), "");
    const runner = { os: "Linux", arch: "X64", temp: machine.temp };
    this.#contexts = { inputs, runner, github: { action_path: machine.actionPath }, steps: {} };
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }

  #filledIn(texts: Texts = {}): Texts {
    const pairs = Object.entries(texts);
    return Object.fromEntries(pairs.map(([name, text]) => [name, filledIn(text, this.#contexts)]));
  }

  #env(step: Step): Texts {
    const { actionPath, workspace, temp, env } = this.#machine;
    const { PATH = "", ...others } = { ...process.env, ...env } as Texts;
    return {
      ...others,
      PATH: [...this.#path, PATH].join(delimiter),
      GITHUB_ACTIONS: "true",
      GITHUB_ACTION_PATH: actionPath,
      GITHUB_WORKSPACE: workspace,
      GITHUB_SHA: "0123456789abcdef0123456789abcdef01234567",
      GITHUB_OUTPUT: this.#file("output"),
      GITHUB_PATH: this.#file("path"),
      GITHUB_STEP_SUMMARY: this.#file("summary"),
      RUNNER_TEMP: temp,
      ...this.#filledIn(step.env),
    };
  }

  /** Runs a script; its outputs. */
  async #script(step: Step): Promise<Texts> {
    if (step.shell !== "bash") throw new Error(`${nameOf(step)} is not for bash`);
    const script = this.#file("script.sh");
    writeFileSync(script, filledIn(step.run!, this.#contexts));
    writeFileSync(this.#file("output"), "");
    const { workspace: cwd, through = [] } = this.#machine;
    const [program, ...words] = [...through, "bash", "--noprofile", "--norc", "-eo", "pipefail"];
    const options = { cwd, env: this.#env(step), extendEnv: false, reject: false } as const;
    const { exitCode, all } = await execa(program, [...words, script], { ...options, all: true });
    this.logs.set(nameOf(step), all);
    if (exitCode !== 0) this.#failed = true;
    this.#path.unshift(...readFileSync(this.#file("path"), "utf8").split("\n").filter(Boolean));
    writeFileSync(this.#file("path"), "");
    return pairsIn(readFileSync(this.#file("output"), "utf8"));
  }

  #standIn(step: Step): Texts {
    const name = nameOf(step);
    const act = this.#machine.standIns[name];
    if (act === undefined) throw new Error(`nothing stands in for ${name}`);
    const given = this.#filledIn(step.with);
    this.logs.set(name, JSON.stringify(given));
    return act(given);
  }

  async step(step: Step): Promise<void> {
    const runs = isMet(step.if, this.#contexts, this.#failed);
    if (!runs) return;
    const outputs = step.uses === undefined ? await this.#script(step) : this.#standIn(step);
    if (step.id !== undefined) this.#contexts.steps[step.id] = { outputs };
  }

  end(outputs: Action["outputs"]): Ran {
    const values = Object.entries(outputs).map(([name, { value }]) => [name, value]);
    return {
      failed: this.#failed,
      outputs: this.#filledIn(Object.fromEntries(values) as Texts),
      logs: this.logs,
      summary: readFileSync(this.#file("summary"), "utf8"),
    };
  }
}

/**
 * Runs the action. Throws where it is given an input that it does not have, or uses an action that
 * nothing stands in for.
 */
export async function runComposite(machine: Machine, inputs: Texts): Promise<Ran> {
  const action = readAction(machine.actionPath);
  const unknown = Object.keys(inputs).filter((name) => !(name in action.inputs));
  if (unknown.length > 0) throw new Error(`no inputs: ${unknown.join(", ")}`);
  const usual = Object.entries(action.inputs).map(([name, { default: text = "" }]) => [name, text]);
  const run = new Run(machine, { ...(Object.fromEntries(usual) as Texts), ...inputs });
  for (const step of action.runs.steps) await run.step(step);
  return run.end(action.outputs);
}
