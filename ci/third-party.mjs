/**
 * What of others is packed into our files, with its licence: theirs ask for that.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NOTICES = "dist/third-party-licenses.txt";

/** Those under which a part of a program under the GPL, version 2, may be. Apache-2.0 is not. */
const COMPATIBLE = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD"];

/** Folders of packages, by their place in node_modules. */
const packages = new Map();

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (!COMPATIBLE.includes(license)) throw new Error(`${name} may not be packed: ${license}`);
  const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined)
    throw new Error(`${name} is to be packed, and has no file with a licence`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}

/** A plugin of rolldown: writes the notices anew with each file that is packed. */
export const noticesOf = () => ({
  name: "third-party",
  writeBundle(_options, bundle) {
    for (const { moduleIds = [] } of Object.values(bundle)) {
      for (const id of moduleIds) {
        const [, folder] = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id) ?? [];
        if (folder !== undefined) packages.set(folder, noticeOf(folder));
      }
    }
    const notices = [...packages].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
    writeFileSync(NOTICES, notices.join(`\n${"-".repeat(72)}\n\n`));
  },
});
