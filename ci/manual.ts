/**
 * Writes the manual page, where the build wants it: `node dist/ci/manual.js FILE`.
 */
import { writeFileSync } from "node:fs";
import { program } from "../harness/commands/cli.ts";
import { described } from "../harness/commands/completion.ts";
import { manual } from "../harness/command-line/manual.ts";
import { packageVersion } from "../harness/host/package.ts";

const [, , file] = process.argv;
if (file === undefined) throw new Error("a file is to be named");
writeFileSync(file, manual(described(program), packageVersion()));
