/**
 * What a document names in links and pictures.
 */
import { dirname, join, relative } from "node:path";

/** The text, without what stands in fenced blocks and in code. */
const prose = (text: string): string =>
  text.replaceAll(/^```.*?^```$/gms, "").replaceAll(/`[^`\n]*`/g, "");

export interface Link {
  /** The document that has it, as a path in the repository or the package. */
  name: string;
  /** As it stands there. */
  link: string;
  /** Where it leads, as such a path. */
  file: string;
  /** The heading there; absent: the whole of it. */
  anchor?: string;
}

/** The links of the document `name` to files of the repository, or of the package. */
export function linksIn(text: string, name: string): Link[] {
  const links = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  const pictures = [...text.matchAll(/(?:src|srcset)="([^"]+)"/g)].map(([, link]) => link!);
  return [...links, ...pictures]
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [path = "", anchor] = link.split("#");
      const file = path === "" ? name : relative("", join(dirname(name), path));
      return { name, link, file, ...(anchor !== undefined && { anchor }) };
    });
}
