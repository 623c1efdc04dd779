/**
 * Configuration fragments: what `images/kernel-config.ts` asks for as scripts/kconfig reads it, and
 * what became of it.
 *
 * Source: Documentation/kbuild/kconfig.rst (KCONFIG_ALLCONFIG: the values that allnoconfig begins
 *         with). A symbol whose dependencies are not met is dropped without a word, hence the
 *         comparison with what came out.
 */
import type { ConfigGroup } from "../../images/kernel-config.ts";

/** "CONFIG_X=y", or the comment that stands for "n". */
function lineOf(name: string, value: string): string {
  return value === "n" ? `# CONFIG_${name} is not set` : `CONFIG_${name}=${value}`;
}

/** The fragment, each group under its reason; ends in "\n". */
export function fragmentOf(groups: readonly ConfigGroup[]): string {
  const parts = groups.map(({ reason, symbols }) =>
    [`# ${reason}`, ...Object.entries(symbols).map(([n, v]) => lineOf(n, v))].join("\n"),
  );
  return `${parts.join("\n\n")}\n`;
}

/** The values in a configuration file, names without CONFIG_; what is off is "n". */
export function readConfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const set = /^CONFIG_(\w+)=(.*)$/.exec(line) ?? /^# CONFIG_(\w+) is not set$/.exec(line);
    if (set !== null) values.set(set[1]!, set[2] ?? "n");
  }
  return values;
}

export interface Refused {
  name: string;
  value: string;
  reason: string;
  required: boolean;
}

/**
 * What was asked for and is not in the configuration that came out: this kernel does not have it,
 * or something hides it.
 */
export function refusedSymbols(groups: readonly ConfigGroup[], config: string): Refused[] {
  const values = readConfig(config);
  return groups.flatMap(({ reason, symbols, required = false }) =>
    Object.entries(symbols)
      .filter(([name, value]) => (values.get(name) ?? "n") !== value)
      .map(([name, value]) => ({ name, value, reason, required })),
  );
}
